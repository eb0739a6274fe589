"""COMMAND run once for each day of the world, and a report of each day."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.sandbox.command.plugins import with_plugins
from tests.sandbox.faults import victims

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence
    from pathlib import Path

    from tests.sandbox.command.home import Home
    from tests.sandbox.command.plugins import Command
    from tests.sandbox.sandbox import Sandbox


@dataclass(frozen=True)
class Day:
    """One day as `--report` tells it.

    Attributes:
        exit_code: of COMMAND; 128 and the signal's number when a signal ended it.
        equal: whether the tenant holds what the world is, as far as the syncs could see.
        wrongly_closed: findings that are open in the world and no longer in the tenant.
        wrongly_open: findings open in the tenant that are fixed or gone in the world.
        seconds: how long COMMAND took, in real seconds.
    """

    exit_code: int
    qualys_requests: dict[str, int]
    ciscovm_requests: dict[str, int]
    world: dict[str, int]
    tenant: dict[str, int]
    equal: bool
    wrongly_closed: int
    wrongly_open: int
    seconds: float


def run_day(sandbox: Sandbox, home: Home, command: Command, line: Sequence[str]) -> Day:
    """Run a command line for the sandbox's present day, with its faults, and judge what it did."""
    _change_state(sandbox, home)
    if sys.platform != "linux" and sandbox.faults.take("disk-full"):
        line = victims.with_file_limit(line)
    before = sandbox.qualys_requests.copy(), sandbox.ciscovm_requests.copy()
    started = time.monotonic()
    exit_code = command.run(line, environment(sandbox, home))
    seconds = time.monotonic() - started
    # A run that COMMAND left behind in CVM ends before the day does.
    sandbox.clock.advance(timedelta(seconds=sandbox.switches.run_seconds))
    found = sandbox.settle(exit_code)
    return Day(
        exit_code=exit_code,
        qualys_requests=_since(sandbox.qualys_requests, before[0]),
        ciscovm_requests=_since(sandbox.ciscovm_requests, before[1]),
        world=sandbox.world.counts(),
        tenant=sandbox.tenant.summary(sandbox.connector_id),
        equal=found.equal,
        wrongly_closed=len(found.wrongly_closed),
        wrongly_open=len(found.wrongly_open),
        seconds=round(seconds, 3),
    )


def _change_state(sandbox: Sandbox, home: Home) -> None:
    """Carry out the faults of Meltano's state, and note the state that this day begins with."""
    if sandbox.faults.take("state-lost"):
        home.forget_state()
    if sandbox.faults.take("state-old"):
        home.turn_state_back()
    home.note_state()


def environment(sandbox: Sandbox, home: Home) -> dict[str, str]:
    """Return COMMAND's environment: the caller's defaults stand, the six variables are ours."""
    return {**home.defaults(), **with_plugins(os.environ), **sandbox.env}


def _since(now: Counter[str], before: Counter[str]) -> dict[str, int]:
    return dict(sorted((now - before).items()))


def write_report(days: Sequence[Day], path: Path) -> None:
    """Write the days as JSON."""
    path.write_text(json.dumps({"days": [asdict(day) for day in days]}, indent=2) + "\n")


def table(days: Sequence[Day], first: int) -> list[str]:
    """Return one line for each day, `first` being the number of the first one in its world."""
    heads = (
        "day",
        "exit",
        "calls to Qualys / CVM",
        "world open / fixed",
        "tenant open / closed",
        "assets",
        "equal",
        "wrongly closed / open",
        "seconds",
    )
    rows = [_cells(day, first + place) for place, day in enumerate(days)]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (heads, *rows)
    ]


def _cells(day: Day, number: int) -> tuple[str, ...]:
    return (
        str(number),
        str(day.exit_code),
        f"{sum(day.qualys_requests.values())} / {sum(day.ciscovm_requests.values())}",
        f"{day.world['open']} / {day.world['fixed']}",
        f"{day.tenant['open']} / {day.tenant['closed']}",
        str(day.tenant["assets"]),
        "yes" if day.equal else "no",
        f"{day.wrongly_closed} / {day.wrongly_open}",
        f"{day.seconds:.1f}",
    )
