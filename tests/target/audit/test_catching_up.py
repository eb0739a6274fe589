"""A ledger that was lost, or does not know some runs, is brought up to what CVM holds."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.ledger.ledger import Home, Ledger
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.audit import hands
from tests.target.audit.looks import audit, rebuild
from tests.target.ledger.ledgers import remove_in_mid_write
from tests.target.loads import CVM, HOUR, QUICK
from tests.target.streams import (
    ASKING,
    LAST,
    STATE,
    Sync,
    finding,
    fixed,
    identifier,
    names,
    webapp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target.loads import Loaded, Stage

APPS: Final = [webapp(1), webapp(2)]
THREE: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2)])
LESS: Final = Sync(APPS, [finding(1), finding(3, 2)])
ELSEWHERE: Final = "https://app1.example.test/elsewhere"
BOTH: Final = ("vulnerabilities", "findings")


def refuse_reading(cvm: CVM) -> None:
    """Take the right to read from the key."""
    for fault in ("export-refused", "search-refused"):
        cvm.faults.arm(fault)


def lose(cvm: CVM) -> None:
    """Take the ledger away, where CVM does not tell what it holds."""
    cvm.ledger.unlink()
    refuse_reading(cvm)


@contextmanager
def on_the_other_machine(cvm: CVM) -> Iterator[None]:
    """Load with a folder and a ledger of another machine's own."""
    here = cvm.home
    cvm.home = here / "other"
    yield
    cvm.home = here


def warning(loaded: Loaded) -> str:
    (told,) = loaded.report["warnings"]
    return str(told)


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


def test_a_run_of_ours_that_goes_on_is_not_taken_for_a_strangers(cvm: CVM) -> None:
    cvm.begin(THREE)
    cvm.ledger.unlink()
    cvm.faults.arm("run-never-ends")
    assert cvm.load(THREE, run_timeout_seconds=1).exit_code == 3
    cvm.faults.disarm()

    loaded = cvm.load(THREE)

    assert (loaded.outcome, loaded.report["warnings"]) == ("succeeded", [])


class TestOthers:
    """Two machines in turn, each with a ledger of its own: each notices the other's runs."""

    MINE: Final = Sync(APPS[:1], [finding(1)], coverage={"wholeAccount": False})
    THEIRS: Final = Sync(APPS[1:], [finding(3, 2)], coverage={"wholeAccount": False})

    def test_neither_closes_what_the_other_has_sent(self, cvm: CVM) -> None:
        for _ in range(2):
            cvm.load(self.MINE)
            with on_the_other_machine(cvm):
                assert cvm.load(self.THEIRS).outcome == "succeeded"

        assert cvm.open() == names(1, 3)
        assert cvm.tenant.state.closings == []

    def test_what_one_has_opened_the_other_closes_when_it_is_gone(self, cvm: CVM) -> None:
        cvm.begin(THREE)

        with on_the_other_machine(cvm):
            loaded = cvm.load(LESS)

        assert loaded.closings == {"finding-2": "gone"}
        assert cvm.load(LESS).closings == {}
        assert audit(cvm).exit_code == 0

    def test_a_sync_that_began_before_the_others_run_closes_nothing_of_it(self, cvm: CVM) -> None:
        cvm.begin(LESS)
        waiting = LESS.lines(cvm.clock.now())
        with on_the_other_machine(cvm):
            cvm.load(THREE)

        loaded = cvm.load(waiting)

        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3)

    def test_what_the_other_has_sent_again_is_not_closed_by_an_earlier_sync(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        waiting = LESS.lines(cvm.clock.now() + HOUR)
        cvm.clock.advance(2 * HOUR)
        with on_the_other_machine(cvm):
            cvm.load(THREE)

        assert cvm.load(waiting).closings == {}
        assert cvm.load(LESS).closings == {"finding-2": "gone"}

    def test_a_copy_of_before_is_brought_up_to_date(self, cvm: CVM) -> None:
        cvm.begin(LESS)
        kept = shutil.copy(cvm.ledger, cvm.home / "kept.db")
        cvm.load(THREE)
        shutil.copy(kept, cvm.ledger)

        loaded = cvm.load(LESS)

        assert "does not know connector run" in warning(loaded)
        assert loaded.closings == {"finding-2": "gone"}

    def test_what_cvm_does_not_show_yet_is_closed_when_it_is_gone(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, search_delay=HOUR.total_seconds()))
        cvm.load(THREE)
        hands.load(cvm.tenant, CONNECTOR_ID, ELSEWHERE, "somebody-elses")

        loaded = cvm.load(LESS)

        assert loaded.closings == {"finding-2": "gone"}
        assert cvm.open() == names(1, 3) | {"somebody-elses"}

    def test_without_the_right_to_read_each_closes_its_own(self, cvm: CVM) -> None:
        refuse_reading(cvm)
        cvm.load(THREE)
        with on_the_other_machine(cvm):
            cvm.load(THREE)

        loaded = cvm.load(LESS)

        assert "could not be brought up to date" in warning(loaded)
        assert loaded.closings == {"finding-2": "gone"}


class TestRebuild:
    """`--rebuild-ledger` does so without a load."""

    def test_it_makes_the_ledger_from_cvm(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.unlink()

        looked = rebuild(cvm)

        assert looked.exit_code == 0
        assert len(list(cvm.output.glob("2*"))) == 1  # that of the load
        assert audit(cvm).exit_code == 0
        loaded = cvm.load(LESS)
        assert (loaded.closings, loaded.report["warnings"]) == ({"finding-2": "gone"}, [])

    def test_what_cvm_does_not_show_yet_is_found_and_closed_later(self, cvm: CVM) -> None:
        cvm.begin(LESS)
        cvm.play(replace(cvm.switches, search_delay=86_400))
        cvm.load(THREE)
        rebuild(cvm)
        cvm.play(QUICK)

        found = cvm.load(LESS, verify_load="full_syncs")

        assert (found.outcome, found.closings, found.states) == ("failed", {}, [ASKING])
        assert "CVM has 1 open that the ledger does not know" in found.message
        assert cvm.load(LESS).closings == {"finding-2": "gone"}
        assert cvm.open() == names(1, 3)

    def test_what_cannot_be_closed_without_its_name_is_named_by_an_audit(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        cvm = CVM(stage, tmp_path, replace(QUICK, name_in_identity=True))
        cvm.load(THREE)
        rebuild(cvm)

        assert cvm.load(LESS).closings == {"finding-2": "gone"}

        assert cvm.open() == names(1, 2, 3)
        assert audit(cvm).drift == {("closed in the ledger", identifier(2))}

    def test_it_takes_the_place_of_a_damaged_one_which_is_kept(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        cvm.ledger.write_bytes(b"no ledger")

        assert rebuild(cvm).exit_code == 0

        assert cvm.ledger.with_name(f"{cvm.ledger.name}.before").read_bytes() == b"no ledger"
        assert audit(cvm).exit_code == 0

    def test_it_takes_the_place_of_one_of_before_cvms_address_changed(self, cvm: CVM) -> None:
        cvm.load(THREE)
        with Ledger(cvm.ledger) as ledger:
            ledger.remember("home", value=Home("api.example.test", CONNECTOR_ID))
        refused = cvm.load(LESS)
        assert (refused.outcome, "rebuild-ledger" in refused.message) == ("refused", True)

        assert rebuild(cvm).exit_code == 0

        assert cvm.load(LESS).closings == {"finding-2": "gone"}

    def test_it_is_not_spoiled_by_what_a_killed_process_left_half_written(self, cvm: CVM) -> None:
        cvm.load(THREE)
        remove_in_mid_write(cvm.ledger)

        assert rebuild(cvm).exit_code == 0

        assert list(cvm.output.glob("*-journal")) == []
        assert audit(cvm).exit_code == 0

    def test_somebody_with_the_right_to_read_may_hand_it_over(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        with on_the_other_machine(cvm):
            rebuild(cvm)
            made = cvm.ledger
        shutil.copy(made, cvm.ledger)
        refuse_reading(cvm)

        loaded = cvm.load(LESS)

        assert (loaded.closings, loaded.report["warnings"]) == ({"finding-2": "gone"}, [])

    def test_it_keeps_what_the_identity_of_assets_was_decided_by(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        rebuild(cvm)

        loaded = cvm.load(THREE, locator_order=["external_id"])

        assert loaded.outcome == "refused"

    def test_it_leaves_the_ledger_as_it_is_where_cvm_does_not_tell(self, cvm: CVM) -> None:
        cvm.begin(THREE)
        before = cvm.ledger.read_bytes()
        refuse_reading(cvm)

        looked = rebuild(cvm)

        assert looked.exit_code == 1
        assert cvm.ledger.read_bytes() == before
        assert [path.name for path in cvm.output.glob("*.rebuilt")] == []


def test_a_connector_whose_runs_are_no_longer_listed_is_loaded(cvm: CVM) -> None:
    cvm.begin(THREE)
    cvm.tenant.state.runs.clear()

    loaded = cvm.load(LESS)

    assert loaded.outcome == "succeeded", loaded.message
    assert cvm.open() == {*names(1, 3)}
