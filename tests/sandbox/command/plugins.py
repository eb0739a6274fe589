"""One COMMAND as a child of the sandbox: its environment, its exit code, the signals for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from tests.sandbox.faults import victims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.sandbox.faults.faults import Faults

    Starter = Callable[[Sequence[str], Mapping[str, str]], "Process"]

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
"""The codes of shells for a COMMAND that cannot be run."""


def say(line: str) -> None:
    """Write a line to standard error; standard output belongs to COMMAND."""
    sys.stderr.write(f"sandbox: {line}\n")
    sys.stderr.flush()


def with_plugins(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the scripts that lie beside this Python found first."""
    path = os.pathsep.join((str(Path(sys.executable).parent), environment.get("PATH", "")))
    return {**environment, "PATH": path}


class Process(Protocol):
    """What has to be known of a process."""

    @property
    def pid(self) -> int:
        """Give its id."""

    def wait(self) -> int:
        """Wait for its end and give its exit code, minus the number of a signal."""

    def send_signal(self, number: int) -> None:
        """Send it a signal."""


def start(line: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Start a command."""
    return subprocess.Popen(line, env=dict(environment))


class Command:
    """Runs commands one after the other and carries out what faults do to their processes.

    Args:
        faults: what can befall them.
        starter: what starts them, in place of `start`.

    Attributes:
        interrupted: whether the sandbox itself was told to end while one ran.
    """

    def __init__(self, faults: Faults, starter: Starter = start) -> None:
        self._faults = faults
        self._start = starter
        self.interrupted = False

    def run(self, line: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command to its end and return its exit code, 128 and the number for a signal."""
        with self._handing_on() as follow:
            try:
                process = self._start(line, environment)
            except OSError as error:
                say(f"cannot run '{line[0]}': {error.strerror}")
                return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
            self._faults.carry_out = lambda name: _carry_out(name, process.pid)
            try:
                follow(process)
                return _exit_code(process.wait())
            except KeyboardInterrupt:
                # The terminal has signalled COMMAND too: give it time to end.
                self.interrupted = True
                process.wait()
                return 128 + signal.SIGINT
            finally:
                self._faults.carry_out = None

    @contextmanager
    def _handing_on(self) -> Iterator[Callable[[Process], None]]:
        """Hand a SIGTERM on, so that no COMMAND is left behind without its servers.

        It may come at any moment from now on: before COMMAND is there, it waits for it.
        """
        told: list[int] = []
        started: list[Process] = []

        def follow(process: Process) -> None:
            started.append(process)
            for number in told:
                process.send_signal(number)

        def hand_on(number: int, _: object) -> None:
            self.interrupted = True
            told.append(number)
            for process in started:
                process.send_signal(number)

        if threading.current_thread() is not threading.main_thread():
            yield follow
            return
        before = signal.signal(signal.SIGTERM, hand_on)
        try:
            yield follow
        finally:
            signal.signal(signal.SIGTERM, before)


def _carry_out(name: str, root: int) -> None:
    if not victims.carry_out(name, root):
        say(f"{name}: no such process below COMMAND")


def _exit_code(returned: int) -> int:
    return 128 - returned if returned < 0 else returned
