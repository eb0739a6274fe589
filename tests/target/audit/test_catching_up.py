"""Runs that the ledger does not know are made up for by what CVM holds."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Final

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.audit import hands
from tests.target.audit.looks import audit
from tests.target.audit.lost_ledger import (
    APPS,
    LESS,
    THREE,
    on_the_other_machine,
    refuse_reading,
    warning,
)
from tests.target.loads import CVM, HOUR, QUICK
from tests.target.streams import (
    Sync,
    finding,
    names,
)

ELSEWHERE: Final = "https://app1.example.test/elsewhere"


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

    def test_what_cvm_still_shows_as_closed_is_closed_when_it_is_gone_again(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, search_delay=2 * HOUR.total_seconds()))
        for sync in (THREE, LESS, THREE):
            cvm.clock.advance(2 * HOUR)
            cvm.load(sync)
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


def test_a_connector_whose_runs_are_no_longer_listed_is_loaded(cvm: CVM) -> None:
    cvm.begin(THREE)
    cvm.tenant.state.runs.clear()

    loaded = cvm.load(LESS)

    assert loaded.outcome == "succeeded", loaded.message
    assert cvm.open() == {*names(1, 3)}
