"""What a load of an older sync may bring back, and what not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.sandbox.oracle.sight import place_by_url
from tests.sandbox.world.model import FINDING_TYPES, SENSITIVE_CONTENT, VULNERABILITY
from tests.sandbox_tests.oracle.bench import MOVED, Bench, differences, move_and_rate_anew


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


@pytest.mark.parametrize("filtered", [True, False])
@pytest.mark.parametrize("of_later", [True, False])
def test_an_old_load_may_close_what_was_gone_or_left_out_when_it_was_read(
    bench: Bench, of_later: bool, filtered: bool
) -> None:
    oracle = bench.sandbox.oracle
    before = oracle.read(oracle.asked)
    if filtered:
        oracle.rules.visible = lambda finding: not (of_later and finding is bench.victim)
    else:
        bench.world.delete_finding(bench.victim)
    oracle.reading = oracle.read(oracle.asked) if of_later else before
    bench.world.delete_app(bench.victim.app)
    bench.sandbox.begin()
    bench.load()

    assert (bench.name in bench.settle(full=None).wrongly_closed) is not of_later


@pytest.mark.parametrize("then", [True, False])
def test_an_old_load_may_close_what_filters_left_out_then_and_leave_out_now(
    bench: Bench, then: bool
) -> None:
    oracle = bench.sandbox.oracle
    before = oracle.read(oracle.asked)
    oracle.rules.visible = lambda finding: finding is not bench.victim
    oracle.reading = oracle.read(oracle.asked) if then else before
    bench.sandbox.begin()
    bench.load(without=bench.victim)

    assert (bench.name in bench.settle(full=None).wrongly_closed) is not then


@pytest.mark.parametrize("proves", [True, False])
def test_an_old_load_that_proves_nothing_closes_nothing_by_absence(
    bench: Bench, proves: bool
) -> None:
    oracle = bench.sandbox.oracle
    bench.world.delete_finding(bench.victim)
    oracle.reading = replace(oracle.read(oracle.asked), proves=proves)
    bench.world.delete_app(bench.victim.app)
    bench.sandbox.begin()
    bench.load()

    assert (bench.name in bench.settle(full=None).wrongly_closed) is not proves


@pytest.mark.parametrize("again", [True, False])
def test_an_old_load_closes_nothing_that_was_read_as_found_again(bench: Bench, again: bool) -> None:
    oracle = bench.sandbox.oracle
    bench.world.fix_finding(bench.victim)
    oracle.reading = oracle.read(oracle.asked)
    bench.pass_day()
    bench.world.reopen_finding(bench.victim)
    bench.sandbox.begin()
    assert bench.settle(full=False, exit_code=0 if again else 1).equal
    bench.world.delete_app(bench.victim.app)
    bench.sandbox.begin()
    bench.load()

    assert (bench.name in bench.settle(full=None).wrongly_closed) is again


@pytest.mark.parametrize(
    ("ahead", "shown", "dates_tell", "excused"),
    [
        (1, True, False, True),
        (1, False, True, True),
        (1, True, True, False),
        (0, True, False, False),
        (0, False, False, False),
    ],
)
def test_a_load_whose_clock_was_ahead_may_close_what_no_date_calls_later(
    bench: Bench, ahead: int, *, shown: bool, dates_tell: bool, excused: bool
) -> None:
    oracle, url = bench.sandbox.oracle, place_by_url(bench.victim)
    bench.world.fix_finding(bench.victim)
    reading = oracle.read(oracle.asked)
    bench.sandbox.clock.advance(timedelta(seconds=dates_tell))
    bench.world.reopen_finding(bench.victim)
    bench.sandbox.begin()
    assert bench.settle().equal
    findings = dict(reading.moment.findings)
    if not shown:
        del findings[bench.name]
    at = bench.world.moment() + ahead
    oracle.reading = replace(reading, moment=replace(reading.moment, at=at, findings=findings))
    bench.sandbox.begin()
    bench.load_at(url, status="closed", closed_at="2026-03-03T00:00:00Z")

    assert (bench.name in bench.settle(full=None).wrongly_closed) is not excused


@pytest.mark.parametrize(
    ("moves", "since", "wrong"),
    [(True, "deleted", False), (False, "deleted", True), (True, "moved on", True)],
)
def test_an_old_load_may_move_what_is_gone_to_where_it_was_read(
    bench: Bench, moves: bool, since: str, wrong: bool
) -> None:
    oracle, url = bench.sandbox.oracle, place_by_url(bench.victim)
    bench.world.move_finding(bench.victim, MOVED)
    oracle.reading = oracle.read(oracle.asked)
    if since == "deleted":
        bench.world.delete_finding(bench.victim)
    else:
        bench.world.move_finding(bench.victim, url)
    bench.sandbox.begin()
    if moves:
        bench.load_at(MOVED)
    bench.load_at(url, status="closed", closed_at="2026-03-03T00:00:00Z")

    assert (bench.name in bench.settle(full=None).wrongly_closed) is wrong


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
