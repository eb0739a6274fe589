"""Web applications that are gone, and those that are clean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.target.plan.one_gone import APPS, BEFORE
from tests.target.streams import (
    LAST,
    Sync,
    finding,
    names,
    scan,
    webapp,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM


class TestDeleted:
    """A web application that is not there any more, or out of the account's scope."""

    LEFT: Final = Sync([webapp(1)], [finding(1), finding(2)])

    def test_it_is_listed_and_stays_open(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(self.LEFT)

        assert cvm.open() == names(1, 2, 3, 4)
        assert loaded.report["webapps_gone"] == [{"id": 2, "name": "App 2", "open": 2}]
        assert loaded.report["closing"]["open_after"] == 4

    def test_it_is_closed_when_asked_for(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(self.LEFT, close_deleted_webapps=True)

        assert cvm.open() == names(1, 2)
        assert loaded.report["closing"]["deleted_webapps"] == 2
        assert loaded.report["closing"]["gone"] == 0

    def test_it_is_listed_until_it_is_closed(self, cvm: CVM) -> None:
        cvm.load(BEFORE)
        cvm.load(self.LEFT)

        assert [one["id"] for one in cvm.load(self.LEFT).report["webapps_gone"]] == [2]
        cvm.load(self.LEFT, close_deleted_webapps=True)
        assert cvm.load(self.LEFT).report["webapps_gone"] == []

    @pytest.mark.parametrize("name", ["webapp_ids", "webapp_tag_ids", "webapp_name_contains"])
    def test_one_that_the_tap_was_told_to_leave_out_is_not_deleted(
        self, name: str, cvm: CVM
    ) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(
            replace(self.LEFT, proof={"filters": {name: [1]}}), close_deleted_webapps=True
        )

        assert loaded.report["proof"]["proven"]
        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_without_a_proof_nobody_is_called_deleted(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(replace(self.LEFT, proof=None), close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)


class TestClean:
    """A web application without findings is seen, too."""

    def test_one_that_was_scanned_is_an_asset_without_findings(self, cvm: CVM) -> None:
        loaded = cvm.load(BEFORE)
        assert "https://app1.example.test/" not in [asset["url"] for asset in loaded.assets]

        loaded = cvm.load(Sync([*APPS, webapp(3)], [finding(1)]))

        clean = loaded.asset("https://app3.example.test/")
        assert (clean["vulns"], clean["application"], clean["external_id"]) == ([], "App 3", "3")
        assert clean["tags"] == ["Production", "App 3"]
        assert clean["last_seen_at"] == LAST

    def test_one_that_was_never_scanned_makes_no_asset(self, cvm: CVM) -> None:
        running = scan(2, status="RUNNING")
        processing = scan(3, summary={"resultsStatus": "PROCESSING"})
        apps = [*APPS, webapp(3)]

        loaded = cvm.load(Sync(apps, [finding(1)], scans=[scan(1), running, processing]))

        assert [asset["url"] for asset in loaded.assets] == ["https://app1.example.test/page1"]

    @pytest.mark.parametrize(
        ("ended", "there"), [("2026-03-01T08:00:01Z", True), (LAST, False), (None, False)]
    )
    def test_an_incremental_sync_holds_those_scanned_since_the_last_one(
        self, ended: str | None, there: bool, cvm: CVM
    ) -> None:
        scans = [scan(1, ended)] if ended else []

        loaded = cvm.load(Sync(APPS, scans=scans, mode="incremental"))

        assert bool(loaded.assets) == there

    def test_its_last_seen_time_moves_in_cvm(self, cvm: CVM) -> None:
        cvm.load(Sync([webapp()], scans=[scan(1, "2026-02-01T08:00:00Z")]))

        cvm.load(Sync([webapp()], scans=[scan(1, LAST)]))

        (asset,) = cvm.tenant.state.assets.values()
        assert asset.last_seen.strftime("%Y-%m-%dT%H:%M:%SZ") == LAST
