"""The tap's speed, next to a plain tap on the same SDK and to the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.measuring import run_program
from tests.bench.results import Goal, Section
from tests.bench.speeds import Speeds
from tests.bench.stage import Size, stage

if TYPE_CHECKING:
    from tests.bench.measuring import Cost

NAME: Final = "tap"
SIZE: Final = Size(20_000, 1000)
QUICK: Final = Size(500, 10, 20, 5)
RUNS: Final = 7
LABELS: Final = {
    "tap": "`tap-qualyswas`",
    "plain-tap": "plain SDK tap",
    "tap-floor": "floor: lxml and msgspec",
}
HEADS: Final = ["", "findings a second", "by the clock", "times the tap", "peak MB"]
TOLD: Final = """\
Lean findings, read from a server of its own process that plays pages rendered beforehand, and \
written to nowhere; the median of {runs} runs of each, taken in turns. The plain tap is a \
`RESTStream` of the same schema on the same SDK ([code](../tests/bench/peers/plain_tap.py)): the \
same pages of 1,000, lxml as well, and all else as the SDK does it. The floor reads each element \
of the same bytes from a tree of lxml and writes the same lines with msgspec, and does nothing \
else. All threads of a program are kept on one core. Speeds are by processor time, which other \
programs on the machine disturb least; ratios are the medians of runs that stood side by side. \
The tap reads with two threads, so it waits less than the plain one does."""


def measure(*, quick: bool) -> Section:
    """Run the three in turns."""
    size, runs = (QUICK, 1) if quick else (SIZE, RUNS)
    costs: dict[str, list[Cost]] = {name: [] for name in LABELS}
    with stage(size) as platform:
        login = {name: platform.login(platform.play(name)) for name in ("tap", "plain-tap")}
        login["tap"]["streams"] = ["findings"]
        lines = platform.folder / "findings.jsonl"
        run_program("tap", login["tap"], result=lines)
        if not quick:
            run_program("plain-tap", login["plain-tap"])
        floor = {"pages": str(platform.pages("tap")), "lines": str(lines)}
        for _ in range(runs):
            costs["tap"].append(run_program("tap", login["tap"]))
            costs["plain-tap"].append(run_program("plain-tap", login["plain-tap"]))
            costs["tap-floor"].append(run_program("tap-floor", floor))
    return _section(size, runs, costs)


def _section(size: Size, runs: int, costs: dict[str, list[Cost]]) -> Section:
    speeds = Speeds(size.findings, costs)
    return Section(
        NAME,
        "Tap",
        f"{size}. {TOLD.format(runs=runs)}",
        HEADS,
        speeds.rows(LABELS),
        [
            Goal("times the plain SDK tap", speeds.share["plain-tap"], least=3.5),
            Goal("share of the tap's floor", speeds.share["tap-floor"], least=0.6),
        ],
    )
