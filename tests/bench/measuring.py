"""Running a program in a process of its own, several times, and what it cost."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from tests.pair.commands import clean_environment, run
from tests.support.processes import ROOT, Process, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_SECONDS: Final = 3600.0

_forking: Final = ContextVar("forking", default=False)


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        seconds: by the clock on the wall.
        cpu: seconds of processor, of all threads.
        peak_mb: most memory that was in use, in MB; 0 where it was not looked at.
    """

    seconds: float
    cpu: float
    peak_mb: float


def run_program(
    name: str, options: dict[str, Any], *, source: Path | None = None, result: Path | None = None
) -> Cost:
    """Run one of `programs.PROGRAMS` in a process of its own, and measure inside of it.

    The start of the interpreter is left out.

    Args:
        name: of the program.
        options: what it is given.
        source: file that it reads as standard input.
        result: file that its standard output is written to; none keeps nothing.

    Raises:
        RuntimeError: when it fails, with the end of what it said.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(source, "rb") as given,
        opened(result, "wb") as kept,
        (Path(folder) / "said").open("w+b") as said,
    ):
        told = Path(folder) / "cost.json"
        command = [
            sys.executable,
            "-m",
            "tests.bench.peers.programs",
            name,
            json.dumps(options),
            str(told),
        ]
        with start(command, stdin=given, stdout=kept, stderr=said) as process:
            try:
                code = process.wait(MOST_SECONDS)
            finally:
                process.kill()
        if code:
            said.seek(0)
            msg = f"{name} ended with {code}:\n{said.read()[-2000:].decode()}"
            raise RuntimeError(msg)
        return Cost(**json.loads(told.read_bytes()))


def start(
    command: Sequence[str],
    *,
    stdin: Stream = None,
    stdout: Stream = None,
    stderr: Stream = None,
) -> Process | subprocess.Popen[bytes]:
    """Start a program of Python in a process of its own, or fork it while `forking` is on."""
    made = Process if _forking.get() else subprocess.Popen
    env = clean_environment()
    return made(command, cwd=ROOT, env=env, stdin=stdin, stdout=stdout, stderr=stderr)


def run_command(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, folder: Path = ROOT
) -> Cost:
    """Run a command from its call to its end; the start of its interpreter is a part of the cost.

    Raises:
        RuntimeError: when it fails, with the end of what it said.
    """
    before, start = _children_seconds(), time.perf_counter()
    ended = run(command, environment or {}, seconds=MOST_SECONDS, folder=folder)
    seconds = time.perf_counter() - start
    if ended.exit_code:
        msg = f"{command[0]} ended with {ended.exit_code}:\n{ended.output[-2000:]}"
        raise RuntimeError(msg)
    return Cost(seconds, _children_seconds() - before, 0)


def _children_seconds() -> float:
    """Give the seconds of processor of all processes that have ended here, and of their own."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def forking() -> Iterator[None]:
    """Fork the programs while the block runs, which is quicker, and worse to measure."""
    token = _forking.set(True)
    try:
        yield
    finally:
        _forking.reset(token)


@contextmanager
def opened(path: Path | None, mode: str) -> Iterator[IO[Any]]:
    """Open a file, or what holds nothing and keeps nothing."""
    with Path(path or os.devnull).open(mode) as file:
        yield file


def median(costs: list[Cost]) -> Cost:
    """Give the median of each figure."""
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.peak_mb for cost in costs),
    )


def times_as_fast(costs: list[Cost], others: list[Cost]) -> float:
    """Give how many times the speed of others something has: the median of runs taken in turns.

    Each run is held against that beside it, as a machine is not equally fast at all times.
    """
    pairs = zip(costs, others, strict=True)
    return statistics.median(other.cpu / cost.cpu for cost, other in pairs)


def seconds_more(costs: list[Cost], others: list[Cost]) -> float:
    """Give the seconds of processor that something takes more than others: the median, likewise."""
    pairs = zip(costs, others, strict=True)
    return statistics.median(cost.cpu - other.cpu for cost, other in pairs)


def machine() -> str:
    """Say what the figures were measured on, and how much else it had to do."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"{platform.python_implementation()} {platform.python_version()}"
    cores = f"{os.cpu_count()} cores ({_processor()})"
    load = f"load average {os.getloadavg()[2]:.1f} in the last 15 minutes"
    return f"{cores}, {memory:.0f} GB, {platform.system()} {platform.machine()}, {python}, {load}"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unknown"
