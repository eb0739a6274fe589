"""After days of loads, what is read back from CVM is what CVM has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pair.together import Pair, open_sandbox
from tests.sandbox_tests.loads import asset, document, vuln
from tests.target.cvm.holdings.read import OTHER, Read, load

if TYPE_CHECKING:
    from pathlib import Path

    from target_ciscovm.kdi.types import DataModel
    from tests.sandbox.sandbox import Sandbox

KINDS = {"vulnerabilities": "vuln", "findings": "finding"}


def has(sandbox: Sandbox, model: DataModel) -> dict[tuple[str, int], tuple[bool, dict[str, str]]]:
    """Give what CVM has of the connector: whether it is open, and where it stands."""
    return {
        (one.scanner_identifier, one.asset_id): (one.is_open, dict(one.locators))
        for one in sandbox.tenant.held(sandbox.connector_id)
        if one.kind == KINDS[model]
    }


@pytest.mark.parametrize("model", KINDS)
def test_what_is_read_back_is_what_cvm_has(model: DataModel, tmp_path: Path) -> None:
    with open_sandbox(apps=6, findings=60) as sandbox:
        pair = Pair(sandbox, tmp_path, settings={"data_model": model, "max_close_percent": 100})
        pair.sync()
        stranger = asset(vuln("V-1-stranger"), url="https://stranger.example.test/")
        load(sandbox, document(stranger), connector=OTHER)
        for _ in range(3):
            sandbox.next_day(turbulent=True)
            pair.sync(full_sync=True)
        sandbox.tenant.inactivity_days = 2  # so that some assets are inactive, others are not

        for refused in (False, True):
            sandbox.faults.arm(*["export-refused"] * refused)
            read = Read(sandbox, model)
            found = {(one.identifier, one.asset_id): (one.open, one.locators) for one in read.all}
            assert read.by == ("search" if refused else "export")
            assert found == has(sandbox, model)
            assert len(read.all) == len(found) > 40
            assert {is_open for is_open, _ in found.values()} == {False, True}
            assert {one.active for one in read.all} == {False, True}
