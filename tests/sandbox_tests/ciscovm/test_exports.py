"""Data exports of the sandbox's CVM: what they hold, and how they go wrong."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.ciscovm.openapi_file import rows_of
from tests.sandbox_tests.loads import Caller, asset, document, finding, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.sandbox_tests.loads import JSON

LOAD = document(
    asset(vuln("a"), vuln("b"), external_id="7", application="One"),
    {"url": "https://two.example.test/", "vulns": [vuln("c")], "findings": [finding("f")]},
)
ALL = ["open", "closed", "risk accepted", "false positive"]


def opened(**switches: Any) -> Sandbox:  # noqa: ANN401
    made = Switches(rate_limit=0, run_seconds=0, **switches)
    return Sandbox(apps=1, findings=1, scans=1, switches=made)


@pytest.fixture
def client() -> Iterator[Caller]:
    with opened() as sandbox:
        caller = Caller(sandbox)
        caller.load(LOAD)
        yield caller


def fetched(
    client: Caller, model: str, fields: Sequence[str] = (), **filters: object
) -> list[JSON]:
    number = client.export(model, "jsonl", fields, **filters).json()["search_id"]
    return rows_of(client.get("/data_exports", search_id=number))[1]


def identifiers(rows: list[JSON]) -> list[str]:
    told = [entry for row in rows for entry in row["scanner_vulnerabilities"]]
    return sorted(entry["external_unique_id"] for entry in told)


def test_an_export_has_more_rows_than_any_page(client: Caller) -> None:
    client.load(document(asset(*(vuln(f"v{number}") for number in range(600)))))

    assert len(fetched(client, "vulnerability", status=ALL)) == 600 + 3
    assert len(client.get("/vulnerabilities/search").json()["vulnerabilities"]) == 500


def test_closed_and_judged_vulnerabilities_must_be_asked_for(client: Caller) -> None:
    client.sandbox.tenant.people.judge("a", "false_positive")
    client.sandbox.tenant.people.judge("b", "closed")

    assert identifiers(fetched(client, "vulnerability")) == ["c"]
    assert identifiers(fetched(client, "vulnerability", status=ALL)) == ["a", "b", "c"]


@pytest.mark.parametrize("inactive", [False, True])
def test_vulnerabilities_of_inactive_assets_can_be_searched(*, inactive: bool) -> None:
    with opened(export_inactive=inactive) as sandbox:
        client = Caller(sandbox)
        client.load(LOAD)
        sandbox.tenant.inactivity_days = 30
        sandbox.clock.advance(timedelta(days=60))

        exported = identifiers(fetched(client, "vulnerability", status=ALL))
        assert exported == (["a", "b", "c"] if inactive else [])
        search = {"asset[status][]": ["active", "inactive"]}
        shown = client.get("/vulnerabilities/search", **search).json()
        assert identifiers(shown["vulnerabilities"]) == ["a", "b", "c"]


def test_an_export_is_of_the_moment_when_it_was_asked_for(client: Caller) -> None:
    number = client.export("vulnerability").json()["search_id"]
    client.load(document(asset(vuln("later"))))

    told = rows_of(client.get("/data_exports", search_id=number))[1]
    assert identifiers(told) == ["a", "b", "c"]


def test_connectors_are_told_apart_by_name_only(client: Caller) -> None:
    own = client.sandbox.tenant.connector(client.sandbox.connector_id).name
    assert len(fetched(client, "vulnerability", connector_names=[own])) == 3
    assert fetched(client, "vulnerability", connector_names=["Other"]) == []


def test_assets_with_the_fields_asked_for(client: Caller) -> None:
    every = {"status": ["active", "inactive"], "exclude_child_filter": ["Include all assets"]}
    rows = fetched(client, "asset", ["url", "external_id"], **every)
    assert [(set(row), row["external_id"]) for row in rows] == [
        ({"id", "url", "external_id"}, "7"),
        ({"id", "url", "external_id"}, None),
    ]


def test_findings_where_they_can_be_exported(client: Caller) -> None:
    assert [row["external_unique_id"] for row in fetched(client, "finding")] == ["f"]
    with opened(finding_exports=False) as sandbox:
        assert Caller(sandbox).export("finding").status_code == 400


def test_an_export_takes_its_time() -> None:
    with opened(export_seconds=600) as sandbox:
        client = Caller(sandbox)
        number = client.export("vulnerability").json()["search_id"]
        told = []
        for seconds in (0, 400, 400):
            sandbox.clock.advance(timedelta(seconds=seconds))
            answer = client.get("/data_exports/status", search_id=number)
            told.append((answer.status_code, answer.json()["message"].split(".")[0]))

        assert told == [
            (206, "The export is currently enqueued"),
            (206, "The export is currently processing"),
            (200, "Export ready for download"),
        ]


def test_a_download_breaks_off_once(client: Caller) -> None:
    client.sandbox.faults.arm("export-cut")
    number = client.export("vulnerability").json()["search_id"]
    with pytest.raises(requests.RequestException):
        client.get("/data_exports", search_id=number)
    assert len(rows_of(client.get("/data_exports", search_id=number))[1]) == 3


def test_an_export_that_is_killed_cannot_be_fetched_again(client: Caller) -> None:
    client.sandbox.faults.arm("export-killed")
    number = client.export("vulnerability").json()["search_id"]
    with pytest.raises(requests.RequestException):
        client.get("/data_exports", search_id=number)
    assert client.get("/data_exports", search_id=number).status_code == 400
    assert client.get("/data_exports/status", search_id=number).status_code == 500


def test_a_gzip_file_ends_in_the_middle_once(client: Caller) -> None:
    client.sandbox.faults.arm("export-bad-gzip")
    number = client.export("vulnerability").json()["search_id"]
    with pytest.raises(EOFError):
        gzip.decompress(client.get("/data_exports", search_id=number).content)
    assert len(rows_of(client.get("/data_exports", search_id=number))[1]) == 3


def test_an_export_has_fewer_rows_than_told(client: Caller) -> None:
    client.sandbox.faults.arm("export-short")
    asked = client.export("vulnerability").json()
    rows = rows_of(client.get("/data_exports", search_id=asked["search_id"]))[1]
    assert (asked["record_count"], len(rows)) == (3, 1)


@pytest.mark.parametrize("path", ["/assets/search", "/vulnerabilities/search", "/findings"])
def test_searches_may_be_refused(client: Caller, path: str) -> None:
    client.sandbox.faults.arm("search-refused")
    assert client.get(path).status_code == 403
    assert client.get("/connectors").status_code == 200
