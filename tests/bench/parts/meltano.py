"""`meltano run` of the demo world, beside a `meltano run` of what the SDK alone gives."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from tests.bench.measuring import median, run_command
from tests.bench.peers.meltano_project import MELTANO, write_project
from tests.bench.results import Goal, Section
from tests.bench.stage import Size, stage
from tests.sandbox.world.size import WorldSize
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.measuring import Cost
    from tests.bench.stage import Stage

NAME: Final = "meltano"
SIZE: Final = Size(WorldSize.findings, WorldSize.apps, WorldSize.qids, WorldSize.scans)
RUNS: Final = 5
MOST_TIMES: Final = 1.3
OURS: Final = ("tap-qualyswas", "target-ciscovm")
PLAIN: Final = ("plain-tap", "stock-target")
LABELS: Final = {
    OURS: "`meltano run tap-qualyswas target-ciscovm`",
    PLAIN: "`meltano run` of the plain SDK tap and the stock SDK target",
}
HEADS: Final = ["", "seconds by the clock", "seconds of processor", "times the other"]
TOLD: Final = """\
The world of the demo: {size}. From the call of the command to its end, the median of {runs} runs \
of each, taken in turns, each with `--full-refresh`, Meltano's database and catalogs being there \
already. Both read from servers that play pages rendered beforehand, and write files; nothing is \
sent. The plain tap reads findings alone, and the stock target writes them as they come \
([code](../tests/bench/peers/meltano_project.py)); ours read all usual streams and the knowledge \
base, join them, prove what they read, and write the report. Most of the time is the start of \
Meltano itself, which also looks up each setting that a plugin declares. All declare what their \
`--about` lists: some ninety settings of ours, some twenty of theirs. The last column is by the \
clock, the median of runs that stood side by side."""


def measure(*, quick: bool) -> Section:
    """Run both projects in turns; a quick look takes the plain one, and a shell for Meltano."""
    runs = 1 if quick else RUNS
    pairs = (PLAIN,) if quick else (OURS, PLAIN)
    costs: dict[tuple[str, str], list[Cost]] = {pair: [] for pair in pairs}
    with stage(SIZE) as platform:
        commands = {pair: _Command(platform, pair, through_meltano=not quick) for pair in pairs}
        if not quick:
            for command in commands.values():
                command.run()  # renders the pages; Meltano makes its database and catalogs
        for _ in range(runs):
            for pair, command in commands.items():
                costs[pair].append(command.run())
    return _section(runs, costs)


class _Command:
    """A run of one pair of plugins, in the project that has them.

    Args:
        platform: that is read.
        pair: of plugins.
        through_meltano: by `meltano run`; else by a pipe of the shell.
    """

    def __init__(self, platform: Stage, pair: tuple[str, str], *, through_meltano: bool) -> None:
        self._platform = platform
        self._pair = pair
        self._database = platform.empty(f"database-{pair[0]}") / "meltano.db"
        self._folder = self._project()
        self._url = platform.play(pair[0])
        pipe = " | ".join(f"{self._folder}/{plugin} --config ENV" for plugin in pair)
        self._command = ("bash", "-o", "pipefail", "-c", pipe)
        if through_meltano:
            self._command = (*MELTANO, "run", "--full-refresh", *pair)

    def _project(self) -> Path:
        if self._pair == OURS:
            return ROOT
        folder = self._platform.empty("project")
        write_project(folder)
        return folder

    def run(self) -> Cost:
        """Run it once, into an empty folder."""
        tap, target = (name.upper().replace("-", "_") for name in self._pair)
        environment = {
            f"{tap}_API_URL": self._url,
            f"{tap}_USERNAME": self._platform.sandbox.username,
            f"{tap}_PASSWORD": self._platform.sandbox.password,
            f"{target}_OUTPUT_PATH": str(self._platform.empty("output")),
            "MELTANO_DATABASE_URI": f"sqlite:///{self._database}",
        }
        return run_command(self._command, environment, folder=self._folder)


def _section(runs: int, costs: dict[tuple[str, str], list[Cost]]) -> Section:
    told = TOLD.format(size=SIZE, runs=runs)
    section = Section(NAME, "The demo through Meltano", told, HEADS, [])
    for pair, found in costs.items():
        cost, times = median(found), _times(found, costs[PLAIN])
        figures = (f"{cost.seconds:.1f}", f"{cost.cpu:.1f}", f"{times:.2f}")
        section.rows.append([LABELS[pair], *figures])
    if OURS in costs:
        times = _times(costs[OURS], costs[PLAIN])
        section.goals.append(
            Goal("times a `meltano run` of the plain SDK plugins", times, most=MOST_TIMES)
        )
    return section


def _times(costs: list[Cost], others: list[Cost]) -> float:
    pairs = zip(costs, others, strict=True)
    return statistics.median(cost.seconds / other.seconds for cost, other in pairs)
