"""The judge knows what each sync could see: its mode, its faults, where it began."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.sandbox.oracle.closings import FEW
from tests.sandbox.oracle.reads import kinds_read, read_everything
from tests.sandbox.sandbox import DAY
from tests.sandbox.world.model import FINDING_TYPES, SENSITIVE_CONTENT
from tests.sandbox_tests.oracle.bench import MOVED, Bench, asked, differences, searched


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


@pytest.mark.parametrize("count", [FEW, FEW + 1])
def test_an_account_that_is_suddenly_empty_may_lose_a_few_findings(
    bench: Bench, count: int
) -> None:
    open_ones = [one for one in bench.world.all_findings() if one.open]
    bench.sandbox.faults.arm("qualys-nothing")
    bench.sandbox.faults.take("qualys-nothing")
    bench.load_all_but({id(one) for one in open_ones[:count]})

    assert len(bench.settle().wrongly_closed) == (0 if count == FEW else count)
    bench.sandbox.faults.disarm()
    assert len(bench.settle().wrongly_closed) == count


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


def test_a_sync_after_a_failed_one_may_leave_out_types_that_were_read_then(bench: Bench) -> None:
    bench.settle(full=None, exit_code=1)
    bench.pass_day()
    bench.world.fix_finding(bench.victim)
    bench.sandbox.begin()

    bench.walk(SENSITIVE_CONTENT)
    assert bench.settle(full=None).equal
    bench.walk(*FINDING_TYPES)
    assert differences(bench.settle(full=None)) == {"wrongly_open": [bench.name]}


def test_a_clock_that_is_behind_owes_nothing_until_it_is_right_again(bench: Bench) -> None:
    bench.world.fix_finding(bench.victim)
    for back in (-2 * DAY, 2 * DAY):
        bench.sandbox.clock.advance(back)
        bench.sandbox.begin()
        found = bench.settle()

        assert differences(found) == ({} if back < 0 * DAY else {"wrongly_open": [bench.name]})


def test_a_clock_may_be_behind_a_sync_under_which_it_went_back(bench: Bench) -> None:
    bench.pass_day()
    bench.sandbox.clock.advance(-3 * DAY)
    bench.load()
    bench.settle()
    bench.world.fix_finding(bench.victim)
    for back in (DAY, 3 * DAY):
        bench.sandbox.clock.advance(back)
        bench.sandbox.begin()
        found = bench.settle()

        assert differences(found) == ({} if back == DAY else {"wrongly_open": [bench.name]})


def test_after_a_good_sync_nothing_may_be_left_out(bench: Bench) -> None:
    bench.world.fix_finding(bench.victim)
    bench.sandbox.begin()
    bench.walk(SENSITIVE_CONTENT)

    assert differences(bench.settle(full=None)) == {"wrongly_open": [bench.name]}


@pytest.mark.parametrize("named", [False, True])
def test_nothing_has_to_close_by_a_sync_that_may_be_of_either_of_two_subscriptions(
    bench: Bench, *, named: bool
) -> None:
    bench.sandbox.faults.arm("qualys-other-account")
    assert bench.settle().equal
    bench.sandbox.faults.disarm()
    face = bench.sandbox.face
    face.switches = replace(face.switches, subscription_header=named)
    bench.world.delete_finding(bench.victim)
    bench.sandbox.begin()

    assert differences(bench.settle()) == ({"wrongly_open": [bench.name]} if named else {})


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
        ([("id", "LESSER", "9007199254740999999")], 200, True, True),
        ([("id", "LESSER", "2")], 200, False, False),
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


@pytest.mark.parametrize("of", ["webapp", "wasscan"])
@pytest.mark.parametrize(
    ("searches", "everything"),
    [
        ([[]], True),
        ([[("id", "LESSER", "9")], [("id", "GREATER", "8")]], True),
        ([[("id", "LESSER", "9")]], False),
        ([[("id", "GREATER", "9007199254740999999")]], False),
        ([[("id", "GREATER", "9007199254740999999"), ("updatedDate", "GREATER", "2026")]], True),
        ([[("id", "IN", "1,2")]], True),
    ],
)
def test_what_goes_on_where_an_interrupted_sync_stopped_has_not_read_everything(
    bench: Bench, of: str, searches: list[list[tuple[str, str, str]]], *, everything: bool
) -> None:
    log = [*map(asked, FINDING_TYPES), *(searched(of, *criteria) for criteria in searches)]

    assert read_everything(log, bench.world) is everything


@pytest.mark.parametrize("later", [False, True])
def test_what_somebody_elses_later_run_may_have_sent_is_owed_by_the_next_full_sync(
    bench: Bench, *, later: bool
) -> None:
    bench.world.fix_finding(bench.victim)
    bench.sandbox.clock.set(bench.sandbox.clock.now().replace(microsecond=0) + DAY)
    bench.sandbox.begin()
    bench.sandbox.clock.advance(timedelta(seconds=later))
    bench.load_at(MOVED, "somebody-elses")
    bench.sandbox.watch.strange_runs.add(max(bench.sandbox.tenant.state.runs))
    bench.sandbox.oracle.strangers.add("somebody-elses")

    assert bench.settle().wrongly_open == ([] if later else [bench.name])
    bench.sandbox.begin()
    assert bench.settle().wrongly_open == [bench.name]
