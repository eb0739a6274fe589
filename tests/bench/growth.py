"""How time grows with what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.bench.measuring import median, run_program
from tests.bench.results import Curve, Goal, Plot, Section
from tests.bench.stage import Size, stage

NAME: Final = "growth"
RUNS: Final = 3
MOST_UNEVEN: Final = 1.15
TOLD: Final = """\
Seconds of processor, all streams, the median of {runs} runs; each plot moves one size and holds \
the others. Where findings grow, time may grow along, but not faster: the goals are the time per \
finding at the largest size over that at half of it."""
HEADS: Final = ["what grows", "size", "tap, seconds", "target, seconds"]


@dataclass(frozen=True)
class Series:
    """One size that grows while the others stay.

    Attributes:
        across: what it counts.
        sizes: what is counted, and the whole platform.
    """

    name: str
    across: str
    sizes: list[tuple[int, Size]]


FINDINGS: Final = Series(
    "findings",
    "findings",
    [(rows, Size(rows, 500)) for rows in (5_000, 10_000, 20_000, 40_000)],
)
OTHERS: Final = (
    Series(
        "apps",
        "web applications, with 10,000 findings",
        [(apps, Size(10_000, apps)) for apps in (100, 500, 1000, 2000)],
    ),
    Series(
        "per-app",
        "findings of each web application, with 10,000 findings",
        [(10_000 // apps, Size(10_000, apps)) for apps in (100, 10, 2, 1)],
    ),
    Series(
        "qids",
        "QIDs, with 10,000 findings",
        [(qids, Size(10_000, 500, qids)) for qids in (100, 500, 1000, 2000)],
    ),
)
QUICK: Final = Series("findings", "findings", [(500, Size(500, 10, 20, 5))])


def measure(*, quick: bool) -> Section:
    """Run both at each size of each series."""
    runs = 1 if quick else RUNS
    section = Section(NAME, "How time grows", TOLD.format(runs=runs), HEADS, [])
    for series in (QUICK,) if quick else (FINDINGS, *OTHERS):
        points = [(count, *_seconds(size, runs)) for count, size in series.sizes]
        for count, tap, target in points:
            row = [series.across, f"{count:,}", f"{tap:.2f}", f"{target:.2f}"]
            section.rows.append(row)
        curves = [
            Curve("tap", [(count, tap) for count, tap, _ in points]),
            Curve("target", [(count, target) for count, _, target in points]),
        ]
        name, title = f"growth-{series.name}", f"Time against {series.across.partition(',')[0]}"
        section.plots.append(Plot(name, title, series.across, "seconds of processor", curves))
        if series is FINDINGS:
            section.goals.extend(_evenness(curve) for curve in curves)
    return section


def _seconds(size: Size, runs: int) -> tuple[float, float]:
    with stage(size) as platform:
        login = platform.login(platform.play("growth"))
        lines = platform.folder / "lines.jsonl"
        run_program("tap", login, result=lines)
        tap = [run_program("tap", login) for _ in range(runs)]
        target = [
            run_program("target", {"output_path": str(platform.empty("output"))}, source=lines)
            for _ in range(runs)
        ]
    return median(tap).cpu, median(target).cpu


def _evenness(curve: Curve) -> Goal:
    (few, before), (many, after) = curve.points[-2:]
    name = f"{curve.label}: time per finding at {many:,.0f} over that at {few:,.0f}"
    return Goal(name, (after / many) / (before / few), most=MOST_UNEVEN)
