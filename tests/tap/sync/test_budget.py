"""Calls are counted by Qualys, so they are counted here: a subscription of 10,000 findings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.sandbox.world.clock import START
from tests.sandbox.world.size import WorldSize
from tests.tap.syncs import Outcome, Platform

if TYPE_CHECKING:
    from collections import Counter

SIZE: Final = WorldSize(apps=1000, findings=10_000, qids=300, scans=200)
FULL: Final = 34
A_DAY: Final = 16


def asked(platform: Platform, outcome: Outcome, before: Counter[str]) -> int:
    assert outcome.proof["complete"] is True
    assert not [each.violation for each in platform.face.log if each.violation]
    return (platform.requests - before).total()


def test_a_full_sync_and_the_days_after_it_keep_to_their_budget() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here()
        assert outcome.proof["mode"] == "full"
        assert len(outcome.records("findings")) == 10_000
        assert asked(platform, outcome, type(platform.requests)()) <= FULL

        for day in (1, 2, 3):
            platform.clock.set(START + timedelta(days=day))
            platform.world.next_day()
            before = platform.requests.copy()
            outcome = platform.sync_here(state=outcome.state)
            assert outcome.proof["mode"] == "incremental"
            assert 0 < len(outcome.records("findings")) < 1000
            assert asked(platform, outcome, before) <= A_DAY


def test_evidence_costs_pages_but_no_call_for_each_finding() -> None:
    with Platform(WorldSize(apps=20, findings=3000, qids=60, scans=20)) as platform:
        outcome = platform.sync_here({"include_evidence": True})

    assert len(outcome.records("findings")) == 3000
    assert platform.requests["search/was/finding"] <= 3000 / 500 + 3
    assert platform.requests.total() <= 20
