"""How long the commands take that read nothing: their start, beside that of the SDK alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from tests.bench.measuring import median, run_command, seconds_more
from tests.bench.results import Goal, Section
from tests.support.processes import BIN

if TYPE_CHECKING:
    from tests.bench.measuring import Cost

NAME: Final = "starts"
RUNS: Final = 7
MOST_SECONDS: Final = 0.25
PYTHON: Final = "`python -c pass`"
SDK: Final = '`python -c "import singer_sdk"`'
BARE: Final = {
    PYTHON: (sys.executable, "-c", "pass"),
    SDK: (sys.executable, "-c", "import singer_sdk"),
}
OPTIONS: Final = {
    "tap-qualyswas": ("--help", "--version", "--about", "--discover"),
    "target-ciscovm": ("--help", "--version", "--about"),
}
COMMANDS: Final = {
    f"`{plugin} {option}`": (str(BIN / plugin), option)
    for plugin, options in OPTIONS.items()
    for option in options
}
QUICK: Final = "`tap-qualyswas --version`"
HEADS: Final = ["", "seconds by the clock", "seconds of processor", "more than the SDK's import"]
TOLD: Final = """\
From the call of a command to its end, the median of {runs} runs of each, taken in turns. The \
SDK's import is what each plugin on it has to wait for, whatever it does. The last column is by \
processor time, the median of runs that stood side by side."""


def measure(*, quick: bool) -> Section:
    """Start each command in turns."""
    runs = 1 if quick else RUNS
    ours = {QUICK: COMMANDS[QUICK]} if quick else COMMANDS
    costs: dict[str, list[Cost]] = {label: [] for label in (*BARE, *ours)}
    for _ in range(runs):
        for label, found in costs.items():
            found.append(run_command((BARE | ours)[label]))
    more = {label: seconds_more(costs[label], costs[SDK]) for label in costs}
    rows = [_row(label, median(found), more[label]) for label, found in costs.items()]
    goals = [
        Goal(f"seconds of {label} more than the SDK's import", more[label], most=MOST_SECONDS)
        for label in ours
    ]
    told = TOLD.format(runs=runs)
    return Section(NAME, "Starting", told, HEADS, rows, goals)


def _row(label: str, cost: Cost, more: float) -> list[str]:
    last = "" if label in BARE else f"{more:.2f}"
    return [label, f"{cost.seconds:.2f}", f"{cost.cpu:.2f}", last]
