"""What settings and people hide has to be closed, in time, and comes back when it is seen again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from tests.sandbox.oracle.sight import place_by_url
from tests.sandbox_tests.loads import JSON, Caller, document, finding
from tests.sandbox_tests.oracle.bench import Bench, differences

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.state import Manual


def test_what_settings_hide_has_to_be_closed(bench: Bench) -> None:
    bench.sandbox.oracle.rules.visible = lambda finding: finding is not bench.victim
    bench.sandbox.begin()

    assert differences(bench.settle()) == {"wrongly_open": [bench.name]}
    bench.load(without=bench.victim)
    assert bench.settle().equal


def test_what_settings_hide_is_not_sent_to_a_new_ledger(bench: Bench) -> None:
    bench.sandbox.oracle.ours.knows.clear()
    bench.sandbox.oracle.rules.visible = lambda finding: finding is not bench.victim
    bench.sandbox.begin()

    for _ in range(2):
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


@pytest.mark.parametrize("mark", [None, "false_positive", "risk_accepted"])
@pytest.mark.parametrize("judged", ["beneath", "ignored"])
def test_what_a_person_judged_may_stay_open_where_cvm_ignores_its_closing(
    bench: Bench, judged: Literal["beneath", "ignored"], mark: Manual | None
) -> None:
    tenant = bench.sandbox.tenant
    tenant.switches = replace(tenant.switches, judged_closing=judged)
    if mark is not None:
        tenant.people.judge(bench.name, mark)
    bench.world.delete_finding(bench.victim)
    bench.sandbox.begin()

    may_stay = judged == "ignored" and mark is not None
    assert bench.settle().wrongly_open == ([] if may_stay else [bench.name])


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


def test_tags_are_looked_for_as_far_as_the_rules_ask_for_them(bench: Bench) -> None:
    for asset in bench.sandbox.tenant.state.assets.values():
        asset.tags.clear()
    bench.sandbox.begin()
    assert bench.name in bench.settle().untagged

    bench.sandbox.oracle.rules.tags = lambda _: frozenset()
    bench.sandbox.begin()
    assert bench.settle().equal
