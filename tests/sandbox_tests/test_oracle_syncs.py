"""The judge knows what each sync could see: its mode, its faults, where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.oracle.reads import kinds_read, read_everything
from tests.sandbox.oracle.sight import GARBLED, place_by_url
from tests.sandbox.qualys.face import Logged
from tests.sandbox.qualys.search.criteria import Criterion
from tests.sandbox.sandbox import DAY, Sandbox
from tests.sandbox.world.model import FINDING_TYPES, SENSITIVE_CONTENT, VULNERABILITY, Tag
from tests.sandbox_tests.loads import JSON, Caller, document, finding, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.oracle.oracle import Comparison
    from tests.sandbox.world.model import Finding


MOVED = "https://moved.example.test/"


class Bench:
    """A world, and a tenant that a right first sync has filled.

    Attributes:
        victim: an open vulnerability.
        name: its UUID.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.world = sandbox, sandbox.world
        self.victim = next(one for one in self.world.findings[VULNERABILITY] if one.open)
        self.name = self.world.unique_id(self.victim)

    def load(self, *, without: Finding | None = None) -> None:
        """Load what is open now, closing by absence; perhaps without one."""
        assets: dict[str, JSON] = {}
        for found in self.world.all_findings():
            url = place_by_url(found)
            asset = assets.setdefault(url, {"url": url, "vulns": [], "tags": []})
            tags = {found.app.name, *(tag.name for tag in found.app.tags)}
            asset["tags"] = sorted({*asset["tags"], *tags})
            if found.open and found is not without:
                name = self.world.unique_id(found)
                asset["vulns"].append(vuln(name, scanner_score=found.severity))
        Caller(self.sandbox).load(document(*assets.values()))

    def load_at(self, url: str, name: str = "", **changes: object) -> None:
        """Load the victim (or another one) alone at a page; nothing else is closed or changed."""
        app = self.victim.app
        tags = sorted({app.name, *(tag.name for tag in app.tags)})
        told = vuln(name or self.name, **{"scanner_score": self.victim.severity, **changes})
        there: JSON = {"url": url, "vulns": [told], "tags": tags}
        Caller(self.sandbox).load(document(there, skip_autoclose=True))

    def pass_day(self) -> None:
        """Let a day pass on which nothing happens by itself."""
        self.world.day += 1
        self.sandbox.clock.advance(DAY)
        self.sandbox.begin()

    def walk(self, *kinds: str) -> None:
        """Note requests as of a tap that reads these types from the first id on."""
        since = ("lastTestedDate", "GREATER", "2026-01-01T00:00:00Z")
        self.sandbox.face.log += [asked(kind, since) for kind in kinds]

    def settle(self, *, full: bool | None = True, exit_code: int = 0) -> Comparison:
        return self.sandbox.settle(exit_code, full=full)


def asked(kind: str, *criteria: tuple[str, str, str], status: int = 200) -> Logged:
    every = (("type", "EQUALS", kind), *criteria)
    found = tuple(Criterion(*one) for one in every)
    return Logged("POST", "search/was/finding", 0, criteria=found, status=status)


def differences(found: Comparison) -> dict[str, list[str]]:
    return {name: uids for name, uids in vars(found).items() if uids}


@pytest.fixture
def bench() -> Iterator[Bench]:
    switches = Switches(rate_limit=0, run_seconds=0)
    with Sandbox(apps=3, findings=30, scans=3, switches=switches) as sandbox:
        made = Bench(sandbox)
        made.load()
        assert made.settle().equal
        made.pass_day()
        yield made


def test_a_wrong_closure_stays_one_until_it_is_healed(bench: Bench) -> None:
    bench.load(without=bench.victim)
    assert [bench.settle().wrongly_closed for _ in range(2)] == [[bench.name]] * 2
    bench.load()

    assert bench.settle().equal


@pytest.mark.parametrize("fault", ["qualys-nothing", "qualys-half-page", "payload-fails"])
def test_a_sync_that_could_not_see_all_is_not_held_to_it(bench: Bench, fault: str) -> None:
    bench.world.fix_finding(bench.victim)
    bench.sandbox.faults.arm(fault)
    bench.sandbox.begin()

    assert bench.settle().equal
    bench.sandbox.faults.disarm()
    assert differences(bench.settle()) == {"wrongly_open": [bench.name]}


def test_after_a_fault_that_was_outlived_what_is_gone_may_be_closed_or_not(bench: Bench) -> None:
    bench.world.delete_finding(bench.victim)
    bench.sandbox.begin()
    bench.sandbox.faults.arm("qualys-502*1")
    bench.sandbox.faults.take("qualys-502")

    assert bench.settle().equal
    bench.load()
    assert bench.settle().equal


def test_an_evaluation_account_proves_nothing_gone(bench: Bench) -> None:
    bench.world.delete_finding(bench.victim)
    bench.sandbox.faults.arm("qualys-evaluation-header")
    bench.sandbox.begin()

    assert bench.settle().equal
    bench.load()
    assert differences(bench.settle()) == {"wrongly_closed": [bench.name]}


@pytest.mark.parametrize("closes", [True, False])
def test_deleted_apps_are_to_be_closed_where_settings_say_so_and_two_days_have_missed_them(
    bench: Bench, closes: bool
) -> None:
    app = bench.victim.app
    opened = [bench.world.unique_id(one) for one in bench.world.findings_of(app) if one.open]
    bench.sandbox.oracle.rules.closes_deleted_apps = closes
    bench.settle()
    bench.world.delete_app(app)
    bench.sandbox.begin()

    assert [bench.settle().wrongly_open for _ in range(2)] == [[], []]
    bench.pass_day()
    assert bench.settle().wrongly_open == (sorted(opened) if closes else [])


@pytest.mark.parametrize("days", [0, 1])
def test_deleted_apps_may_be_closed_no_sooner(bench: Bench, days: int) -> None:
    app = bench.victim.app
    opened = [bench.world.unique_id(one) for one in bench.world.findings_of(app) if one.open]
    bench.sandbox.oracle.rules.closes_deleted_apps = True
    bench.settle()
    bench.world.delete_app(app)
    bench.sandbox.begin()
    bench.settle()
    for _ in range(days):
        bench.pass_day()
    bench.load()

    assert bench.settle().wrongly_closed == ([] if days else sorted(opened))


def test_what_was_never_loaded_is_not_missed_once_it_is_gone_with_its_app(bench: Bench) -> None:
    fixed = next(one for one in bench.world.findings[VULNERABILITY] if not one.open)
    fixed.status = "REOPENED"
    bench.sandbox.begin()
    assert differences(bench.settle()) == {"missing": [bench.world.unique_id(fixed)]}

    bench.world.delete_app(fixed.app)
    bench.sandbox.begin()
    assert bench.settle().equal


def test_nobody_tells_the_tags_of_a_deleted_app_any_more(bench: Bench) -> None:
    app = bench.victim.app
    names = {bench.world.unique_id(one) for one in bench.world.findings_of(app)}
    bench.world.delete_app(app)
    bench.sandbox.begin()
    for asset in bench.sandbox.tenant.state.assets.values():
        if names & {entry.scanner_identifier for entry in asset.entries.values()}:
            asset.tags.clear()

    assert set(bench.settle().untagged) & names == set()


def test_nobody_tells_the_tags_of_what_went_during_a_sync(bench: Bench) -> None:
    bench.world.tag_app(bench.victim.app, [Tag(1, "not told in time")])
    bench.sandbox.begin()
    others = {bench.world.unique_id(one) for one in bench.world.findings_of(bench.victim.app)}
    bench.world.delete_finding(bench.victim)
    found = bench.settle()

    assert set(found.untagged) <= others - {bench.name}
    assert found.untagged


@pytest.mark.parametrize("lost", [True, False])
def test_what_has_moved_may_be_left_over_once_the_ledger_is_lost(bench: Bench, lost: bool) -> None:
    if lost:
        bench.sandbox.oracle.ours.knows.clear()
    bench.world.move_finding(bench.victim, MOVED)
    bench.sandbox.begin()
    bench.load_at(MOVED)

    for _ in range(2):
        assert differences(bench.settle()) == ({} if lost else {"misplaced": [bench.name]})


def move_and_rate_anew(bench: Bench) -> int:
    """Let the victim move, be rated anew and tested; give the severity that it had before."""
    before = bench.victim.severity
    bench.world.move_finding(bench.victim, MOVED)
    bench.world.edit_severity(bench.victim, before % 5 + 1)
    bench.world.reopen_finding(bench.victim)
    bench.sandbox.begin()
    return before


def test_what_is_left_over_does_not_stand_for_the_finding(bench: Bench) -> None:
    bench.sandbox.oracle.ours.knows.clear()
    before = move_and_rate_anew(bench)
    assert bench.settle(full=False).misplaced == [bench.name]

    bench.load_at(MOVED, scanner_score=before)
    assert differences(bench.settle(full=False)) == {"misjudged": [bench.name]}


def test_what_moved_back_may_be_as_it_was_until_a_sync_reads_it(bench: Bench) -> None:
    bench.sandbox.oracle.ours.knows.clear()
    url = place_by_url(bench.victim)
    before = move_and_rate_anew(bench)
    bench.load_at(MOVED)
    assert bench.settle(full=False).equal
    bench.world.move_finding(bench.victim, url)
    bench.sandbox.begin()
    assert bench.settle(full=False).equal

    bench.load_at(url, scanner_score=before)
    assert differences(bench.settle())["misjudged"] == [bench.name]


@pytest.mark.parametrize("fault", ["qualys-bad-characters", "qualys-empty"])
@pytest.mark.parametrize("deleted", [True, False])
def test_characters_that_xml_does_not_allow_make_another_place(
    bench: Bench, fault: str, deleted: bool
) -> None:
    url = GARBLED + place_by_url(bench.victim).replace("https://app", "HTTPS://App")
    bench.sandbox.faults.arm(fault)
    bench.sandbox.faults.take(fault)
    bench.load(without=bench.victim)
    bench.load_at(url)
    found = bench.settle()
    assert found.equal is (fault == "qualys-bad-characters")
    assert found.equal or found.misplaced == [bench.name]

    if deleted:
        bench.world.delete_app(bench.victim.app)
        bench.sandbox.begin()
    may_stay = deleted and fault == "qualys-bad-characters"
    assert bench.settle().equal is (deleted or may_stay)


@pytest.mark.parametrize("deleted", [True, False])
def test_what_is_gone_may_come_again_with_an_old_load(bench: Bench, deleted: bool) -> None:
    url = place_by_url(bench.victim)
    bench.world.delete_finding(bench.victim)
    bench.sandbox.begin()
    bench.load()
    assert bench.settle().equal

    bench.load_at(url)
    assert bench.settle(full=None).equal
    if deleted:
        bench.world.delete_app(bench.victim.app)
        bench.sandbox.begin()
    assert differences(bench.settle()) == ({} if deleted else {"wrongly_open": [bench.name]})


def test_an_old_load_may_bring_back_what_was_but_not_close(bench: Bench) -> None:
    url, before = place_by_url(bench.victim), move_and_rate_anew(bench)
    bench.load(without=bench.victim)
    bench.load_at(MOVED)
    assert bench.settle().equal

    bench.load_at(url, scanner_score=before)
    assert bench.settle(full=None).equal
    assert differences(bench.settle()) == {"misplaced": [bench.name]}
    bench.load(without=bench.victim)
    bench.sandbox.tenant.people.judge(bench.name, "closed")
    assert differences(bench.settle(full=None)) == {"wrongly_closed": [bench.name]}


def test_an_old_load_closes_nothing_that_has_been_found_again(bench: Bench) -> None:
    url = place_by_url(bench.victim)
    bench.load_at(url, status="closed", closed_at="2026-03-03T00:00:00Z")

    assert differences(bench.settle(full=None)) == {"wrongly_closed": [bench.name]}


def test_an_old_load_does_not_open_what_never_was_open(bench: Bench) -> None:
    fixed = next(one for one in bench.world.findings[VULNERABILITY] if not one.open)
    bench.load_at(place_by_url(fixed), name=bench.world.unique_id(fixed))

    assert differences(bench.settle(full=None)) == {"wrongly_open": [bench.world.unique_id(fixed)]}


def test_after_an_old_load_a_walk_goes_on_where_it_was_interrupted(bench: Bench) -> None:
    bench.walk(*FINDING_TYPES)
    bench.settle(full=None, exit_code=1)
    assert bench.settle(full=None).equal
    bench.pass_day()
    bench.world.fix_finding(bench.victim)
    bench.sandbox.begin()
    bench.walk(SENSITIVE_CONTENT)

    assert bench.settle(full=None).equal


def test_what_settings_hide_has_to_be_closed(bench: Bench) -> None:
    bench.sandbox.oracle.rules.visible = lambda finding: finding is not bench.victim
    bench.sandbox.begin()

    assert differences(bench.settle()) == {"wrongly_open": [bench.name]}
    bench.load(without=bench.victim)
    assert bench.settle().equal


def test_what_settings_hide_may_close_before_a_full_sync_has_to_close_it(bench: Bench) -> None:
    bench.sandbox.oracle.rules.visible = lambda finding: finding is not bench.victim
    bench.sandbox.begin()

    assert bench.settle(full=False).equal
    bench.load(without=bench.victim)
    assert bench.settle(full=False).equal


def test_what_a_person_judged_otherwise_is_neither_closed_nor_missing(bench: Bench) -> None:
    url = place_by_url(bench.victim)
    one = finding(bench.name, severity=2 * bench.victim.severity)
    there: JSON = {"url": url, "findings": [one]}
    Caller(bench.sandbox).load(document(there, skip_autoclose=True))
    bench.sandbox.begin()
    bench.load(without=bench.victim)

    bench.sandbox.tenant.people.triage(bench.name, "false_positive")
    assert bench.settle().equal
    bench.sandbox.tenant.people.triage(bench.name, "resolved")
    assert bench.settle().wrongly_closed == [bench.name]


def test_what_an_edit_brings_into_sight_is_owed_by_the_next_full_sync(bench: Bench) -> None:
    new = bench.world.add_finding(bench.victim.app)
    new.severity = 1
    bench.sandbox.oracle.rules.visible = lambda finding: finding is not new or finding.severity > 1
    bench.sandbox.begin()
    bench.load(without=new)
    assert bench.settle().equal
    bench.world.edit_severity(new, 3)
    bench.sandbox.begin()

    assert bench.settle(full=False).equal
    assert differences(bench.settle()) == {"missing": [bench.world.unique_id(new)]}


def test_a_sync_after_a_failed_one_may_leave_out_types_that_were_read_then(bench: Bench) -> None:
    bench.settle(full=None, exit_code=1)
    bench.pass_day()
    bench.world.fix_finding(bench.victim)
    bench.sandbox.begin()

    bench.walk(SENSITIVE_CONTENT)
    assert bench.settle(full=None).equal
    bench.walk(*FINDING_TYPES)
    assert differences(bench.settle(full=None)) == {"wrongly_open": [bench.name]}


def test_after_a_good_sync_nothing_may_be_left_out(bench: Bench) -> None:
    bench.world.fix_finding(bench.victim)
    bench.sandbox.begin()
    bench.walk(SENSITIVE_CONTENT)

    assert differences(bench.settle(full=None)) == {"wrongly_open": [bench.name]}


def test_a_tap_that_was_struck_has_failed_whatever_the_exit_code_says(bench: Bench) -> None:
    bench.world.fix_finding(bench.victim)
    bench.sandbox.begin()
    bench.sandbox.faults.arm("tap-killed+0")
    bench.sandbox.faults.take("tap-killed")

    assert bench.settle(full=None, exit_code=0).equal


@pytest.mark.parametrize(
    ("criteria", "status", "everything", "read"),
    [
        ([], 200, True, True),
        ([("id", "GREATER", "0")], 200, True, True),
        ([("id", "GREATER", "9007199254740999999")], 200, False, False),
        ([("lastTestedDate", "GREATER", "2026-01-01T00:00:00Z")], 200, False, True),
        ([("id", "IN", "1,2")], 200, False, False),
        ([], 500, False, False),
    ],
)
def test_what_was_read_is_told_from_the_requests(
    bench: Bench,
    criteria: list[tuple[str, str, str]],
    status: int,
    everything: bool,
    read: bool,
) -> None:
    log = [asked(kind, *criteria, status=status) for kind in FINDING_TYPES]

    assert read_everything(log, bench.world) is everything
    assert kinds_read(log, bench.world) == set(FINDING_TYPES if read else ())
    assert not read_everything(log[1:], bench.world)
    assert kinds_read(log[1:], bench.world) <= set(FINDING_TYPES[1:])
