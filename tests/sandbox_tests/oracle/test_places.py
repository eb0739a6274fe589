"""What has moved may be left over where it was, under what conditions and for how long."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.oracle.sight import GARBLED, place_by_url
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.loads import JSON, Caller, document, vuln
from tests.sandbox_tests.oracle.bench import MOVED, Bench, differences, move_and_rate_anew


@pytest.mark.parametrize("lost", [True, False])
def test_what_has_moved_may_be_left_over_once_the_ledger_is_lost(bench: Bench, lost: bool) -> None:
    if lost:
        bench.sandbox.oracle.ours.knows.clear()
    bench.world.move_finding(bench.victim, MOVED)
    bench.sandbox.begin()
    bench.load_at(MOVED)

    for _ in range(2):
        assert differences(bench.settle()) == ({} if lost else {"misplaced": [bench.name]})


def test_two_installations_may_give_one_finding_two_names() -> None:
    switches = Switches(rate_limit=0, run_seconds=0, name_in_identity=True)
    with Sandbox(apps=3, findings=30, scans=3, switches=switches) as sandbox:
        bench = Bench(sandbox)
        bench.load()
        assert bench.settle().equal
        sandbox.oracle.ours.knows.clear()
        bench.load_at(place_by_url(bench.victim), vuln_def_name="another title")

        for _ in range(3):
            assert bench.settle().equal


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


@pytest.mark.parametrize("before", [True, False])
def test_a_move_over_the_licences_limit_is_wrong_where_the_limit_was_known(
    bench: Bench, before: bool
) -> None:
    bench.world.move_finding(bench.victim, MOVED)
    bench.sandbox.tenant.overage = before
    bench.sandbox.begin()
    bench.sandbox.tenant.overage = True
    bench.load()

    assert bench.settle().wrongly_closed == ([bench.name] if before else [])


def test_what_moved_when_the_limit_came_is_owed_once_there_is_room(bench: Bench) -> None:
    bench.world.move_finding(bench.victim, MOVED)
    bench.sandbox.begin()
    bench.sandbox.tenant.overage = True
    bench.load()
    bench.settle()
    bench.sandbox.tenant.overage = False
    bench.pass_day()

    assert bench.settle().wrongly_closed == [bench.name]


@pytest.mark.parametrize("happens", ["moves", "comes back", "is new"])
def test_what_was_altered_on_its_way_may_leave_all_as_it_was_but_owes_what_is_new(
    bench: Bench, happens: str
) -> None:
    name, wrong = bench.name, "misplaced"
    if happens == "moves":
        bench.world.move_finding(bench.victim, MOVED)
    elif happens == "comes back":
        bench.world.fix_finding(bench.victim)
        bench.load(without=bench.victim)
        assert bench.settle().equal
        bench.world.reopen_finding(bench.victim)
        wrong = "wrongly_closed"
    else:
        name, wrong = bench.world.unique_id(bench.world.add_finding(bench.victim.app)), "missing"
    bench.sandbox.begin()

    assert differences(bench.settle(whole=False)) == ({wrong: [name]} if wrong == "missing" else {})
    assert differences(bench.settle()) == {wrong: [name]}


def test_what_was_altered_on_its_way_is_not_put_where_it_never_was(bench: Bench) -> None:
    bench.world.move_finding(bench.victim, MOVED)
    bench.sandbox.begin()
    bench.load_at("https://nowhere.example.test/")

    assert differences(bench.settle(whole=False)) == {"misplaced": [bench.name]}


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("untold", ["all", "entries"])
def test_of_what_cvm_was_told_and_dropped_without_a_word_may_be_left_where_it_was(
    untold: Literal["all", "entries"], told: bool
) -> None:
    switches = Switches(rate_limit=0, run_seconds=0, untold_counters=untold, success_rule="always")
    with Sandbox(apps=3, findings=30, scans=3, switches=switches) as sandbox:
        bench = Bench(sandbox)
        bench.load()
        assert bench.settle().equal
        page = place_by_url(bench.victim)
        bench.world.move_finding(bench.victim, MOVED)
        sandbox.faults.arm("payload-fails")
        sandbox.begin()
        if told:
            bench.load_at(page, status="closed", closed_at="2026-03-03T00:00:00Z")
        bench.settle()
        sandbox.faults.disarm()
        bench.load_at(MOVED)

        assert bench.settle().equal is (told and untold == "all")


@pytest.mark.parametrize(
    ("locators", "first", "reached"),
    [
        pytest.param({"external_id": "9"}, "url", False, id="by a lower locator alone"),
        pytest.param({"external_id": "8"}, "url", True, id="by all that it has"),
        pytest.param(
            {"external_id": "9", "url": "https://two.example.test/"},
            "external_id",
            True,
            id="by the key",
        ),
    ],
)
def test_what_no_load_reaches_may_be_left_open_and_nothing_else(
    bench: Bench, locators: dict[str, str], first: str, *, reached: bool
) -> None:
    tenant, caller, page = bench.sandbox.tenant, Caller(bench.sandbox), place_by_url(bench.victim)

    def load(*vulns: JSON, **locators: str) -> None:
        caller.load(document({"vulns": list(vulns), **locators}, skip_autoclose=True))

    load(url="https://one.example.test/", external_id="9")
    tenant.people.rank_locators("application")
    load(vuln(bench.name), application="A", **locators)
    tenant.people.rank_locators(first)
    assert len(tenant.book.out_of_reach("url")) == (not reached)
    tenant.people.rank_locators()
    bench.settle()
    bench.world.delete_finding(bench.victim)
    bench.sandbox.begin()
    closed = {"status": "closed", "closed_at": "2026-03-03T00:00:00Z"}
    bench.load_at(page, **closed)
    tenant.people.rank_locators(first)
    assert differences(bench.settle()) == ({"wrongly_open": [bench.name]} if reached else {})

    bench.load_at(page)
    bench.settle()
    assert bench.settle().wrongly_open == [bench.name]
