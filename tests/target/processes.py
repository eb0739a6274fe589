"""The target as a process of its own, where signals, exit codes and pipes are what is tested."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from subprocess import PIPE
from typing import TYPE_CHECKING, Any, Final

from tests.support import processes
from tests.support.json_lines import json_lines
from tests.support.processes import ROOT
from tests.target.loads import Loaded, examine, read_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target.loads import CVM

START: Final = "from tests.target.loads import QuickTarget; QuickTarget.cli()"
PATIENCE: Final = 30.0

# The kernel's own figure of this very process: `ru_maxrss` begins with that of the parent.
MEASURED: Final = (
    "import atexit, pathlib, sys; atexit.register(lambda: print('peak', next(line.split()[1] for "
    "line in pathlib.Path('/proc/self/status').read_text().splitlines() if line[:6] == 'VmHWM:'), "
    "file=sys.stderr)); "
)
"""Before any code: the process tells its peak in its log when it ends."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    exit_code: int
    output: str
    log: str


class Process:
    """A target that runs; its folders are those of the CVM.

    Args:
        cvm: what it loads into.
        arguments: of its command line, beside its config.
        code: what the interpreter runs.
        environment: variables besides those of this process.
    """

    def __init__(
        self,
        cvm: CVM,
        *arguments: str,
        code: str = START,
        environment: dict[str, str] | None = None,
        **settings: object,
    ) -> None:
        self.cvm = cvm
        config = cvm.home / "config.json"
        config.write_text(json.dumps(cvm.config(**settings)))
        self._process = processes.Process(
            [sys.executable, "-c", code, "--config", str(config), *arguments],
            cwd=ROOT,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=os.environ | (environment or {}),
        )

    def write(self, given: bytes) -> None:
        """Write to its input, as a tap does."""
        assert self._process.stdin is not None
        self._process.stdin.write(given)
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def limit(self, kind: int, value: int) -> None:
        """Limit the process from now on, as `resource.prlimit` does."""
        resource.prlimit(self._process.pid, kind, (value, value))

    def close_output(self) -> None:
        """Read no more of its output, as a command that has ended."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.stdout = None

    @property
    def exited(self) -> bool:
        return self._process.poll() is not None

    def end(self, given: bytes = b"") -> Ended:
        """Write the rest, close its input, and wait for its end."""
        output, log = self._process.communicate(given, PATIENCE)
        return Ended(self._process.wait(), output.decode(), log.decode())

    def loaded(self, ended: Ended) -> Loaded:
        """Look at what its newest run left behind, as at that of any load."""
        states = json_lines(ended.output.encode())
        folder = newest(self.cvm.output)
        loaded = Loaded(ended.exit_code, "", states, folder)
        read_folder(loaded, folder)
        examine(loaded, folder)
        return loaded


def newest(output: Path) -> Path:
    """Give the folder of the newest run."""
    return max(path for path in output.iterdir() if path.is_dir())


def eventually(happens: Callable[[], Any]) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def peak_kb(log: str) -> int:
    """Give the most memory that a measured process had, by its log."""
    return int(log.rpartition("peak")[2])
