"""The ledger is made from what CVM holds, by the command."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from target_ciscovm.ledger.ledger import Home, Ledger
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.audit.looks import audit, rebuild
from tests.target.audit.lost_ledger import LESS, THREE, on_the_other_machine, refuse_reading
from tests.target.ledger.ledgers import remove_in_mid_write
from tests.target.loads import CVM, QUICK
from tests.target.streams import (
    ASKING,
    identifier,
    names,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.loads import Stage


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
