"""The sandbox's CVM answers in the shapes of Cisco's own OpenAPI file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.ciscovm.openapi_file import Judge, judge, reader, rows_of
from tests.sandbox_tests.loads import asset, document, finding, vuln
from tests.support.recorded import OPENAPI, needs_openapi

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_openapi

# Runs last until a minute has passed in the world: no test waits for it, none is too slow for it.
SLOW = Switches(rate_limit=0, run_seconds=30)
POSITIONS = {
    "defaults": SLOW,
    "texts": replace(SLOW, success_form="text", busy_status=422),
    "misspelt": replace(SLOW, counter_spelling="misspelt", legacy_counts=True),
    "assets": replace(SLOW, payload="asset", upload_validates=True),
}

LOAD = document(
    asset(
        vuln("open"),
        vuln("done", status="closed", closed_at="2026-02-01T00:00:00Z", port=443, details="x"),
        vuln("judged", status="false_positive"),
        application="One",
        tags=["a", "b"],
        owner="Ann",
    ),
    {"application": "Two", "findings": [finding("new"), finding("old", triage_state="resolved")]},
)


@pytest.fixture(scope="module", params=POSITIONS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(apps=1, findings=1, scans=1, switches=POSITIONS[request.param]) as made:
        yield made


@pytest.fixture
def client(sandbox: Sandbox) -> Judge:
    sandbox.faults.disarm()
    sandbox.clock.advance(timedelta(minutes=1))
    sandbox.tenant.settle()  # which ends the run of the test before
    return Judge(OPENAPI, sandbox)


def test_connectors(client: Judge) -> None:
    assert client.get("/connectors").status_code == 200
    assert client.get(client.connector).status_code == 200
    assert client.get("/connectors/1").status_code == 404


def test_a_load_from_upload_to_its_end(client: Judge) -> None:
    run_id = client.start(client.upload(LOAD).json()["data_file"]).json()["connector_run_id"]
    assert client.get(f"{client.connector}/connector_runs").json()[0]["id"] == run_id
    assert client.start(1).status_code in {409, 422}
    assert client.wait(run_id)["failed_payload_count"] == 0
    again = client.upload(LOAD, run="true").json()["connector_run_id"]
    assert client.wait(again)["processed_assets_count"] == 2


def test_a_run_started_by_get_of_its_files(client: Judge) -> None:
    query = {"data_files[]": [client.upload(LOAD).json()["data_file"]]}
    assert client.get(f"{client.connector}/run", **query).status_code == 200


def test_a_run_that_fails(client: Judge, sandbox: Sandbox) -> None:
    sandbox.faults.arm("run-fails")
    run = client.load(LOAD)
    assert (run["success"], run["processed_assets_count"]) in {(False, 0), ("false", 0)}


def test_runs_whose_counters_are_null(client: Judge, sandbox: Sandbox) -> None:
    sandbox.faults.arm("counters-null")
    assert client.load(LOAD)["processed_assets_count"] is None


def test_lists_and_single_objects(client: Judge) -> None:
    client.load(LOAD)
    (asset,) = client.get("/assets").json()["assets"]
    assert client.get("/assets", filter="inactive").json()["assets"] == []
    assert client.get(f"/assets/{asset['id']}").json() == {"asset": asset}
    assert client.get("/assets/1").status_code == 400
    opened = client.get("/vulnerabilities").json()["vulnerabilities"]
    closed = client.get("/vulnerabilities", filter="closed").json()["vulnerabilities"]
    assert [one["identifiers"] for one in (*opened, *closed)] == [["open"], ["done"]]
    every = client.get(f"/assets/{asset['id']}/vulnerabilities").json()["vulnerabilities"]
    assert len(every) == 3
    path = f"/vulnerabilities/{closed[0]['id']}"
    assert client.get(path).json() == {"vulnerability": closed[0]}
    (entry,) = client.get(f"{path}/scanner_vulnerabilities").json()["scanner_vulnerabilities"]
    assert entry == {"details": "x", "solution": ""}
    assert client.get("/vulnerabilities/1").status_code == 404
    found = client.get("/findings").json()["findings"][0]
    assert client.get(f"/findings/{found['id']}").json() == {"finding": found}
    assert client.get("/findings/1").status_code == 404


def test_a_status_set_by_script(client: Judge) -> None:
    client.load(LOAD)
    (opened,) = client.get("/vulnerabilities").json()["vulnerabilities"]
    path = f"/vulnerabilities/{opened['id']}"
    accepted = {"vulnerability": {"status": "risk_accepted"}}
    assert client.call("PUT", path, json=accepted).status_code == 204
    assert client.get(path).json()["vulnerability"]["status"] == "risk_accepted_by_human"
    opened = {"vulnerability": {"status": "open"}}
    assert client.call("PUT", path, json=opened).status_code == 204
    assert client.get(path).json()["vulnerability"]["status"] == "open"
    assert client.call("PUT", path, json={"vulnerability": {}}).status_code == 422
    assert client.call("PUT", "/vulnerabilities/1", json=accepted).status_code == 404


@pytest.mark.parametrize("path", ["/assets", "/vulnerabilities"])
@pytest.mark.parametrize("query", [{"per_page": 10}, {"page": 21}, {"filter": "all"}])
def test_lists_have_one_size_and_two_filters(
    client: Judge, path: str, query: dict[str, object]
) -> None:
    assert client.get(path, **query).status_code == 400


SEARCHES = {
    "/assets/search": {"exclude_child_filter[]": ["Include all assets"]},
    "/vulnerabilities/search": {"status[]": ["open", "closed", "false positive"]},
    "/findings": {"status[]": ["new", "resolved"]},
}


@pytest.mark.parametrize("path", SEARCHES)
def test_searches(client: Judge, path: str) -> None:
    client.load(LOAD)
    name = path.split("/")[1]
    plain, whole = client.get(path).json(), client.get(path, **SEARCHES[path]).json()
    assert 1 <= len(plain[name]) < len(whole[name])
    assert client.get(path, page=0).status_code == 400


STATUSES = {
    "asset": ["active", "inactive"],
    "vulnerability": ["open", "closed", "risk accepted", "false positive"],
    "finding": ["new", "resolved"],
}


@pytest.mark.parametrize("form", ["json", "jsonl"])
@pytest.mark.parametrize("model", STATUSES)
def test_exports_have_what_searches_show(client: Judge, model: str, form: str) -> None:
    client.load(LOAD)
    asked = client.export(model, form, status=STATUSES[model])
    number, count = asked.json()["search_id"], asked.json()["record_count"]
    assert client.get("/data_exports/status", search_id=number).status_code == 200
    name, rows = rows_of(client.get("/data_exports", search_id=number))
    path = next(path for path in SEARCHES if path.startswith(f"/{name}"))
    shown = client.get(path, **{"status[]": STATUSES[model]}).json()[name]
    assert (rows, len(rows)) == (shown, count)
    assert rows


def test_an_export_until_it_has_expired(client: Judge, sandbox: Sandbox) -> None:
    sandbox.faults.arm("export-slow*2")
    number = client.export("asset").json()["search_id"]
    for path in ("/data_exports/status", "/data_exports"):
        assert client.get(path, search_id=number).status_code == 206
    assert client.get("/data_exports", search_id=number).status_code == 200
    sandbox.clock.advance(timedelta(days=31))
    for path in ("/data_exports/status", "/data_exports"):
        assert client.get(path, search_id=number).status_code == 410


def test_an_export_that_fails(client: Judge, sandbox: Sandbox) -> None:
    sandbox.faults.arm("export-failed")
    number = client.export("asset").json()["search_id"]
    assert client.get("/data_exports/status", search_id=number).status_code == 500
    assert client.get("/data_exports", search_id=number).status_code == 400


def test_exports_that_are_refused(client: Judge, sandbox: Sandbox) -> None:
    assert client.get("/data_exports/status", search_id=1).status_code == 404
    assert client.get("/data_exports", search_id=1).status_code == 400
    assert client.export("asset", fields=["id", "colour"]).status_code == 422
    assert client.export("vulnerability", fields=["id"]).status_code == 400
    assert client.export("vulnerability", connectors=["x"]).status_code == 400
    sandbox.faults.arm("export-refused")
    assert client.export("asset").status_code == 403


def test_tags_by_connector_and_by_people(client: Judge, sandbox: Sandbox) -> None:
    client.load(LOAD)
    number = client.get("/assets/search").json()["assets"][0]["id"]
    sandbox.tenant.people.tag(number, "by hand")
    sandbox.tenant.people.tag(number, "by script", by_api=True)
    told = client.get(f"/assets/{number}/tags").json()
    assert told["tags"] == ["a", "b", "by hand", "by script"]
    assert client.get("/assets/1/tags").status_code == 400


def test_the_licence(client: Judge) -> None:
    assert client.get("/entitlements/overage").json() == {"overage_status": False}


def test_refusals(client: Judge, sandbox: Sandbox) -> None:
    data_file = f"{client.connector}/data_file"
    assert client.call("POST", data_file, json={}).status_code == 400
    assert client.get("/connectors/1/connector_runs").status_code == 404
    assert client.get(f"{client.connector}/connector_runs/1").status_code == 404
    sandbox.faults.arm("upload-422", "ciscovm-429+1*1")
    assert client.upload(LOAD).status_code == 422
    assert client.upload(LOAD).status_code == 429
    client.headers = {}
    assert client.get("/connectors").status_code == 401


def test_the_mends_are_needed_and_few(client: Judge, sandbox: Sandbox) -> None:
    from openapi_core.validation.response.exceptions import InvalidData  # noqa: PLC0415

    raw = reader(OPENAPI, sandbox, mended=False)
    with pytest.raises(InvalidData):
        judge(raw, client.get("/connectors"))
    client.load(LOAD)
    for path, query in SEARCHES.items():
        judge(raw, client.get(path, **query))
