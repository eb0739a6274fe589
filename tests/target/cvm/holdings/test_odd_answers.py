"""Answers that the sandbox does not give: other forms, more than is shown, and what is not told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_ciscovm.cvm.holdings.holdings import open_holdings
from target_ciscovm.errors import HoldingsUnavailable
from tests.target.cvm.holdings.exporter import Exporter
from tests.target.cvm.listing import IMPORTER, listing
from tests.target.cvm.quick import CONNECTOR, connect
from tests.target.cvm.scripted_server import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.cvm.holdings.holding import Holding
    from tests.target.cvm.scripted_server import ScriptedServer

    JSON = dict[str, Any]

RUNS = f"/connectors/{CONNECTOR}/connector_runs"
ASSET = {"id": 5, "status": "active", "url": "https://one.example.test/"}


def vulnerability(**changes: object) -> JSON:
    return {
        "id": 9,
        "asset_id": 5,
        "status": "open",
        "scanner_vulnerabilities": [{"port": None, "external_unique_id": "V-7-a", "open": True}],
        "connectors": [{"id": CONNECTOR, "name": IMPORTER["name"]}],
    } | changes


def lines(*rows: JSON) -> Reply:
    return Reply(text="".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture
def server(server: ScriptedServer) -> ScriptedServer:
    server.script("GET", "/connectors", listing(IMPORTER))
    server.script("POST", "/data_exports", Reply(json={"search_id": 1, "record_count": 1}))
    server.script("GET", "/data_exports/status", Reply(json={"message": "ready"}))
    empty = {"vulnerabilities": [], "meta": {"total_count": 0}}
    server.script("GET", "/vulnerabilities/search", Reply(json=empty))
    server.script("GET", RUNS, Reply(json=[]))
    server.script("GET", "/assets/search", Reply(json={"assets": [ASSET], "meta": {}}))
    return server


def instead(server: ScriptedServer, method: str, path: str, *replies: Reply) -> None:
    """Answer otherwise than by default."""
    server._replies[method, path] = list(replies)


def read(server: ScriptedServer, folder: Path, model: Any = "vulnerabilities") -> list[Holding]:  # noqa: ANN401
    return read_from(connect(server), folder, model)


def read_from(api: CiscoVMClient, folder: Path, model: Any = "vulnerabilities") -> list[Holding]:  # noqa: ANN401
    with open_holdings(api, model, folder, timeout_seconds=60) as found:
        return list(found)


def test_a_file_that_was_unpacked_on_the_way(server: ScriptedServer, tmp_path: Path) -> None:
    server.script("GET", "/data_exports", lines(vulnerability()))

    (found,) = read(server, tmp_path)

    assert (found.identifier, found.open, found.vulnerability_id) == ("V-7-a", True, 9)


def test_numbers_as_text_and_more_rows_than_told(server: ScriptedServer, tmp_path: Path) -> None:
    entry = {"external_unique_id": 4711, "open": "true"}
    row = vulnerability(id="9", asset_id="5", scanner_vulnerabilities=[entry], connectors=None)
    server.script("GET", "/data_exports", lines(row, vulnerability(id=10)))

    found = read(server, tmp_path)

    assert [(one.vulnerability_id, one.identifier) for one in found] == [(9, "4711"), (10, "V-7-a")]
    assert (found[0].open, found[0].owners) == (True, ())


@pytest.mark.parametrize(
    ("status", "is_open"), [("open", True), ("closed_by_human", False), ("new_word", None)]
)
def test_an_entry_that_does_not_say_whether_it_is_open(
    server: ScriptedServer, tmp_path: Path, status: str, is_open: bool | None
) -> None:
    entries = [{"external_unique_id": "V-7-a"}, {"external_unique_id": ""}, {}]
    row = vulnerability(status=status, scanner_vulnerabilities=entries)
    server.script("GET", "/data_exports", lines(row))

    assert [one.open for one in read(server, tmp_path)] == [is_open]


def test_a_connector_that_is_told_without_its_number(
    server: ScriptedServer, tmp_path: Path
) -> None:
    row = vulnerability(connectors=[{"name": IMPORTER["name"]}])
    server.script("GET", "/data_exports", lines(row))

    assert [one.identifier for one in read(server, tmp_path)] == ["V-7-a"]


def test_what_people_made_in_cvm_has_no_scanners_entry(
    server: ScriptedServer, tmp_path: Path
) -> None:
    by_hand = vulnerability(id=8, scanner_vulnerabilities=None, notes="x" * 1_000_000)
    server.script("GET", "/data_exports", lines(by_hand, vulnerability()))

    assert [one.vulnerability_id for one in read(server, tmp_path)] == [9]


def test_a_number_that_no_table_has_is_not_as_cvm_describes_it(
    server: ScriptedServer, tmp_path: Path
) -> None:
    server.script("GET", "/data_exports", lines(vulnerability(id=2**70)))
    instead(server, "GET", "/vulnerabilities/search", Reply(403, {"message": "no"}))

    with pytest.raises(HoldingsUnavailable, match="line 1 of its file is not as CVM describes it"):
        read(server, tmp_path)


def test_an_identifier_that_one_connector_has_on_two_ports(
    server: ScriptedServer, tmp_path: Path
) -> None:
    entries = [{"external_unique_id": "V-7-a", "open": is_open} for is_open in (False, True)]
    server.script("GET", "/data_exports", lines(vulnerability(scanner_vulnerabilities=entries)))

    assert [one.open for one in read(server, tmp_path)] == [True]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"id": 9, "asset_id": 5, "status": "open"}),
        json.dumps({"vulnerabilities": [vulnerability()], "meta": {"total_count": 1}}),
        "[1",
    ],
)
def test_a_file_in_another_form_is_not_taken_for_an_empty_one(
    server: ScriptedServer, tmp_path: Path, content: str
) -> None:
    server.script("GET", "/data_exports", Reply(text=content))
    instead(server, "GET", "/vulnerabilities/search", Reply(403, {"message": "no"}))

    with pytest.raises(HoldingsUnavailable, match=r"did not come whole: .*its file"):
        read(server, tmp_path)


def test_a_finding_whose_connector_is_told_by_name_alone(
    server: ScriptedServer, tmp_path: Path
) -> None:
    owners = [None, {"name": "Other"}, {"name": IMPORTER["name"]}]
    rows = [
        {"id": at, "asset_id": 5, "status": "open", "external_unique_id": f"V-7-{at}"}
        | {"connector": owner}
        for at, owner in enumerate(owners)
    ]
    server.script("GET", "/data_exports", lines(*rows))

    found = read(server, tmp_path, "findings")

    assert [(one.identifier, len(one.owners)) for one in found] == [("V-7-0", 0), ("V-7-2", 1)]


@pytest.mark.parametrize(
    ("model", "path", "limit"),
    [
        ("vulnerabilities", "/vulnerabilities/search", "100,000"),
        ("findings", "/findings", "200,000"),
    ],
)
def test_more_than_a_search_can_show(
    server: ScriptedServer, tmp_path: Path, model: str, path: str, limit: str
) -> None:
    instead(server, "POST", "/data_exports", Reply(400, {"message": "model is not valid"}))
    instead(server, "GET", path, Reply(json={model: [], "meta": {"total_count": 240_000}}))

    with pytest.raises(HoldingsUnavailable) as caught:
        read(server, tmp_path, model)

    text = f"A search in CVM shows {limit} {model} at most, and there are 240,000."
    assert str(caught.value).endswith(text)
    assert "model is not valid" in str(caught.value)


@pytest.mark.parametrize("last", [[], [12]], ids=["an empty page", "the same page again"])
def test_where_cvm_does_not_tell_how_many_there_are_pages_are_read_until_nothing_new_comes(
    server: ScriptedServer, tmp_path: Path, last: list[int]
) -> None:
    """Its pages may be smaller than asked for."""
    instead(server, "POST", "/data_exports", Reply(403, {"message": "no"}))
    pages = [
        {"vulnerabilities": [vulnerability(id=n) for n in ids]} for ids in ([9, 10], [12], last)
    ]
    instead(server, "GET", "/vulnerabilities/search", *(Reply(json=page) for page in pages))

    assert [one.vulnerability_id for one in read(server, tmp_path)] == [9, 10, 12]


@pytest.mark.parametrize("entries", [99, pytest.param(100_001, marks=pytest.mark.long)])
def test_more_on_inactive_assets_than_a_search_can_show(entries: int, tmp_path: Path) -> None:
    total = 100_001
    with Exporter(entries, 9, inactive=total) as cvm:
        api = connect(cvm.url)
        if entries < total:
            with pytest.raises(HoldingsUnavailable, match=r"100,000 .* and there are 100,001"):
                read_from(api, tmp_path)
        else:
            assert len(read_from(api, tmp_path)) == entries


@pytest.mark.parametrize("meta", [{"pages": 2}, {"total_count": 2}])
def test_pages_that_are_shorter_than_asked_for(
    server: ScriptedServer, tmp_path: Path, meta: JSON
) -> None:
    instead(server, "POST", "/data_exports", Reply(404, {}))
    pages = [{"vulnerabilities": [vulnerability(id=n)], "meta": meta} for n in (1, 2)]
    instead(server, "GET", "/vulnerabilities/search", *(Reply(json=page) for page in pages))

    assert [one.vulnerability_id for one in read(server, tmp_path)] == [1, 2]
    assert len(server.asked("GET", "/vulnerabilities/search")) == 2


def test_an_export_that_is_not_known_yet(server: ScriptedServer, tmp_path: Path) -> None:
    ready = Reply(json={"message": "Export ready for download"})
    instead(server, "GET", "/data_exports/status", Reply(404, {"message": "No search"}), ready)
    server.script("GET", "/data_exports", lines(vulnerability()))

    assert len(read(server, tmp_path)) == 1
    assert len(server.asked("POST", "/data_exports")) == 1


RUN = {"id": 1, "end_time": "2026-03-01T00:00:00Z", "success": True}


@pytest.mark.parametrize(
    ("run", "held"), [({}, 1), ({"processed_scanner_vuln_count": 0}, 0), ({"success": False}, 0)]
)
def test_a_name_that_cvm_cannot_filter_by_is_not_taken_for_an_empty_cvm(
    server: ScriptedServer, tmp_path: Path, run: JSON, held: int
) -> None:
    instead(server, "GET", RUNS, Reply(json=[RUN | run]))
    instead(server, "POST", "/data_exports", Reply(json={"search_id": 1, "record_count": 0}))
    others = [
        vulnerability(id=7, connectors=[{"id": 3, "name": "Other"}]),
        vulnerability(id=8, connectors=[{"name": "Other"}]),
    ]
    server.script("GET", "/data_exports", lines(), lines(*others, vulnerability()))

    assert len(read(server, tmp_path)) == held
    asked = [json.loads(request.body) for request in server.asked("POST", "/data_exports")]
    assert [one.get("connector_names") for one in asked] == [[IMPORTER["name"]], None][: held + 1]


def test_an_asset_that_is_not_told(server: ScriptedServer, tmp_path: Path) -> None:
    server.script("GET", "/data_exports", lines(vulnerability(asset_id=6)))

    with pytest.raises(HoldingsUnavailable, match="does not tell 1 of the assets"):
        read(server, tmp_path)


@pytest.mark.parametrize("status", [404, 405])
def test_an_api_without_exports_and_searches(
    server: ScriptedServer, tmp_path: Path, status: int
) -> None:
    instead(server, "POST", "/data_exports", Reply(status, {}))
    instead(server, "GET", "/vulnerabilities/search", Reply(status, {}))

    with pytest.raises(HoldingsUnavailable) as caught:
        read(server, tmp_path)

    assert f"has no data exports (HTTP {status})" in str(caught.value)
    assert f"has no search for vulnerabilities (HTTP {status})" in str(caught.value)


def test_an_export_without_a_number_is_asked_for_again(
    server: ScriptedServer, tmp_path: Path
) -> None:
    instead(server, "POST", "/data_exports", Reply(json={}), Reply(json={"search_id": "7"}))
    server.script("GET", "/data_exports", lines())

    assert read(server, tmp_path) == []
    (asked,) = server.asked("GET", "/data_exports")
    assert asked.query == [("search_id", "7")]


def test_a_key_that_is_refused_on_the_way(server: ScriptedServer, tmp_path: Path) -> None:
    instead(server, "POST", "/data_exports", Reply(401, {}))
    instead(server, "GET", "/vulnerabilities/search", Reply(401, {}))

    with pytest.raises(HoldingsUnavailable, match="does not accept the API key"):
        read(server, tmp_path)


def test_a_web_page_in_place_of_a_file(server: ScriptedServer, tmp_path: Path) -> None:
    page = Reply(text="<html>maintenance</html>", headers={"Content-Type": "text/html"})
    server.script("GET", "/data_exports", page, lines(vulnerability()))

    assert len(read(server, tmp_path)) == 1
