"""How time grows with what there is."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.bench.measuring import median, run_program, times_as_fast
from tests.bench.results import Curve, Goal, Plot, Section
from tests.bench.stage import Size, stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.measuring import Cost
    from tests.bench.stage import Stage

NAME: Final = "growth"
RUNS: Final = 5
RUNS_WITHOUT_GOAL: Final = 3
MOST_UNEVEN: Final = 1.15
TOLD: Final = """\
Seconds of processor, all streams, the median of {runs} runs where findings grow and of {fewer} \
elsewhere, the sizes of a plot in turns; each plot moves one size and holds the others. Where \
findings grow, time may grow along, but not faster: the goals are the time per finding at the \
largest size over that at half of it, the median of runs side by side."""
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
        [(apps, Size(10_000, apps)) for apps in (100, 500, 2000)],
    ),
    Series(
        "per-app",
        "findings of each web application, with 10,000 findings",
        [(10_000 // apps, Size(10_000, apps)) for apps in (100, 10, 1)],
    ),
    Series(
        "qids",
        "QIDs, with 10,000 findings",
        [(qids, Size(10_000, 500, qids)) for qids in (100, 500, 2000)],
    ),
)
QUICK: Final = Series("findings", "findings", [(500, Size(500, 10, 20, 5))])


@dataclass
class Point:
    """One size of a series, and what it cost in each round.

    Attributes:
        count: what is counted along the plot.
    """

    count: int
    stage: Stage
    login: dict[str, Any]
    lines: Path
    costs: dict[str, list[Cost]] = field(default_factory=lambda: {"tap": [], "target": []})

    def run(self) -> None:
        """Run both once more."""
        self.costs["tap"].append(run_program("tap", self.login))
        options = {"output_path": str(self.stage.empty("output"))}
        self.costs["target"].append(run_program("target", options, source=self.lines))


def measure(*, quick: bool) -> Section:
    """Run both at each size of each series, the sizes of a series in turns."""
    told = TOLD.format(runs=RUNS, fewer=RUNS_WITHOUT_GOAL)
    section = Section(NAME, "How time grows", told, HEADS, [])
    for series in (QUICK,) if quick else (FINDINGS, *OTHERS):
        runs = RUNS if series is FINDINGS else RUNS_WITHOUT_GOAL
        points = _points(series, 1 if quick else runs)
        seconds = [{name: median(costs).cpu for name, costs in one.costs.items()} for one in points]
        for point, found in zip(points, seconds, strict=True):
            row = [series.across, f"{point.count:,}", *(f"{found[name]:.2f}" for name in found)]
            section.rows.append(row)
        curves = [
            Curve(name, [(one.count, two[name]) for one, two in zip(points, seconds, strict=True)])
            for name in points[0].costs
        ]
        name, title = f"growth-{series.name}", f"Time against {series.across.partition(',')[0]}"
        section.plots.append(Plot(name, title, series.across, "seconds of processor", curves))
        if series is FINDINGS:
            section.goals.extend(_evenness(name, *points[-2:]) for name in points[0].costs)
    return section


def _points(series: Series, runs: int) -> list[Point]:
    with ExitStack() as stack:
        points = []
        for count, size in series.sizes:
            platform = stack.enter_context(stage(size))
            login = platform.login(platform.play("growth"))
            lines = platform.folder / "lines.jsonl"
            run_program("tap", login, result=lines)  # renders the pages as well
            points.append(Point(count, platform, login, lines))
        for _ in range(runs):
            for point in points:
                point.run()
    return points


def _evenness(name: str, few: Point, many: Point) -> Goal:
    told = f"{name}: time per finding at {many.count:,} over that at {few.count:,}"
    times = times_as_fast(few.costs[name], many.costs[name])
    return Goal(told, times * few.count / many.count, most=MOST_UNEVEN)
