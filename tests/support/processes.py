"""Python processes that start in milliseconds: forked from a parent that has imported the plugins.

They are processes of their own, with ids, signals, pipes, limits and exit codes; only the start of
the interpreter and its imports are done once for all. Where that start is what is tested, and for
one run of each command, the tests use `subprocess`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, TimeoutExpired
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

ROOT: Final = Path(__file__).resolve().parents[2]
BIN: Final = Path(sys.executable).parent

Stream = int | IO[bytes] | None


class ForkServer:
    """A parent of processes, started when the first of them is.

    Args:
        modules: what it imports before it forks.
    """

    started: Final[list[ForkServer]] = []

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._lock = Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(
        self, words: Sequence[str], env: Mapping[str, str], cwd: Path, descriptors: Sequence[int]
    ) -> int:
        """Start a process and give its id."""
        request = {"words": list(words), "environment": dict(env), "folder": str(cwd)}
        return self._ask(request, descriptors)

    def status(self, process: int) -> int:
        """Wait for a process, and give the status that it ended with."""
        return self._ask({"ended": process})

    def end(self) -> None:
        """Let the parent end, and wait for it."""
        if self._server is not None and self._socket is not None:
            self._socket.close()
            self._server.wait()
            self._server = self._socket = None

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> int:
        with self._lock:
            asking = self._socket or self._open()
            text = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(asking, [text], descriptors)
            asking.sendall(text[sent:])
            answer = asking.recv(32)
        if not answer:
            msg = f"the parent of {' '.join(self._modules)} has ended"
            raise RuntimeError(msg)
        return int(answer)

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())),
                    *self._modules,
                ],
                cwd=ROOT,
                stdin=DEVNULL,
                stdout=DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours
        self.started.append(self)
        return ours


PLUGINS: Final = ForkServer(
    "target_ciscovm.run", "tests.pair.together", "tests.sandbox.command.days"
)
"""The parent of both plugins, and of the sandbox."""


class Process:
    """A Python process, handled as those of `subprocess.Popen`.

    Args:
        command: the interpreter with `-c`, `-m` or a script, or a script that lies beside it.
        server: its parent.
        stdin: as for `subprocess`: a file, `PIPE`, `DEVNULL`, or None for that of this process.
        stdout: the same.
        stderr: the same, or `STDOUT`.
        env: its environment in place of this process's.
        cwd: its folder in place of this process's.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        server: ForkServer = PLUGINS,
        stdin: Stream = None,
        stdout: Stream = None,
        stderr: Stream = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.args = command
        self.returncode: int | None = None
        self._server = server
        words = python_words(command)
        environment = {**(os.environ if env is None else env)}
        _refuse_other_python(environment)
        with ExitStack() as theirs:
            given, self.stdin = _stream(0, stdin, theirs)
            written, self.stdout = _stream(1, stdout, theirs)
            logged, self.stderr = (
                (written, None) if stderr == STDOUT else _stream(2, stderr, theirs)
            )
            # Read to its end when the process has ended, whoever ended it.
            alive, self._alive = _stream(1, PIPE, theirs)
            self.pid = server.start(
                words, environment, cwd or Path.cwd(), (given, written, logged, alive)
            )

    def poll(self) -> int | None:
        """Give the exit code if the process has ended."""
        with suppress(TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and give the exit code; minus the number of a signal that ended it."""
        if self.returncode is None:
            assert self._alive is not None
            if not select.select([self._alive], [], [], timeout)[0]:
                raise TimeoutExpired(self.args, timeout or 0)
            self._alive.close()
            self.returncode = os.waitstatus_to_exitcode(self._server.status(self.pid))
        return self.returncode

    def communicate(self, given: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """Write what is given, and read all that there is until the end."""
        with ThreadPoolExecutor(2) as readers:
            read = [
                readers.submit(stream.read if stream else bytes)
                for stream in (self.stdout, self.stderr)
            ]
            try:
                if self.stdin:
                    with suppress(BrokenPipeError), self.stdin as stdin:
                        stdin.write(given)
                self.wait(timeout)
            except BaseException:
                self.kill()
                self.wait()
                raise
            finally:
                out, log = (one.result() for one in read)
                self._close()
        return out, log

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self.wait()

    def _close(self) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def run(
    command: Sequence[str],
    *,
    given: bytes = b"",
    timeout: float,
    server: ForkServer = PLUGINS,
    stderr: Stream = PIPE,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a Python command to its end, within so many seconds, as `subprocess.run` does."""
    process = Process(
        command, server=server, stdin=PIPE, stdout=PIPE, stderr=stderr, env=env, cwd=cwd
    )
    out, log = process.communicate(given, timeout)
    return subprocess.CompletedProcess(command, process.wait(), out, log)


def python_words(command: Sequence[str]) -> list[str]:
    """Give what an interpreter is to run for this command.

    Raises:
        ValueError: when it is no command for the interpreter of the tests.
    """
    program, *others = command
    if program == sys.executable:
        return others
    if Path(program).parent == BIN:
        return list(command)
    msg = f"{program} is no script beside {sys.executable}"
    raise ValueError(msg)


def _refuse_other_python(environment: Mapping[str, str]) -> None:
    """Refuse variables that an interpreter looks at when it starts, which has been."""
    here, there = ({*filter(_is_pythons, one.items())} for one in (os.environ, environment))
    if here != there:
        msg = f"a forked process keeps the interpreter's variables: {sorted(here ^ there)}"
        raise ValueError(msg)


def _is_pythons(variable: tuple[str, str]) -> bool:
    return variable[0].startswith("PYTHON")


def _stream(number: int, wanted: Stream, theirs: ExitStack) -> tuple[int, IO[bytes] | None]:
    """Give what the process has as a standard stream, and what is at its other end here."""
    if wanted is None:
        return number, None
    if not isinstance(wanted, int):
        return wanted.fileno(), None
    if wanted == DEVNULL:
        return theirs.enter_context(Path(os.devnull).open("r+b", buffering=0)).fileno(), None
    read, write = os.pipe()
    their, our, mode = (read, write, "wb") if number == 0 else (write, read, "rb")
    theirs.callback(os.close, their)
    return their, os.fdopen(our, mode)
