"""What a proven load lacks is closed, once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.target.plan.one_gone import AFTER, APPS, BEFORE
from tests.target.streams import (
    Sync,
    finding,
    joined,
    names,
    record,
    schema,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM


class TestGone:
    def test_an_asset_that_the_load_lacks_is_sent_empty(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)
        assert cvm.how_closed("finding-4") == {"auto"}
        assert loaded.asset("https://app2.example.test/page4")["vulns"] == []
        assert loaded.report["closing"]["gone"] == 1
        assert loaded.report["closing"]["open_after"] == 3
        assert loaded.report["reconciliation"]["closed"] == 1

    def test_it_is_sent_empty_once(self, cvm: CVM) -> None:
        cvm.load(BEFORE)
        cvm.load(AFTER)

        loaded = cvm.load(AFTER)

        assert [asset["url"] for asset in loaded.assets if not asset["vulns"]] == []

    def test_what_is_gone_beside_others_on_its_asset_is_closed(self, cvm: CVM) -> None:
        url = "https://app1.example.test/shared"
        cvm.load(Sync(APPS, [finding(1, url=url), finding(2, url=url)]))

        loaded = cvm.load(Sync(APPS, [finding(1, url=url)]))

        assert cvm.open() == names(1)
        assert loaded.report["closing"]["gone"] == 1

    def test_a_page_that_had_findings_before_does_not_come_back_by_the_clean_application(
        self, cvm: CVM
    ) -> None:
        cvm.load(BEFORE)

        cvm.load(Sync(APPS, [finding(1), finding(2)]))

        assert cvm.open() == names(1, 2)

    def test_an_incremental_sync_closes_nothing(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(replace(AFTER, mode="incremental"))

        assert loaded.outcome == "succeeded"
        assert loaded.closing_files == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_nothing_is_closed_when_autoclose_is_never(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(AFTER, autoclose="never")

        assert loaded.outcome == "succeeded"
        assert loaded.closing_files == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_the_findings_model_closes_too(self, cvm: CVM) -> None:
        cvm.load(BEFORE, data_model="findings")

        loaded = cvm.load(AFTER, data_model="findings")

        assert cvm.open() == names(1, 2, 3)
        assert cvm.closed() == names(4)
        assert set(loaded.items("findings")) == names(1, 2, 3)


def test_a_stream_of_scan_results_is_counted_for_the_proof(cvm: CVM) -> None:
    cvm.load(BEFORE)
    counts = {name: len(rows) for name, rows in AFTER.streams().items()} | {"scan_results": 1}
    now = cvm.clock.now() + timedelta(hours=1)
    proof = {"streams": AFTER.sync_row(counts, now)["streams"]}
    head = joined(schema("scan_results"), record("scan_results", {"resultId": "a"}))

    loaded = cvm.load(head + replace(AFTER, proof=proof).lines(now))

    assert loaded.report["proof"]["proven"]
    assert cvm.open() == names(1, 2, 3)
