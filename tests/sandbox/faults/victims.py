"""Signals and limits for the plugins' processes, found among the descendants of a COMMAND."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TAP: Final = "tap-qualyswas"
TARGET: Final = "target-ciscovm"
FILE_BYTES: Final = 16 * 1024
"""With `disk-full` no file of the target grows past this."""

PATIENCE: Final = 2.0
"""Seconds to wait for a process that may just be starting."""
_SIGNALS: Final = {
    "tap-killed": (TAP, signal.SIGKILL),
    "tap-terminated": (TAP, signal.SIGTERM),
    "target-killed": (TARGET, signal.SIGKILL),
    "target-terminated": (TARGET, signal.SIGTERM),
    "target-killed-before-run": (TARGET, signal.SIGKILL),
    "target-killed-in-run": (TARGET, signal.SIGKILL),
}


def carry_out(name: str, root: int) -> bool:
    """Carry out a process fault on the plugin below process `root`; False if it is not found."""
    if name == "disk-full":
        return _strike(root, TARGET, _limit_files)
    plugin, number = _SIGNALS[name]
    return _strike(root, plugin, lambda pid: os.kill(pid, number))


def _strike(root: int, plugin: str, deed: Callable[[int], None]) -> bool:
    """Call `deed` with the plugin's process, which may take a moment to start."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for pid in descendants(root):
            if is_plugin(pid, plugin):
                deed(pid)
                return True
        time.sleep(0.05)
    return False


def _limit_files(pid: int) -> None:
    if sys.platform != "linux":  # elsewhere COMMAND starts with the limit, see `with_file_limit`
        return
    import resource  # noqa: PLC0415 - prlimit is Linux's alone

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


def with_file_limit(command: Sequence[str]) -> list[str]:
    """Return the command so that none of its files can grow, where one process cannot be chosen."""
    return ["sh", "-c", f'ulimit -f {FILE_BYTES // 512}; exec "$@"', "sh", *command]


def descendants(root: int) -> list[int]:
    """Return the ids of all processes below `root`, itself included."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, waiting = [root], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def is_plugin(pid: int, plugin: str) -> bool:
    """Return whether the process runs the plugin itself, not something that was told its name.

    A console script shows as its Python, perhaps with flags, and the script's path.
    """
    program, *others = _words(pid) or [""]
    names = [program]
    if Path(program).name.lower().startswith("python"):
        names += [word for word in others if not word.startswith("-")][:1]
    return any(Path(name).name == plugin for name in names)


def _parents() -> Iterator[tuple[int, int]]:
    listing = Path("/proc")
    if (listing / "self/stat").exists():
        for folder in listing.iterdir():
            if folder.name.isdigit():
                try:
                    stat = (folder / "stat").read_text()
                except OSError:
                    continue  # it has ended meanwhile
                yield int(folder.name), int(stat.rpartition(")")[2].split()[1])
        return
    for line in _ps("-axo", "pid=,ppid=").splitlines():
        pid, parent = line.split()
        yield int(pid), int(parent)


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return (
            [] if Path("/proc/self/stat").exists() else _ps("-o", "args=", "-p", str(pid)).split()
        )


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
