"""Web applications that are gone, and those that are clean."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.loads import HOUR
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

DROPPED: Final = {"webapps": "id"}


class TestDeleted:
    """A web application that is not there any more, or out of the account's scope.

    One proven sync that lacks it is not enough: scopes of accounts are changed and changed back.
    """

    LEFT: Final = Sync([webapp(1)], [finding(1), finding(2)])
    GONE: Final = [{"id": 2, "name": "App 2", "open": 2}]

    def lack(self, cvm: CVM, sync: Sync = LEFT, days: float = 1) -> None:
        """Load a sync that lacks a web application, and let so many days go by."""
        cvm.load(BEFORE)
        cvm.load(sync)
        cvm.clock.advance(timedelta(days=days) - HOUR)

    def test_it_is_listed_after_a_day_and_stays_open(self, cvm: CVM) -> None:
        self.lack(cvm)

        loaded = cvm.load(self.LEFT)

        assert cvm.open() == names(1, 2, 3, 4)
        assert loaded.report["webapps_gone"] == self.GONE
        assert loaded.report["closing"]["open_after"] == 4

    @pytest.mark.parametrize(("days", "closes"), [(0.99, False), (1, True)])
    def test_it_is_closed_when_asked_for_and_missing_for_a_day(
        self, days: float, closes: bool, cvm: CVM
    ) -> None:
        self.lack(cvm, days=days)

        loaded = cvm.load(self.LEFT, close_deleted_webapps=True)

        assert cvm.open() == (names(1, 2) if closes else names(1, 2, 3, 4))
        assert loaded.report["closing"]["deleted_webapps"] == (2 if closes else 0)
        assert loaded.report["closing"]["gone"] == 0
        assert set(loaded.closings.values()) == ({"deleted web app"} if closes else set())

    def test_one_proven_sync_is_not_enough_however_long_ago_it_was_seen(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.clock.advance(timedelta(days=9))

        loaded = cvm.load(self.LEFT, close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_one_whose_row_a_stream_map_has_dropped_is_not_missing(self, cvm: CVM) -> None:
        maps = {name: {"__filter__": f"{key} != 2"} for name, key in DROPPED.items()}
        cvm.begin(BEFORE)
        cvm.load(BEFORE, stream_maps=maps)
        cvm.clock.advance(timedelta(days=1))

        loaded = cvm.load(BEFORE, stream_maps=maps, close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_one_that_was_seen_meanwhile_is_missing_anew(self, cvm: CVM) -> None:
        self.lack(cvm)
        cvm.load(BEFORE)

        loaded = cvm.load(self.LEFT, close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_a_sync_of_before_it_was_there_comes_again_and_is_none_that_lacks_it(
        self, cvm: CVM
    ) -> None:
        before = cvm.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        cvm.clock.advance(timedelta(days=9))
        cvm.load(BEFORE)
        cvm.load(replace(self.LEFT, started=before))

        loaded = cvm.load(self.LEFT, close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_it_is_listed_until_it_is_closed(self, cvm: CVM) -> None:
        self.lack(cvm)
        cvm.load(self.LEFT)

        assert cvm.load(self.LEFT).report["webapps_gone"] == self.GONE
        cvm.load(self.LEFT, close_deleted_webapps=True)
        assert cvm.load(self.LEFT).report["webapps_gone"] == []

    def test_another_login_that_was_never_shown_it_calls_nothing_deleted(self, cvm: CVM) -> None:
        other = replace(self.LEFT, proof={"login": "another"})
        self.lack(cvm, other)

        loaded = cvm.load(other, close_deleted_webapps=True)

        assert loaded.report["proof"]["proven"]
        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    @pytest.mark.parametrize(
        "flaw",
        [
            {"coverage": {"wholeAccount": False}},
            {"changed": [2]},
            {"not_proven": [2]},
            {"proof": None},
            {"proof": {"complete": False}},
        ],
        ids=["a filter", "changed", "not proven", "without a proof", "not complete"],
    )
    @pytest.mark.parametrize("when", ["first", "last"])
    def test_both_syncs_must_show_that_it_is_missing(
        self, when: str, flaw: dict[str, Any], cvm: CVM
    ) -> None:
        flawed = replace(self.LEFT, **flaw)
        self.lack(cvm, flawed if when == "first" else self.LEFT)

        loaded = cvm.load(flawed if when == "last" else self.LEFT, close_deleted_webapps=True)

        assert loaded.report["webapps_gone"] == []
        assert cvm.open() == names(1, 2, 3, 4)

    def test_it_counts_for_the_guard(self, cvm: CVM) -> None:
        many = [finding(number, 2) for number in range(10, 40)]
        cvm.load(Sync(APPS, [finding(1), *many]))
        left = Sync([webapp(1)], [finding(1)])
        cvm.load(left)
        cvm.clock.advance(timedelta(days=1))

        loaded = cvm.load(left, close_deleted_webapps=True)

        assert loaded.outcome == "failed"
        assert "deleted web app 30" in loaded.message
        assert len(cvm.open()) == 31


class TestNotCovered:
    """Web applications that no sync has covered for a month are listed."""

    ONE: Final = Sync(
        [webapp(1)], [finding(1)], coverage={"wholeAccount": False}, proof={"login": "another"}
    )

    @pytest.mark.parametrize(("days", "listed"), [(29, False), (31, True)])
    def test_after_thirty_days(self, days: int, listed: bool, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.clock.advance(timedelta(days=days))

        loaded = cvm.load(self.ONE)

        expected = [{"id": 2, "name": "", "open": 2}] if listed else []
        assert loaded.report["webapps_not_covered"] == expected
        assert cvm.open() == names(1, 3, 4)

    def test_what_was_read_from_cvm_is_listed_too(self, cvm: CVM) -> None:
        cvm.load(BEFORE)
        cvm.ledger.unlink()
        cvm.load(self.ONE)
        cvm.clock.advance(timedelta(days=31))

        loaded = cvm.load(self.ONE)

        assert loaded.report["webapps_not_covered"] == [{"id": 2, "name": "", "open": 2}]

    def test_and_counted_where_its_web_application_is_not_proven(self, cvm: CVM) -> None:
        cvm.load(BEFORE)
        cvm.ledger.unlink()

        loaded = cvm.load(replace(BEFORE, findings=BEFORE.findings[:2], not_proven=[2]))

        assert loaded.report["webapps_not_proven"] == [{"id": 2, "name": "App 2", "open": 2}]


class TestRenamed:
    """The name of a web application is no identity with the default order of locators."""

    def test_it_is_told_and_its_findings_stay(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        renamed = {"id": 2, "name": "Shop", "url": "https://app2.example.test/"}
        rows = [*BEFORE.findings[:2], *(finding(number, 2, webApp=renamed) for number in (3, 4))]

        loaded = cvm.load(Sync([webapp(1), webapp(2, name="Shop")], rows))

        assert loaded.report["webapps_renamed"] == [{"id": 2, "before": "App 2", "now": "Shop"}]
        assert any("App 2 is now Shop" in warning for warning in loaded.report["warnings"])
        assert loaded.changes == []
        assert cvm.open() == names(1, 2, 3, 4)
        assert cvm.load(BEFORE).report["webapps_renamed"]

    def test_it_is_told_once(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        after = replace(BEFORE, webapps=[webapp(1), webapp(2, name="Shop")])
        cvm.load(after)

        assert cvm.load(after).report["webapps_renamed"] == []

    def test_control_characters_in_its_name_are_not_logged(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(replace(BEFORE, webapps=[webapp(1), webapp(2, name="S\x1b[31m\nhop")]))

        (warning,) = loaded.report["warnings"]
        assert warning.isprintable()


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

    def test_its_asset_is_new_once(self, cvm: CVM) -> None:
        sync = Sync([*APPS, webapp(3)], [finding(1), finding(3, 2)])

        told = [cvm.load(sync).report["changes"]["new_assets"] for _ in range(2)]

        assert told == [3, 0]

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
