"""Calls to Qualys and what they take under its limits, next to the call patterns of others."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.measuring import run_program
from tests.bench.peers.plain_tap import KINDS
from tests.bench.peers.rivals import RIVALS, Rows, check
from tests.bench.results import Goal, Section
from tests.bench.stage import Size, stage
from tests.bench.waiting import AT_ONCE, in_words, most_at_once, seconds_in_order, wall_seconds
from tests.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.stage import Stage
    from tests.bench.waiting import Call

NAME: Final = "calls"
SMALL: Final = Size(10_000, 1000, 300, 200)
LARGE: Final = Size(1_000_000, 10_000, 300, 2000)
QUICK: Final = Size(300, 20, 30, 10)
CHECKED: Final = Size(1000, 120, 50, 40)
HEADS: Final = ["apps / findings", "pattern", "full", "takes", "incremental", "takes"]
MOST_FULL: Final = 34
MOST_INCREMENTAL: Final = 13
MOST_SECONDS: Final = 20
ANSWER_SECONDS: Final = 0.3
"""How long each answer takes while the order of calls is recorded: far longer than what the tap
does between two of them."""
TOLD: Final = """\
The tap's calls are those that the sandbox counted: in a full sync, and in the incremental one of \
the next day, on which some 2% of the findings have changed. The others read the same rows; each \
is a small client of the sandbox ([code](../tests/bench/peers/rivals.py)) that was run at \
{checked} to see that the formula counts what it does. They ask again for all web applications \
every day, and only for findings that have changed. The time is computed, not slept: one second a \
call, two at once, at most 300 in any hour, as Qualys documents them. That is the least, as a call \
may need what another one brought. So a full sync of the tap is also read from a server that takes \
its time and records when each call begins and ends. The goal of seconds is for these calls in \
their order, one second each: none begins before all those that had ended before it."""


@dataclass(frozen=True)
class Day:
    """One sync: calls of the tap, and what was there to read for anybody.

    Attributes:
        recorded: the calls of another sync of the same, with their times; none where not recorded.
    """

    calls: int
    rows: Rows
    recorded: Sequence[Call] = ()


def measure(*, quick: bool) -> Section:
    """Count the tap's calls at both sizes, and the others' by their formulas."""
    with _sandbox(QUICK if quick else CHECKED) as sandbox:
        check(sandbox)
    section = Section(NAME, "Calls to Qualys", TOLD.format(checked=CHECKED), HEADS, [])
    for size in (QUICK,) if quick else (SMALL, LARGE):
        full, incremental = _two_days(size)
        section.rows.extend(_rows(size, full, incremental))
        section.goals.extend(_goals(size, full, incremental))
    return section


def _sandbox(size: Size) -> Sandbox:
    return Sandbox(apps=size.apps, findings=size.findings, qids=size.qids, scans=size.scans)


def _two_days(size: Size) -> tuple[Day, Day]:
    with stage(size) as platform:
        sandbox, lines = platform.sandbox, platform.folder / "lines.jsonl"
        recorded = [] if size == LARGE else _recorded(platform)
        login = platform.login(sandbox.qualys_url)
        days = []
        for number in (1, 2):
            sandbox.qualys_requests.clear()
            run_program("tap", login, result=lines)
            changed, state = _read(lines)
            apps = len(sandbox.world.apps)
            rows = Rows(apps, tuple(changed[kind] for kind in KINDS))
            days.append(Day(sandbox.qualys_requests.total(), rows, recorded))
            if number == 1:
                login = {**login, "state": state}
                sandbox.next_day()
    return days[0], days[1]


def _recorded(platform: Stage) -> list[Call]:
    """Give the calls of a full sync whose answers take their time."""
    run_program("tap", platform.login(platform.play(NAME, ANSWER_SECONDS)))
    return platform.calls(NAME)


def _read(lines: Path) -> tuple[Counter[str], object]:
    """Give the findings that were written, by type, and the last state."""
    found: Counter[str] = Counter()
    state: object = None
    with lines.open("rb") as file:
        for line in file:
            if line.startswith(b'{"type":"RECORD","stream":"findings"'):
                found[json.loads(line)["record"]["type"]] += 1
            elif line.startswith(b'{"type":"STATE"'):
                state = json.loads(line)["value"]
    return found, state


def _rows(size: Size, full: Day, incremental: Day) -> list[list[str]]:
    patterns = [("`tap-qualyswas`", full.calls, incremental.calls)]
    patterns += [
        (rival.label, rival.formula(full.rows), rival.formula(incremental.rows)) for rival in RIVALS
    ]
    return [
        [
            f"{size.apps:,} / {size.findings:,}",
            label,
            f"{whole:,}",
            in_words(wall_seconds(whole)),
            f"{daily:,}",
            in_words(wall_seconds(daily)),
        ]
        for label, whole, daily in patterns
    ]


def _goals(size: Size, full: Day, incremental: Day) -> list[Goal]:
    named = f"{size.apps:,} / {size.findings:,}"
    if size == LARGE:
        formula = (
            size.findings / 1000
            + size.qids / 100
            + size.qids / 250
            + size.apps / 500
            + size.scans / 500
        )
        return [Goal(f"calls of a full sync, {named}", full.calls, most=1.1 * formula + 30)]
    return [
        Goal(f"calls of a full sync, {named}", full.calls, most=MOST_FULL),
        Goal(
            f"seconds of a full sync in the order of its calls, {named}",
            seconds_in_order(full.recorded),
            most=MOST_SECONDS,
        ),
        Goal("calls at once in it", most_at_once(full.recorded), most=AT_ONCE),
        Goal(f"calls of an incremental sync, {named}", incremental.calls, most=MOST_INCREMENTAL),
    ]
