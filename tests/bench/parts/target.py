"""The target's speed, next to a stock target on the same SDK and to the floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.bench.measuring import run_program
from tests.bench.results import Goal, Section
from tests.bench.speeds import Speeds
from tests.bench.stage import Size, stage

if TYPE_CHECKING:
    from tests.bench.measuring import Cost
    from tests.bench.stage import Stage

NAME: Final = "target"
SIZE: Final = Size(50_000, 1000)
QUICK: Final = Size(500, 10, 20, 5)
RUNS: Final = 5
HEADS: Final = ["", "findings a second", "by the clock", "times the target", "peak MB"]
LABELS: Final = {
    "target": "`target-ciscovm`",
    "stock-target": "stock SDK target",
    "target-floor json": "floor: json of Python",
    "target-floor msgspec": "floor: msgspec",
}
TOLD: Final = """\
From the lines of all streams of a full sync to checked KDI files, with nothing sent; the median \
of {runs} runs of each, taken in turns. The stock target is a `BatchSink` on the same SDK that \
writes each batch as JSON ([code](../tests/bench/peers/stock_target.py)): it maps nothing and \
joins nothing. The floor decodes the same lines and writes the same KDI entries again, which it \
had before, and does nothing between: with the json module of Python, and with msgspec, which is \
written in C. A target has more to do: findings arrive in any order and must stand in the order \
of their assets, so it puts down what it makes of each and fetches it again; it makes a digest of \
each row, to hold what arrived against what was read; and it decides what is to be done with each \
entry before it writes one. All threads of a program are kept on one core. Speeds are by \
processor time, which other programs on the machine disturb least; ratios are the medians of runs \
that stood side by side."""


def measure(*, quick: bool) -> Section:
    """Run all in turns."""
    size, runs = (QUICK, 1) if quick else (SIZE, RUNS)
    costs: dict[str, list[Cost]] = {name: [] for name in LABELS}
    with stage(size) as platform:
        made = platform.empty("files")
        _run(platform, "target", {"output_path": str(made)})
        for _ in range(runs):
            for name, found in costs.items():
                program, _, library = name.partition(" ")
                options = {"output_path": str(platform.empty(program))}
                if library:
                    options |= {"files": str(made), "library": library}
                found.append(_run(platform, program, options))
    return _section(size, runs, costs)


def _run(platform: Stage, name: str, options: dict[str, Any]) -> Cost:
    return run_program(name, options, source=platform.lines)


def _section(size: Size, runs: int, costs: dict[str, list[Cost]]) -> Section:
    speeds = Speeds(size.findings, costs)
    return Section(
        NAME,
        "Target",
        f"{size}. {TOLD.format(runs=runs)}",
        HEADS,
        speeds.rows(LABELS),
        [
            Goal("times the stock SDK target", speeds.share["stock-target"], least=12),
            Goal("share of the target's floor, json", speeds.share["target-floor json"], least=0.5),
            Goal("share of the target's floor, msgspec", speeds.share["target-floor msgspec"]),
        ],
    )
