"""Three days of both plugins and of Cisco's toolkit, and what is wrong in the tenant after them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.bench.measuring import run_program
from tests.bench.peers.toolkit import Toolkit, identifier
from tests.bench.results import Goal, Section
from tests.bench.stage import Size
from tests.bench.waiting import LATENCY, in_words, wall_seconds
from tests.sandbox.faults.switches import Switches
from tests.sandbox.oracle.sight import finding_of
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.world.model import Finding

NAME: Final = "toolkit"
SIZE: Final = Size(10_000, 1000)
QUICK: Final = Size(700, 20, 30, 10)
DAYS: Final = 3
LARGE_PAGE: Final = 1000
MB: Final = 2**20
Scope = Literal["run", "file"]
SCOPES: Final[dict[Scope, str]] = {"run": "at the run", "file": "at each file"}
OURS: Final = "`tap-qualyswas` and `target-ciscovm`"
TOOLKIT: Final = "Cisco's toolkit (pattern)"
TOLD: Final = """\
{size}; three days, all of them calm: 2% of the web applications are scanned each day, and what \
is found, fixed or found again there is all that changes.

The toolkit's rows are of a re-enactment, measured here: a small program of ours \
([code](../tests/bench/peers/toolkit.py)) makes the calls and the files of the task `qualys_was` \
of Cisco's public toolkit, call by call and file by file. It reads all findings every day, \
verbose, by pages of 100 (its default), and asks the knowledge base after each page. It cuts its \
load into files of some 500 findings with auto-close on, starts one run of them all, and looks \
every 20 seconds whether the run is over. Our two plugins read the same world in another sandbox: \
a full sync on the first day, then incremental ones.

Cisco does not say whether auto-close looks at all files of a run or at each file, so both are \
shown. Where it looks at the whole run, the toolkit's tenant is right on days like these. Where \
it looks at each file, it closes what stands in another file of the run. Our target closes by \
name and never by auto-close, so the answer does not matter to it. The world has no PROTECTED \
finding and none that was ignored without a reason: the toolkit stops at the first of either. \
Deletions and edits by people are left out as well: the toolkit reads everything and sees them \
the next day, our incremental syncs do not ([what they cannot \
see](limits.md#what-an-incremental-sync-cannot-see)).

Wrongly closed is what is open in Qualys and closed in CVM; lost, what is open in Qualys and was \
never loaded; wrongly open, what is open in CVM and fixed or gone in Qualys. MB are those of the \
answers, not compressed: JSON for the toolkit and XML for ours, as they ask for it. The times are \
computed as above, one second a call: ours are the least that so many calls take, two at once; \
the toolkit makes one call after the other. They are those of reading, without the waits for CVM. \
Processor time is not compared: the toolkit is written in Ruby, and its re-enactment is not."""
HEADS: Final = [
    "",
    "auto-close looks",
    f"calls to Qualys, days 1–{DAYS}",
    "MB from Qualys",
    "reading takes",
    "wrongly closed",
    "lost",
    "wrongly open",
]


@dataclass
class Days:
    """What a pattern did, day by day, and how the tenant stood at the end.

    Attributes:
        wrong: entries wrongly closed, lost, and wrongly open.
    """

    calls: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    wrong: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Case:
    """One row: a pattern, and what CVM's auto-close looks at.

    Attributes:
        page: of the toolkit; 0 for our two plugins.
    """

    label: str
    scope: Scope
    page: int = 0

    def row(self, days: Days) -> list[str]:
        """Give the row of the table."""
        return [
            self.label,
            SCOPES[self.scope],
            _each(f"{calls:,}" for calls in days.calls),
            _each(f"{size / MB:.1f}" for size in days.sizes),
            _each(in_words(self._seconds(calls)) for calls in days.calls),
            *(f"{number:,}" for number in days.wrong),
        ]

    def _seconds(self, calls: int) -> float:
        least = wall_seconds(calls)
        return max(least, calls * LATENCY) if self.page else least


CASES: Final = (
    Case(OURS, "run"),
    Case(OURS, "file"),
    Case(TOOLKIT, "run", 100),
    Case(TOOLKIT, "file", 100),
    Case(f"{TOOLKIT}, page size {LARGE_PAGE:,}", "run", LARGE_PAGE),
)


def measure(*, quick: bool) -> Section:
    """Live the same days with each."""
    size = QUICK if quick else SIZE
    section = Section(NAME, "Beside Cisco's toolkit", TOLD.format(size=size), HEADS, [])
    for case in CASES[1:4:2] if quick else CASES:
        days = _toolkit_days(size, case) if case.page else _own_days(size, case)
        section.rows.append(case.row(days))
        if not case.page:
            told = f"entries of ours that are wrong, auto-close looking {SCOPES[case.scope]}"
            section.goals.append(Goal(told, sum(days.wrong), most=0))
    return section


def _toolkit_days(size: Size, case: Case) -> Days:
    with calm_sandbox(size, case.scope) as sandbox:
        toolkit = Toolkit(sandbox, case.page)
        days = _live(sandbox, toolkit.run)
        days.wrong = wrong_of_toolkit(sandbox)
    return days


def _own_days(size: Size, case: Case) -> Days:
    with (
        calm_sandbox(size, case.scope) as sandbox,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
    ):
        days = _live(sandbox, _Pair(sandbox, Path(folder)).run)
        days.wrong = wrong(sandbox, World.unique_id, finding_of)
    return days


def calm_sandbox(size: Size, scope: Scope) -> Sandbox:
    """Give a sandbox, not yet entered, without what the toolkit stops at."""
    # CVM answers at once, which changes nothing of what it does.
    switches = Switches(autoclose_scope=scope, rate_limit=0, run_seconds=0)
    sandbox = Sandbox(
        apps=size.apps,
        findings=size.findings,
        qids=size.qids,
        scans=size.scans,
        switches=switches,
    )
    for finding in sandbox.world.all_findings():
        if finding.status == "PROTECTED":
            finding.status = "ACTIVE"
    return sandbox


def _live(sandbox: Sandbox, run: Callable[[], None]) -> Days:
    days = Days()
    log = sandbox.face.log
    for number in range(DAYS):
        if number:
            sandbox.next_day(turbulent=False)
        start = len(log)
        run()
        days.calls.append(len(log) - start)
        days.sizes.append(sum(logged.size for logged in log[start:]))
    return days


class _Pair:
    """Our two plugins with what they keep from day to day."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._lines, self._states = folder / "lines.jsonl", folder / "states.jsonl"
        self._tap: dict[str, Any] = {
            "api_url": sandbox.qualys_url,
            "username": sandbox.username,
            "password": sandbox.password,
        }
        self._target: dict[str, Any] = {
            "api_url": sandbox.ciscovm_url,
            "api_key": sandbox.api_key,
            "connector_id": sandbox.connector_id,
            "output_path": str(folder),
            "poll_seconds": 1,
        }

    def run(self) -> None:
        """Run the tap, then the target, and keep its last state."""
        run_program("tap", self._tap, result=self._lines)
        run_program("target", self._target, source=self._lines, result=self._states)
        self._tap["state"] = json.loads(self._states.read_bytes().splitlines()[-1])


def wrong(
    sandbox: Sandbox, name_in: Callable[[World, Finding], str], name_of: Callable[[Held], str]
) -> tuple[int, int, int]:
    """Count what is wrongly closed, lost, and wrongly open in the tenant.

    Args:
        sandbox: whose world is what Qualys shows.
        name_in: what a pattern calls a finding of that world.
        name_of: the same of an entry.
    """
    world, held = sandbox.world, sandbox.tenant.held(sandbox.connector_id)
    there = {name_in(world, finding) for finding in world.all_findings() if finding.open}
    known = {name_of(entry) for entry in held}
    shown = {name_of(entry) for entry in held if entry.is_open}
    return len((there & known) - shown), len(there - known), len(shown - there)


def wrong_of_toolkit(sandbox: Sandbox) -> tuple[int, int, int]:
    """Count what is wrong in a tenant that the toolkit has loaded."""
    return wrong(
        sandbox,
        lambda _, finding: identifier(finding.qid.qid, finding.id),
        lambda entry: entry.scanner_identifier,
    )


def _each(cells: Iterable[str]) -> str:
    return " · ".join(cells)
