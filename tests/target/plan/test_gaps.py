"""An incremental load goes on from the one before; what lies between is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.loads import HOUR
from tests.target.plan.one_gone import AFTER, APPS, BEFORE
from tests.target.streams import (
    ASKING,
    LAST,
    STATE,
    Sync,
    finding,
    fixed,
    names,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM

NEXT: Final = Sync(APPS, [finding(5)], scans=[], mode="incremental")


def on(sync: Sync, previous: str | None, **proof: object) -> Sync:
    """Let a sync go on from one that began then."""
    return replace(sync, proof={"previousSyncAt": previous} | proof)


class TestGap:
    """CVM lacks what came before: what came is loaded, and the tap is asked for all."""

    def test_a_new_connector_has_no_load_before(self, cvm: CVM) -> None:
        loaded = cvm.load(NEXT)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [ASKING])
        assert "CVM lacks what came before this load" in loaded.message
        assert "The tap's next sync reads everything" in loaded.message
        assert loaded.report["gap"] in loaded.message
        assert cvm.open() == names(5)

    def test_the_full_sync_heals_it_unattended(self, cvm: CVM) -> None:
        cvm.begin(NEXT)

        healed = cvm.load(replace(BEFORE, findings=[*BEFORE.findings, finding(5)]))
        following = cvm.load(NEXT)

        for loaded in (healed, following):
            assert (loaded.outcome, loaded.exit_code, loaded.states) == ("succeeded", 0, [STATE])
        assert cvm.open() == names(1, 2, 3, 4, 5)

    def test_clocks_that_are_apart_are_named_as_its_cause(self, cvm: CVM) -> None:
        """What begins later than CVM's time is no link of the chain."""
        cvm.load(replace(BEFORE, started="2027-01-01T08:00:00Z"))

        next_day = replace(on(NEXT, "2027-01-01T08:00:00Z"), started="2027-01-02T08:00:00Z")
        loaded = cvm.load(next_day)

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert "the sync began at 2027-01-02T08:00:00Z by the clock of Qualys" in loaded.message

    def test_a_gap_stays_one_until_then(self, cvm: CVM) -> None:
        cvm.begin(NEXT)

        assert cvm.load(NEXT).states == [ASKING]

    @pytest.mark.parametrize(("previous", "whole"), [(0, True), (-1, True), (1, False)])
    def test_a_state_from_before_only_repeats_and_a_later_one_leaves_a_gap(
        self, previous: int, whole: bool, cvm: CVM
    ) -> None:
        began = f"2026-03-02T07:00:{10 + previous:02d}Z"
        cvm.begin(replace(BEFORE, started="2026-03-02T07:00:10Z"))

        loaded = cvm.load(on(NEXT, began))

        assert loaded.outcome == ("succeeded" if whole else "failed")
        assert loaded.states == ([STATE] if whole else [ASKING])

    @pytest.mark.parametrize(
        "other",
        [
            {"subscription": "another"},
            {"login": "another"},
            {"filters": {"webapp_ids": [1]}},
        ],
        ids=["account", "login", "filters"],
    )
    def test_each_account_login_and_choice_of_filters_has_a_chain_of_its_own(
        self, other: dict[str, Any], cvm: CVM
    ) -> None:
        cvm.begin(BEFORE)

        assert cvm.load(on(NEXT, LAST, **other)).states == [ASKING]
        assert cvm.load(NEXT).states == [STATE]

    def test_a_sync_with_a_start_date_begins_a_chain(self, cvm: CVM) -> None:
        filters = {"filters": {"start_date": "2026-02-01T00:00:00Z"}}

        loaded = cvm.load(on(NEXT, None, **filters))

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert cvm.load(on(NEXT, LAST, **filters)).outcome == "succeeded"

    def test_files_first_and_a_key_later_lack_what_the_files_had(self, cvm: CVM) -> None:
        cvm.load(BEFORE, api_key=None, connector_id=None)

        loaded = cvm.load(NEXT)

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])

    def test_a_dry_run_plans_through_it_and_says_so(self, cvm: CVM) -> None:
        loaded = cvm.load(NEXT, dry_run=True)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("succeeded", 0, [])
        assert loaded.report["gap"] in loaded.message
        assert set(loaded.items()) == names(5)

    def test_files_have_none(self, cvm: CVM) -> None:
        loaded = cvm.load(NEXT, api_key=None, connector_id=None)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert loaded.report["gap"] is None

    def test_a_load_that_had_nothing_to_send_goes_on_too(self, cvm: CVM) -> None:
        cvm.begin(replace(BEFORE, started="2026-03-02T07:00:10Z"))
        quiet = replace(NEXT, findings=[], started="2026-03-02T08:00:10Z")
        assert cvm.load(on(quiet, "2026-03-02T07:00:10Z")).outcome == "succeeded"

        assert cvm.load(on(NEXT, "2026-03-02T08:00:10Z")).outcome == "succeeded"
        assert cvm.requests["run"] == 2

    def test_the_tap_that_wrote_no_state_is_asked_all_the_same(self, cvm: CVM) -> None:
        lines = NEXT.lines(cvm.clock.now()).splitlines(keepends=True)

        loaded = cvm.load(b"".join(lines[:-1]))

        assert loaded.states == [{"bookmarks": {"syncs": {"fullSyncAsked": True}}}]


class TestOlderLoad:
    """A load that was written long ago and comes again, or late, takes nothing back."""

    def test_it_closes_nothing_that_came_since(self, cvm: CVM) -> None:
        replayed = AFTER.lines(cvm.clock.now() + HOUR)
        cvm.load(replayed)
        cvm.load(BEFORE)

        loaded = cvm.load(replayed)

        assert loaded.outcome == "succeeded"
        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3, 4)

    def test_it_opens_nothing_that_is_gone_since(self, cvm: CVM) -> None:
        replayed = BEFORE.lines(cvm.clock.now() + HOUR)
        cvm.load(replayed)
        cvm.load(AFTER)

        loaded = cvm.load(replayed)

        assert cvm.open() == names(1, 2, 3)
        way = loaded.report["reconciliation"]
        assert [one["cause"] for one in way["nothing_to_do_by"]] == ["outdated"]

    def test_it_opens_nothing_that_was_covered_and_never_open(self, cvm: CVM) -> None:
        late = replace(BEFORE, findings=[*BEFORE.findings, finding(9)]).lines(cvm.clock.now())
        cvm.clock.advance(HOUR)
        cvm.load(BEFORE)

        cvm.load(late)

        assert cvm.open() == names(1, 2, 3, 4)

    def test_it_closes_nothing_by_an_older_fix_though_its_clock_was_ahead(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        fix = Sync(APPS, [fixed(1, lastTestedDate="2026-03-01T06:00:00Z")], mode="incremental")
        ahead = fix.lines(cvm.clock.now() + 3 * HOUR)
        back = finding(1, status="REOPENED", lastTestedDate="2026-03-02T06:00:00Z")
        cvm.load(Sync(APPS, [back], mode="incremental"))

        loaded = cvm.load(ahead)

        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3, 4)

    def test_it_closes_nothing_that_was_fixed_and_has_come_back(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        fix = Sync(APPS, [fixed(1)], mode="incremental").lines(cvm.clock.now() + HOUR)
        cvm.load(fix)
        back = finding(1, status="REOPENED", lastTestedDate="2026-03-02T06:00:00Z")
        cvm.load(Sync(APPS, [back], mode="incremental"))

        loaded = cvm.load(fix)

        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3, 4)

    def test_it_moves_nothing_back(self, cvm: CVM) -> None:
        old = BEFORE.lines(cvm.clock.now() + HOUR)
        cvm.load(old)
        new = "https://app1.example.test/elsewhere"
        cvm.load(replace(BEFORE, findings=[finding(1, url=new), *BEFORE.findings[1:]]))

        loaded = cvm.load(old)

        assert loaded.closings == {}
        (held,) = (one for one in cvm.held() if one.locators["url"] == new)
        assert held.is_open

    def test_what_qualys_has_looked_at_since_is_news_whenever_it_comes(self, cvm: CVM) -> None:
        later = fixed(1, lastTestedDate="2026-03-02T06:00:00Z", fixedDate="2026-03-02T06:00:00Z")
        late = Sync(APPS, [later], mode="incremental").lines(cvm.clock.now())
        cvm.clock.advance(HOUR)
        cvm.load(BEFORE)

        cvm.load(late)

        assert cvm.open() == names(2, 3, 4)

    def test_its_chain_goes_on_from_the_newer_one(self, cvm: CVM) -> None:
        cvm.begin(replace(BEFORE, started="2026-03-02T07:00:10Z"))
        cvm.load(replace(AFTER, started="2026-03-02T06:00:10Z"))

        assert cvm.load(on(NEXT, "2026-03-02T07:00:10Z")).outcome == "succeeded"

    def test_a_load_that_tells_no_time_is_held_against_each_row(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        early = "2026-02-20T08:00:00Z"
        old = fixed(1, lastTestedDate=early, lastDetectedDate=early, fixedDate=early)

        loaded = cvm.load(Sync(findings=[old, fixed(2)], entries=[], proof=None))

        assert loaded.closings == {"finding-2": "fixed"}
        assert cvm.open() == names(1, 3, 4)


class TestDroppedOnPurpose:
    """With `allow_dropped_records` a mapper that drops rows is no failure night after night."""

    DROPPED: Final[dict[str, Any]] = {"allow_dropped_records": True}

    def dropping(self, sync: Sync, cvm: CVM) -> Sync:
        """Let a mapper drop the last finding of a sync."""
        counts = {name: len(rows) for name, rows in sync.streams().items()}
        told = sync.sync_row(counts, cvm.clock.now())["streams"]
        entries = sync.streams()["knowledge_base"]
        return replace(sync, findings=sync.findings[:-1], entries=entries, proof={"streams": told})

    def test_a_schedule_goes_on(self, cvm: CVM) -> None:
        more = replace(NEXT, findings=[finding(5), finding(6)])

        for sync in (BEFORE, more, more, BEFORE, NEXT):
            loaded = cvm.load(self.dropping(sync, cvm), **self.DROPPED)
            assert (loaded.outcome, loaded.exit_code) == ("succeeded_unproven", 0), loaded.message
            assert loaded.states == [STATE]
        assert cvm.open() == names(1, 2, 3, 5)

    def test_fixes_close_and_nothing_is_called_gone(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        rows = [fixed(1), finding(2), finding(3, 2)]

        loaded = cvm.load(self.dropping(Sync(APPS, rows), cvm), **self.DROPPED)

        assert loaded.closings == {"finding-1": "fixed"}
        assert cvm.open() == names(2, 3, 4)

    def test_without_the_setting_it_fails_each_time_and_asks(self, cvm: CVM) -> None:
        for sync in (BEFORE, BEFORE):
            loaded = cvm.load(self.dropping(sync, cvm))
            assert (loaded.outcome, loaded.states) == ("failed", [ASKING])


class TestMaxDaysUnproven:
    """A schedule that loads, and never proves anything, is noticed in the end."""

    QUIET: Final = replace(NEXT, findings=[])

    @pytest.mark.parametrize(("days", "fails"), [(6.9, False), (7.1, True)])
    @pytest.mark.parametrize("sync", [NEXT, QUIET, replace(BEFORE, proof={"complete": False})])
    def test_days_are_counted_from_the_newest_proven_load(
        self, sync: Sync, days: float, fails: bool, cvm: CVM
    ) -> None:
        cvm.begin(BEFORE)
        cvm.clock.advance(timedelta(days=days) - HOUR)

        loaded = cvm.load(sync, max_days_unproven=7)

        assert loaded.exit_code == (1 if fails else 0)
        assert loaded.states == [STATE]
        if fails:
            assert loaded.outcome == "failed"
            assert "max_days_unproven (7)" in loaded.message

    def test_a_proven_load_is_none_whatever_was_before(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.clock.advance(timedelta(days=30))

        assert cvm.load(AFTER, max_days_unproven=7).outcome == "succeeded"

    def test_an_older_one_that_comes_again_does_not_set_it_back(self, cvm: CVM) -> None:
        before = cvm.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        cvm.clock.advance(timedelta(days=30))
        cvm.load(BEFORE)

        loaded = cvm.load(replace(BEFORE, started=before), max_days_unproven=7)

        assert loaded.outcome == "succeeded", loaded.message

    def test_a_connector_that_never_had_one_fails(self, cvm: CVM) -> None:
        loaded = cvm.load(replace(BEFORE, proof=None), max_days_unproven=7)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [STATE])
        assert cvm.open() == names(1, 2, 3, 4)

    def test_an_abort_counts_as_well(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.clock.advance(timedelta(days=8))

        loaded = cvm.load(b"", max_days_unproven=7)

        assert (loaded.exit_code, loaded.states) == (1, [])

    def test_it_is_off_by_default(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.clock.advance(timedelta(days=400))

        assert cvm.load(NEXT).exit_code == 0

    def test_a_proven_load_that_failed_in_cvm_does_not_count(self, cvm: CVM) -> None:
        cvm.faults.arm("run-fails")
        cvm.load(BEFORE)

        assert cvm.load(replace(BEFORE, proof=None), max_days_unproven=7).exit_code == 1
