"""Peak memory of each process, and the disk that the target needs, against the findings."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from tests.bench.measuring import run_program
from tests.bench.results import Curve, Goal, Plot, Section
from tests.bench.stage import Size, stage

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

NAME: Final = "memory"
SIZES: Final = (Size(10_000, 1000), Size(100_000, 2000), Size(1_000_000, 10_000, 300, 2000))
QUICK: Final = (Size(1000, 20, 30, 10),)
LOOK_SECONDS: Final = 0.1
MOST_MB: Final = 300
TOLD: Final = """\
A full sync of all streams, the tap reading from the sandbox, the target reading the tap's lines \
from a file and writing checked KDI files. Memory is the most that the process ever had (`VmHWM`), \
interpreter and libraries included. Disk is the most that the target's folder ever held: what \
arrived, and the KDI files made of it."""
HEADS: Final = ["findings", "tap, peak MB", "target, peak MB", "target, peak MB of disk"]


class Watch:
    """Looks at a folder while the block runs.

    Attributes:
        most: bytes that it held at most.
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
            self.most = max(self.most, sum(_size(path) for path in self._folder.rglob("*")))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def measure(*, quick: bool) -> Section:
    """Run both once at each size."""
    found = [(size.findings, *_peaks(size)) for size in (QUICK if quick else SIZES)]
    section = Section(
        NAME,
        "Memory and disk",
        TOLD,
        HEADS,
        [[f"{figure:,.0f}" for figure in row] for row in found],
    )
    rows, tap, target, _ = found[-1]
    section.goals.extend(
        [
            Goal(f"MB of the tap at {rows:,} findings", tap, most=MOST_MB),
            Goal(f"MB of the target at {rows:,} findings", target, most=MOST_MB),
        ]
    )
    curves = [
        Curve(label, [(row[0], row[place]) for row in found])
        for label, place in (("tap", 1), ("target", 2))
    ]
    section.plots.append(Plot("memory", "Memory", "findings", "peak MB", curves))
    return section


def _peaks(size: Size) -> tuple[float, float, float]:
    with stage(size) as platform:
        lines = platform.folder / "lines.jsonl"
        tap = run_program("tap", platform.login(platform.sandbox.qualys_url), result=lines)
        output = platform.empty("output")
        with Watch(output) as watch:
            target = run_program("target", {"output_path": str(output)}, source=lines)
    return tap.peak_mb, target.peak_mb, watch.most / 2**20
