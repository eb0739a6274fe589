"""Assets that CVM refuses for their size, also when they are alone in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.target.loads import QUICK
from tests.target.streams import Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

BY_APP: dict[str, Any] = {"locator_order": ["external_id"], "max_failed_percent": 100}
LIMIT = replace(QUICK, max_file_bytes=3000)


def test_fixes_at_a_refused_asset_are_closed_all_the_same(cvm: CVM) -> None:
    cvm.load(Sync([webapp()], [finding(1), finding(2)]), **BY_APP)
    cvm.play(LIMIT)

    rows = [fixed(1), finding(2, content="x" * 3000)]
    loaded = cvm.load(Sync([webapp()], rows, mode="incremental"), **BY_APP)

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(2)
    assert loaded.report["reconciliation"]["mapped"] == 1
    assert loaded.report["reconciliation"]["rejected"] == 1
    assert [row["key"] for row in loaded.rejected] == ["V-1-finding-2"]


def test_where_even_the_closings_of_an_asset_are_refused_the_load_says_so_and_ends(
    cvm: CVM,
) -> None:
    rows = [finding(number) for number in range(20)]
    cvm.load(Sync([webapp()], rows), **BY_APP)
    cvm.play(LIMIT)

    loaded = cvm.load(Sync([webapp()], [fixed(row["id"]) for row in rows]), **BY_APP)

    assert loaded.outcome == "failed"
    assert "external_id:1" in loaded.message
    assert cvm.open() == names(*range(20))
