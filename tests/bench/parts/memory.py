"""Peak memory of each process, and the disk that the target needs, against the findings."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.measuring import run_program
from tests.bench.results import Curve, Goal, Plot, Section
from tests.bench.stage import Size, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

NAME: Final = "memory"
SIZES: Final = (Size(10_000, 1000), Size(100_000, 2000), Size(1_000_000, 10_000, 300, 2000))
QUICK: Final = (Size(500, 10, 20, 5),)
LOOK_SECONDS: Final = 0.1
MOST_MB: Final = 150
MOST_DISK: Final = 1.5
MB: Final = 2**20
DISK, FILES = 3, 4
TOLD: Final = """\
A full sync of all streams, the tap reading from the sandbox, the target reading the tap's lines \
from a file and writing checked KDI files. Memory is the most that the process ever had \
(`VmHWM`), interpreter and libraries included. Disk is the most that the target's folder ever \
held: what arrived, the KDI files made of it and all else, and where the system tells, the files \
besides that have no name any more, such as SQLite makes to sort. Files alone are written, so \
there is no ledger; it stays from run to run and is no part of these figures."""
HEADS: Final = [
    "findings",
    "tap, peak MB",
    "target, peak MB",
    "target, peak MB of disk",
    "MB of KDI files",
    "disk, times the files",
]


class Watch:
    """Looks at a folder while the block runs, and at what this process's children have besides.

    Attributes:
        most: bytes that there were at most.
    """

    def __init__(self, folder: Path) -> None:
        self.most = 0
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            named = sum(_size(path) for path in self._folder.rglob("*"))
            self.most = max(self.most, named + sum(map(_size, _nameless_files())))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _nameless_files() -> Iterator[Path]:
    """Give the files that children of this process have open and that were removed already."""
    with suppress(OSError):  # a thread, a process or a file that has ended meanwhile
        for told in Path("/proc/self/task").glob("*/children"):
            for child in told.read_text(encoding="ascii").split():
                for descriptor in Path(f"/proc/{child}/fd").glob("*"):
                    if str(descriptor.readlink()).endswith(" (deleted)"):
                        yield descriptor


def measure(*, quick: bool) -> Section:
    """Run both once at each size."""
    found = [(size.findings, *_peaks(size)) for size in (QUICK if quick else SIZES)]
    section = Section(
        NAME,
        "Memory and disk",
        TOLD,
        HEADS,
        [[*(f"{figure:,.0f}" for figure in row), f"{row[DISK] / row[FILES]:.2f}"] for row in found],
    )
    rows, tap, target, disk, files = found[-1]
    section.goals.extend(
        [
            Goal(f"MB of the tap at {rows:,} findings", tap, most=MOST_MB),
            Goal(f"MB of the target at {rows:,} findings", target, most=MOST_MB),
            Goal(
                f"disk of the target at {rows:,} findings, times its KDI files",
                disk / files,
                most=MOST_DISK,
            ),
        ]
    )
    curves = [
        Curve(label, [(row[0], row[place]) for row in found])
        for label, place in (("tap", 1), ("target", 2))
    ]
    section.plots.append(Plot("memory", "Memory", "findings", "peak MB", curves))
    return section


def _peaks(size: Size) -> tuple[float, float, float, float]:
    """Give the MB of the tap, of the target, of the target's disk and of its KDI files."""
    with stage(size) as platform:
        lines = platform.folder / "lines.jsonl"
        tap = run_program("tap", platform.login(platform.sandbox.qualys_url), result=lines)
        output = platform.empty("output")
        with Watch(output) as watch:
            target = run_program("target", {"output_path": str(output)}, source=lines)
        files = sum(_size(path) for path in output.rglob("kdi-*.json"))
    return tap.peak_mb, target.peak_mb, watch.most / MB, files / MB
