"""A ledger that was lost is made anew from what CVM holds, or it is said that it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.audit import amendment
from target_ciscovm.audit.held import Held
from target_ciscovm.audit.runs import Runs
from target_ciscovm.errors import LedgerUnusable
from target_ciscovm.ledger.ledger import Ledger
from target_ciscovm.mapping.locators import Identity
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.audit import hands
from tests.target.audit.lost_ledger import APPS, LESS, THREE, lose, warning
from tests.target.ledger.ledgers import HOME
from tests.target.streams import (
    ASKING,
    LAST,
    STATE,
    Sync,
    finding,
    fixed,
    identifier,
    names,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.loads import CVM

ELSEWHERE: Final = "https://app1.example.test/elsewhere"
BOTH: Final = ("vulnerabilities", "findings")


class TestLost:
    """It is made anew before anything is planned, so the load goes on as if nothing had been."""

    @pytest.mark.parametrize("model", BOTH)
    def test_what_is_gone_meanwhile_is_closed_by_the_first_full_load(
        self, model: str, cvm: CVM
    ) -> None:
        cvm.load(THREE, data_model=model)
        cvm.ledger.unlink()

        loaded = cvm.load(LESS, data_model=model)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert loaded.closings == {"finding-2": "gone"}
        assert cvm.open() == names(1, 3)
        told = warning(loaded)
        assert str(cvm.ledger) in told
        assert "this connector has had runs in CVM" in told
        assert "made anew from CVM: 3 entries open" in told

    def test_what_stays_is_told_as_still_open_and_not_as_new(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()

        loaded = cvm.load(THREE)

        assert loaded.changes == []
        assert loaded.report["closing"]["open_before"] == 3
        assert loaded.report["changes"]["new_assets"] == 0

    def test_a_finding_that_moved_meanwhile_is_open_at_its_new_place_alone(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()

        cvm.load(replace(THREE, findings=[finding(1, url=ELSEWHERE), *THREE.findings[1:]]))

        places = {one.locators["url"] for one in cvm.held() if one.is_open}
        assert ELSEWHERE in places
        assert [one.is_open for one in cvm.held()].count(True) == 3

    def test_an_incremental_sync_leaves_no_gap_where_a_run_went_well_since(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()
        previous = {"previousSyncAt": LAST}

        loaded = cvm.load(Sync(APPS, [fixed(2)], mode="incremental", proof=previous))

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert cvm.open() == names(1, 3)

    def test_it_leaves_one_where_none_did(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()
        later = {"previousSyncAt": "2026-03-20T08:00:00Z"}

        loaded = cvm.load(Sync(APPS, [], mode="incremental", proof=later))

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert loaded.report["gap"]

    def test_an_older_load_that_comes_again_closes_and_opens_nothing(self, cvm: CVM) -> None:
        old = Sync(APPS, [finding(1), finding(2)]).lines(cvm.clock.now())
        cvm.load(old)
        cvm.load(Sync(APPS, [finding(1), fixed(2), finding(3, 2)]))
        before = cvm.open()
        cvm.ledger.unlink()

        cvm.load(old)

        assert cvm.open() == before == names(1, 3)

    def test_web_applications_that_a_sync_does_not_read_stay(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()

        cvm.load(Sync(APPS[:1], [finding(1)], coverage={"wholeAccount": False}))

        assert cvm.open() == names(1, 3)

    @pytest.mark.parametrize(("whole", "left"), [(True, set()), (False, names(1))])
    def test_what_names_no_web_application_needs_a_sync_of_the_whole_account(
        self, cvm: CVM, left: set[str], *, whole: bool
    ) -> None:
        cvm.begin(Sync(APPS, [finding(1, webApp=None), finding(3, 2)]))
        cvm.ledger.unlink()

        cvm.load(Sync(APPS, [finding(3, 2)], coverage={"wholeAccount": whole}))

        assert cvm.open() == names(3) | left

    def test_what_names_no_web_application_may_be_of_another_account(self, cvm: CVM) -> None:
        other = {"subscription": "another-made-up"}
        cvm.load(Sync(APPS[:1], [finding(1), finding(2, webApp=None)]))
        cvm.load(Sync(APPS[1:], [finding(3, 2), finding(4, webApp=None)], proof=other))
        cvm.ledger.unlink()

        for _ in range(2):
            cvm.load(Sync(APPS[:1], [finding(1)]))
            assert cvm.open() == names(1, 2, 3, 4)
            cvm.load(Sync(APPS[1:], [finding(3, 2), finding(4, webApp=None)], proof=other))

        cvm.load(Sync(APPS[1:], [finding(3, 2)], proof=other))
        assert cvm.open() == names(1, 2, 3)

    def test_what_people_have_closed_stays_closed(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.tenant.people.judge(identifier(2), "false_positive")
        cvm.ledger.unlink()

        cvm.load(THREE)

        (judged,) = (one for one in cvm.held() if one.scanner_identifier == identifier(2))
        assert judged.manual == "false_positive"

    def test_a_dry_run_plans_with_it_and_keeps_nothing(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()
        shown = cvm.shown()

        loaded = cvm.load(LESS, dry_run=True)

        assert loaded.closings == {"finding-2": "gone"}
        assert cvm.shown() == shown
        assert not cvm.ledger.exists()

    def test_entries_of_another_form_are_told_and_left_alone(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        hands.load(cvm.tenant, CONNECTOR_ID, ELSEWHERE, "somebody-elses")
        cvm.ledger.unlink()

        loaded = cvm.load(THREE)

        assert "1 entry left alone (somebody-elses)" in warning(loaded)
        assert "somebody-elses" in cvm.open()

    def test_runs_of_which_none_went_well_leave_nothing_to_go_on_from(self, cvm: CVM) -> None:
        cvm.faults.arm("run-fails")
        cvm.load(THREE)
        cvm.ledger.unlink()

        loaded = cvm.load(THREE)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])

    def test_a_new_connector_has_lost_nothing(self, cvm: CVM) -> None:
        assert cvm.load(THREE).report["warnings"] == []


class TestNotTold:
    """Until CVM tells what it holds, nothing is called gone, and each run tries again."""

    def test_one_that_was_not_made_to_its_end_is_not_whole(self, tmp_path: Path) -> None:
        """So does a kill leave it, at any moment."""
        held = Held(tmp_path, Identity())
        held.connection.execute("DROP TABLE drift")
        with Ledger(tmp_path / "ledger.db", HOME) as ledger:
            with pytest.raises(LedgerUnusable):
                amendment.catch_up(held, ledger, Runs(newest=7))

            assert (ledger.exists, ledger.is_whole) == (True, False)
        held.close()

    def test_nothing_is_called_gone_and_it_is_said(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        lose(cvm)
        cvm.load(THREE)

        loaded = cvm.load(LESS)

        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3)
        assert "rebuild-ledger" in warning(loaded)
        (reason,) = loaded.report["proof"]["reasons"]
        assert "the ledger was lost" in reason
        with Ledger(cvm.ledger) as ledger:
            assert not ledger.is_whole

    def test_runs_without_a_time_are_runs_all_the_same(self, cvm: CVM) -> None:
        cvm.load(THREE)
        lose(cvm)
        cvm.alter(
            lambda path, told: (
                [run | {"start_time": None} for run in told]
                if path.endswith("connector_runs")
                else told
            )
        )

        cvm.load(THREE)

        with Ledger(cvm.ledger) as ledger:
            assert not ledger.is_whole

    def test_the_first_run_that_is_told_makes_up_for_it(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        lose(cvm)
        cvm.load(LESS)
        cvm.faults.disarm()

        loaded = cvm.load(LESS)

        assert loaded.closings == {"finding-2": "gone"}
        assert cvm.load(LESS).report["warnings"] == []
