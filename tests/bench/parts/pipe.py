"""The whole way through `meltano run`, and how much of it is Meltano."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from tests.bench.measuring import run_command, run_program
from tests.bench.results import Section
from tests.bench.stage import Size, stage
from tests.pair.commands import MELTANO_RUN
from tests.support.processes import BIN

if TYPE_CHECKING:
    from tests.bench.stage import Stage

NAME: Final = "pipe"
SIZE: Final = Size(40_000, 1000)
QUICK: Final = Size(500, 10, 20, 5)
RUNS: Final = 3
TOLD: Final = """\
A full sync of all streams, from a server of pages rendered beforehand to checked KDI files; the \
median of {runs} runs, each from the call of the command to its end. What Meltano adds is mostly \
its own start."""


def measure(*, quick: bool) -> Section:
    """Run Meltano, and the same two commands in a pipe of the shell."""
    size, runs = (QUICK, 1) if quick else (SIZE, RUNS)
    piped: list[float] = []
    through: list[float] = []
    with stage(size) as platform:
        url = platform.play("pipe")
        run_program("tap", platform.login(url))
        for _ in range(runs):
            piped.append(_seconds(platform, url, ("bash", "-o", "pipefail", "-c", _PIPE)))
            # Meltano takes seconds to start, which a quick look need not wait for.
            if not quick:
                through.append(_seconds(platform, url, MELTANO_RUN))
    rows = [_row("tap and target in a pipe of the shell", size, piped)]
    rows += [_row("`meltano run`", size, through)] if through else []
    told = f"{size}. {TOLD.format(runs=runs)}"
    return Section(NAME, "The whole way", told, ["", "seconds", "findings a second"], rows)


_PIPE: Final = f"{BIN}/tap-qualyswas --config ENV | {BIN}/target-ciscovm --config ENV"


def _seconds(platform: Stage, url: str, command: tuple[str, ...]) -> float:
    environment = {
        "TAP_QUALYSWAS_API_URL": url,
        "TAP_QUALYSWAS_USERNAME": platform.sandbox.username,
        "TAP_QUALYSWAS_PASSWORD": platform.sandbox.password,
        "TARGET_CISCOVM_OUTPUT_PATH": str(platform.empty("output")),
        "MELTANO_DATABASE_URI": f"sqlite:///{platform.empty('meltano')}/meltano.db",
    }
    return run_command(command, environment).seconds


def _row(label: str, size: Size, seconds: list[float]) -> list[str]:
    middle = statistics.median(seconds)
    return [label, f"{middle:.1f}", f"{size.findings / middle:,.0f}"]
