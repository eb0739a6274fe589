"""What a proven load lacks is closed by name, once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.target.plan.one_gone import AFTER, APPS, BEFORE
from tests.target.streams import LAST, Row, Sync, finding, joined, names, record, schema

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

PAGE: Final = "https://app2.example.test/page4"


def definition_of(loaded: Loaded, item: Row) -> Row:
    found: Row
    (found,) = (
        one
        for document in loaded.documents.values()
        for one in document["vuln_defs"]
        if one["name"] == item["vuln_def_name"]
    )
    assert found["solution"]
    return found


class TestGone:
    def test_it_is_closed_by_its_name(self, cvm: CVM) -> None:
        before = cvm.load(BEFORE)

        loaded = cvm.load(AFTER)

        assert cvm.open() == names(1, 2, 3)
        (item,) = loaded.asset(PAGE)["vulns"]
        assert item["status"] == "closed"
        assert item["vuln_def_name"] == before.items()["finding-4"]["vuln_def_name"]
        assert definition_of(loaded, item) == definition_of(before, item)
        assert item["closed_at"] == loaded.report["source"]["started"]
        assert loaded.closings == {"finding-4": "gone"}
        assert loaded.report["closing"]["gone"] == 1
        assert loaded.report["closing"]["open_after"] == 3
        assert loaded.report["reconciliation"]["closed"] == 1

    def test_an_asset_that_is_in_the_load_for_this_alone_is_as_it_was_last_sent(
        self, cvm: CVM
    ) -> None:
        cvm.begin(BEFORE)

        asset = cvm.load(AFTER).asset(PAGE)

        del asset["vulns"]
        assert asset == {
            "url": PAGE,
            "external_id": "2",
            "application": "App 2",
            "last_seen_at": LAST,
        }

    def test_it_is_closed_once(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.load(AFTER)

        loaded = cvm.load(AFTER)

        assert loaded.closings == {}
        assert PAGE not in [asset["url"] for asset in loaded.assets]

    def test_what_is_gone_beside_others_on_its_asset_is_closed(self, cvm: CVM) -> None:
        url = "https://app1.example.test/shared"
        cvm.load(Sync(APPS, [finding(1, url=url), finding(2, url=url)]))

        loaded = cvm.load(Sync(APPS, [finding(1, url=url)]))

        assert cvm.open() == names(1)
        assert loaded.report["closing"]["gone"] == 1

    def test_a_web_application_of_which_all_is_gone_is_clean(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(Sync(APPS, [finding(1), finding(2)]))

        assert cvm.open() == names(1, 2)
        assert loaded.asset("https://app2.example.test/")["vulns"] == []

    def test_an_incremental_sync_calls_nothing_gone(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(replace(AFTER, mode="incremental"))

        assert loaded.outcome == "succeeded"
        assert loaded.closings == {}
        assert cvm.open() == names(1, 2, 3, 4)

    def test_nothing_is_called_gone_when_the_setting_says_never(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(AFTER, close_gone="never")

        assert loaded.outcome == "succeeded"
        proof = loaded.report["proof"]
        assert (proof["proven"], proof["reasons"]) == (False, ["close_gone is never"])
        assert cvm.open() == names(1, 2, 3, 4)

    def test_the_findings_model_closes_too(self, cvm: CVM) -> None:
        cvm.load(BEFORE, data_model="findings")

        loaded = cvm.load(AFTER, data_model="findings")

        assert cvm.open() == names(1, 2, 3)
        assert cvm.closed() == names(4)
        assert loaded.items("findings")["finding-4"]["triage_state"] == "resolved"

    def test_one_that_comes_again_is_open_again(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        cvm.load(AFTER)

        loaded = cvm.load(BEFORE)

        assert cvm.open() == names(1, 2, 3, 4)
        assert loaded.report["reconciliation"]["reopened"] == 1
        assert [row["cause"] for row in loaded.changes] == ["again"]


class TestCovered:
    """Only what the sync has read to its end is called gone."""

    def test_a_finding_of_a_type_that_was_not_read_stays(self, cvm: CVM) -> None:
        info = finding(5, type="INFORMATION_GATHERED", status=None)
        cvm.load(replace(BEFORE, findings=[*BEFORE.findings, info]))

        loaded = cvm.load(replace(AFTER, coverage={"findingTypes": ["VULNERABILITY"]}))

        assert cvm.open() == names(1, 2, 3, 5)
        assert left(loaded) == {"type not read": 1}

    def test_a_finding_of_a_web_application_that_was_not_read_stays(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        one = Sync(APPS[:1], [finding(1)], coverage={"wholeAccount": False})

        loaded = cvm.load(replace(one, proof={"filters": {"webapp_ids": [1]}}))

        assert cvm.open() == names(1, 3, 4)
        assert left(loaded) == {"web app not read": 2}

    def test_a_finding_of_a_web_application_that_came_or_went_meanwhile_stays(
        self, cvm: CVM
    ) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(replace(AFTER, changed=[2]))

        assert cvm.open() == names(1, 2, 3, 4)
        assert left(loaded) == {"web app not proven": 1}

    def test_a_finding_of_no_web_application_needs_a_sync_of_the_whole_account(
        self, cvm: CVM
    ) -> None:
        cvm.load(replace(BEFORE, findings=[*BEFORE.findings, finding(5, webApp=None)]))
        part = replace(AFTER, coverage={"wholeAccount": False})

        assert left(cvm.load(part)) == {"web app not read": 1}
        assert cvm.open() == names(1, 2, 3, 5)
        cvm.load(AFTER)
        assert cvm.open() == names(1, 2, 3)


def left(loaded: Loaded) -> dict[str, int]:
    """Give why open entries stay as they are."""
    return {one["cause"]: one["count"] for one in loaded.report["coverage"]["left"]}


def test_a_stream_of_scan_results_is_counted_for_the_proof(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    counts = {name: len(rows) for name, rows in AFTER.streams().items()} | {"scan_results": 1}
    now = cvm.clock.now() + timedelta(hours=1)
    proof = {"streams": AFTER.sync_row(counts, now)["streams"]}
    head = joined(schema("scan_results"), record("scan_results", {"resultId": "a"}))

    loaded = cvm.load(head + replace(AFTER, proof=proof).lines(now))

    assert loaded.report["proof"]["proven"]
    assert cvm.open() == names(1, 2, 3)


def test_a_web_application_without_a_number_may_be_told_as_0(cvm: CVM) -> None:
    """Identifiers have 0 for none, and no sync reads a web application of that number."""
    row = finding(2, webApp={"id": 0, "url": "https://app.example.test/"})
    cvm.begin(Sync(APPS, [finding(1), row]))

    loaded = cvm.load(Sync(APPS, [finding(1)]))

    assert loaded.closings == {"finding-2": "gone"}
    assert cvm.open() == names(1)
