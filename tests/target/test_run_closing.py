"""What a load lacks is closed when the load was proven to be whole, and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import (
    LAST,
    STATE,
    Sync,
    entry,
    finding,
    fixed,
    joined,
    name_of,
    names,
    record,
    scan,
    schema,
    webapp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.target.loads import CVM

APPS: Final = [webapp(1), webapp(2)]
BEFORE: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2), finding(4, 2)])
AFTER: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2)])
"""One finding, on an asset of its own, is gone."""


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


def unproven(**changes: object) -> Sync:
    return replace(AFTER, proof=changes)


def stale(hours: float) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        began = cvm.clock.now() + timedelta(hours=1) - timedelta(hours=hours)
        return replace(AFTER, started=began.strftime("%Y-%m-%dT%H:%M:%SZ"))

    return made


def miscounted(stream: str, difference: int) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        counts = {name: len(rows) for name, rows in AFTER.streams().items()}
        counts[stream] += difference
        return unproven(streams=AFTER.sync_row(counts, cvm.clock.now())["streams"])

    return made


def without(stream: str) -> Callable[[CVM], Sync]:
    def made(cvm: CVM) -> Sync:
        counts = {n: len(rows) for n, rows in AFTER.streams().items() if n != stream}
        return unproven(streams=AFTER.sync_row(counts, cvm.clock.now())["streams"])

    return made


FLAWS: Final[Mapping[str, tuple[Callable[[CVM], Sync], str]]] = {
    "no row of syncs": (lambda _: replace(AFTER, proof=None), "no row of syncs"),
    "not complete": (
        lambda _: unproven(complete=False, incompleteReasons=["it began from a cursor"]),
        "it began from a cursor",
    ),
    "another account": (lambda _: unproven(subscription="another"), "another Qualys account"),
    "another host without a subscription": (
        lambda _: unproven(subscription=None),
        "another Qualys account",
    ),
    "a day old": (stale(24.1), "24 hours"),
    "a day ahead": (stale(-24.1), "24 hours"),
    "no beginning": (lambda _: unproven(startedAt=None), "when it began"),
    "older than the newest run": (stale(1.2), "newest run"),
    "one finding fewer": (miscounted("findings", 1), "3 findings arrived of 4"),
    "one finding more": (miscounted("findings", -1), "3 findings arrived of 2"),
    "one web app fewer": (miscounted("webapps", 1), "2 webapps arrived of 3"),
    "findings not read": (without("findings"), "did not read findings"),
    "no knowledge base read": (without("knowledge_base"), "did not read knowledge_base"),
    "a stream not told of": (without("scans"), "scans arrived"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_in_the_proof_closes_nothing_and_is_told(flaw: str, cvm: CVM) -> None:
    made, words = FLAWS[flaw]
    cvm.load(BEFORE)

    loaded = cvm.load(made(cvm))

    assert (loaded.outcome, loaded.exit_code) == ("succeeded_unproven", 0)
    assert loaded.states == [STATE]
    assert words in " ".join(loaded.report["proof"]["reasons"])
    assert words in loaded.report["next_step"]
    assert loaded.closing_files == []
    assert cvm.open() == names(1, 2, 3, 4)


@pytest.mark.parametrize("hours", [23.9, -23.9])
def test_a_proof_holds_for_a_day(hours: float, cvm: CVM) -> None:
    cvm.load(BEFORE)
    cvm.clock.advance(timedelta(hours=48))

    loaded = cvm.load(stale(hours)(cvm))

    assert loaded.report["proof"]["proven"]


def test_records_after_the_proof_make_it_none(cvm: CVM) -> None:
    cvm.load(BEFORE)
    given = AFTER.lines(cvm.clock.now() + timedelta(hours=1))
    late = record("knowledge_base", entry(150001))

    loaded = cvm.load(given + joined(late))

    assert loaded.outcome == "succeeded_unproven"
    assert cvm.open() == names(1, 2, 3, 4)


def test_a_replay_of_an_older_sync_closes_nothing_that_came_since(cvm: CVM) -> None:
    replayed = AFTER.lines(cvm.clock.now() + timedelta(hours=1))
    cvm.load(replayed)
    cvm.load(BEFORE)

    loaded = cvm.load(replayed)

    assert loaded.outcome == "succeeded_unproven"
    assert cvm.open() == names(1, 2, 3, 4)


def test_a_load_of_another_account_leaves_the_ledger_to_its_own(cvm: CVM) -> None:
    cvm.load(BEFORE)
    cvm.load(Sync([webapp(1)], [finding(9)], proof={"subscription": "another"}))
    assert cvm.open() == names(1, 2, 3, 4, 9)

    cvm.load(AFTER)

    assert cvm.open() == names(1, 2, 3, 9)


def test_what_another_account_calls_by_the_same_id_is_another_finding(cvm: CVM) -> None:
    ours = finding(4, uniqueId=None)
    cvm.load(Sync(APPS, [ours, finding(2)]))
    elsewhere: dict[str, Any] = {"uniqueId": None, "url": "https://theirs.example.test/"}
    theirs = [finding(4, **elsewhere), fixed(4, **elsewhere)]

    for row in theirs:
        cvm.load(Sync([webapp(1)], [row], mode="incremental", proof={"subscription": "another"}))

    (held,) = (
        one for one in cvm.held() if one.locators["url"] == "https://app1.example.test/page4"
    )
    assert held.is_open


class TestNobodyTellsTheAccount:
    """A tap that died before its last word has not said whose findings it read."""

    @pytest.mark.parametrize("before", [[], [BEFORE]], ids=["at first", "later"])
    def test_what_it_brought_is_closed_like_all_else_when_it_is_gone(
        self, before: list[Sync], cvm: CVM
    ) -> None:
        for sync in before:
            cvm.load(sync)
        cvm.load(replace(BEFORE, findings=[*BEFORE.findings, finding(9)], proof=None))
        assert cvm.open() == names(1, 2, 3, 4, 9)

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)

    def test_an_application_that_is_known_under_another_name_is_of_somebody_else(
        self, cvm: CVM
    ) -> None:
        cvm.load(BEFORE)
        other = {"id": 1, "name": "Their shop", "url": "https://theirs.example.test/"}
        theirs = finding(9, url="https://theirs.example.test/page", webApp=other)
        cvm.load(Sync(findings=[theirs], entries=[], proof=None))

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3, 9)

    def test_an_application_with_findings_of_ours_is_ours_under_any_name(self, cvm: CVM) -> None:
        cvm.load(BEFORE)
        renamed = {"id": 2, "name": "Shop", "url": "https://app2.example.test/"}
        rows = [finding(number, 2, webApp=renamed) for number in (3, 4, 9)]
        cvm.load(Sync([webapp(2, name="Shop")], rows, proof=None))

        cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)


class TestRejected:
    """What was lost on the way here is not gone."""

    MANY: Final = [finding(number, 2) for number in range(100, 300)]

    def lose(self, cvm: CVM, lost: dict[str, Any]) -> dict[str, Any]:
        """Load with findings 4 and 5 gone, and one row that cannot be read."""
        cvm.load(Sync(APPS, [finding(1), finding(4, 2), finding(5, 2), *self.MANY]))
        loaded = cvm.load(Sync(APPS, [finding(1), *self.MANY, lost]))
        assert loaded.exit_code == 0
        assert len(loaded.rejected) == 1
        return loaded.report

    def test_its_asset_stays_open_and_others_close(self, cvm: CVM) -> None:
        report = self.lose(cvm, finding(4, 2, severity="high"))

        assert cvm.open() >= names(1, 4)
        assert cvm.closed() == names(5)
        assert report["proof"]["proven"]

    def test_all_stays_open_when_nobody_knows_whose_it_was(self, cvm: CVM) -> None:
        report = self.lose(cvm, {"uniqueId": name_of(4), "qid": 1, "severity": "high"})

        assert cvm.open() >= names(1, 4, 5)
        assert not report["proof"]["proven"]

    def test_it_stays_open_where_it_was_if_it_moved(self, cvm: CVM) -> None:
        elsewhere = "https://app2.example.test/elsewhere"

        self.lose(cvm, finding(4, 2, url=elsewhere, severity="high"))

        assert cvm.open() >= names(1, 4)
        assert cvm.closed() == names(5)

    def test_a_lost_web_application_keeps_all_of_its_own_open(self, cvm: CVM) -> None:
        apps = [webapp(number) for number in range(1, 101)]
        cvm.load(Sync(apps, [finding(1), finding(4, 2), finding(5, 3), *self.MANY]))
        apps[1] = webapp(2, url=["no", "text"])

        cvm.load(Sync(apps, [finding(1), *self.MANY]))

        assert cvm.open() >= names(1, 4)
        assert cvm.closed() == names(5)


class TestNotProven:
    """A web application that the tap could not read to the end is told by the row of syncs."""

    def test_it_keeps_all_of_its_own_open_and_is_named(self, cvm: CVM) -> None:
        cvm.load(BEFORE)

        loaded = cvm.load(Sync(APPS, [finding(1)], proof={"notProven": [2]}))

        assert cvm.open() == names(1, 3, 4)
        assert loaded.report["webapps_not_proven"] == [{"id": 2, "name": "App 2", "open": 0}]

    def test_one_of_two_that_share_an_asset_holds_it(self, cvm: CVM) -> None:
        url = "https://shared.example.test/"
        both = [finding(1, 1, url=url), finding(2, 2, url=url)]
        cvm.load(Sync(APPS, [*both, finding(3)]))

        cvm.load(Sync(APPS, [both[0]], proof={"notProven": [2]}))

        assert cvm.open() == names(1, 2)


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


def test_a_stream_of_scan_results_is_counted_for_the_proof(cvm: CVM) -> None:
    cvm.load(BEFORE)
    counts = {name: len(rows) for name, rows in AFTER.streams().items()} | {"scan_results": 1}
    now = cvm.clock.now() + timedelta(hours=1)
    proof = {"streams": AFTER.sync_row(counts, now)["streams"]}
    head = joined(schema("scan_results"), record("scan_results", {"resultId": "a"}))

    loaded = cvm.load(head + replace(AFTER, proof=proof).lines(now))

    assert loaded.report["proof"]["proven"]
    assert cvm.open() == names(1, 2, 3)
