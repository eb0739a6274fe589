"""Each fault of the sandbox's CVM does on the wire what its line in the table says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.ciscovm.tenants import held
from tests.sandbox_tests.loads import Caller, asset, document, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator

LOAD = document(asset(vuln("a")), {"application": "Two", "vulns": [vuln("b")]})
BOTH = {"a": "open", "b": "open"}


@pytest.fixture
def client() -> Iterator[Caller]:
    switches = Switches(rate_limit=0, payload="asset")
    with Sandbox(apps=1, findings=1, scans=1, switches=switches) as sandbox:
        yield Caller(sandbox)


def arm(client: Caller, *faults: str) -> None:
    client.sandbox.faults.arm(*faults)


def uploaded(client: Caller) -> int:
    return len(client.sandbox.tenant.state.files)


def runs(client: Caller) -> int:
    return len(client.sandbox.tenant.runs(client.sandbox.connector_id))


@pytest.mark.parametrize(
    ("fault", "statuses", "kept"),
    [
        ("upload-422", [422, 422, 200], 1),
        ("upload-500", [502, 502, 200], 1),
        ("upload-empty", [200, 200], 2),
        ("upload-413", [200], 1),
        ("ciscovm-502", [502, 502, 200], 1),
        ("ciscovm-429", [429, 429, 200], 1),
        ("ciscovm-html", [200, 200], 0),
        ("ciscovm-key", [401, 401], 0),
        ("connector-gone", [404, 404], 0),
    ],
)
def test_an_upload_is_refused_or_taken_as_told(
    client: Caller, fault: str, statuses: list[int], kept: int
) -> None:
    arm(client, fault)
    answers = [client.upload(LOAD) for _ in statuses]
    assert ([one.status_code for one in answers], uploaded(client)) == (statuses, kept)
    if fault == "upload-empty":
        assert answers[0].content == b""
    if fault == "ciscovm-html":
        assert answers[0].text.startswith("<!DOCTYPE html>")


def test_large_files_alone_are_too_large(client: Caller) -> None:
    arm(client, "upload-413")
    assert client.upload(b" " * 100_001).status_code == 413
    assert client.upload(b" " * 100_000).status_code == 200


def test_an_upload_breaks_off_once_and_nothing_is_kept(client: Caller) -> None:
    arm(client, "upload-reset")
    with pytest.raises(requests.ConnectionError):
        client.upload(LOAD)
    assert uploaded(client) == 0
    assert client.upload(LOAD).status_code == 200


def test_the_answer_to_a_run_is_lost_but_the_run_is_on(client: Caller) -> None:
    arm(client, "lost-run-answer")
    number = client.upload(LOAD).json()["data_file"]
    with pytest.raises(requests.ConnectionError):
        client.start(number)
    assert runs(client) == 1
    client.wait(client.get(f"{client.connector}/connector_runs").json()[0]["id"])
    assert held(client.sandbox.tenant) == BOTH


def test_a_run_is_refused_twice_as_if_another_were_on(client: Caller) -> None:
    arm(client, "run-refused")
    number = client.upload(LOAD).json()["data_file"]
    assert [client.start(number).status_code for _ in range(3)] == [409, 409, 200]
    assert runs(client) == 1


def test_a_failed_run_imports_nothing_and_the_next_one_everything(client: Caller) -> None:
    arm(client, "run-fails")
    assert (client.load(LOAD)["success"], held(client.sandbox.tenant)) == (False, {})
    assert (client.load(LOAD)["success"], held(client.sandbox.tenant)) == (True, BOTH)


def test_a_run_that_never_ends_ends_when_the_fault_does(client: Caller) -> None:
    arm(client, "run-never-ends")
    number = client.start(client.upload(LOAD).json()["data_file"]).json()["connector_run_id"]
    with pytest.raises(AssertionError):
        client.wait(number)
    assert client.start(1).status_code == 409
    client.sandbox.faults.disarm()
    assert client.wait(number)["success"] is True


@pytest.mark.parametrize(
    ("fault", "failed", "success", "found"),
    [("payload-fails", 1, True, {"b": "open"}), ("payloads-fail", 2, False, {})],
)
def test_one_payload_of_a_run_fails_or_all_of_them(
    client: Caller, fault: str, failed: int, success: bool, found: dict[str, str]
) -> None:
    arm(client, fault)
    run = client.load(LOAD)
    assert (run["failed_payload_count"], run["success"]) == (failed, success)
    assert held(client.sandbox.tenant) == found
    assert (client.load(LOAD)["success"], held(client.sandbox.tenant)) == (True, BOTH)


def test_looking_at_a_run_fails_three_times_in_three_ways(client: Caller) -> None:
    arm(client, "poll-errors")
    path = f"{client.connector}/connector_runs"
    client.start(client.upload(LOAD).json()["data_file"])
    assert client.get(path).status_code == 502
    with pytest.raises(requests.ConnectionError):
        client.get(path)
    assert [client.get(path).content == b"" for _ in range(2)] == [True, False]


def test_counters_are_null(client: Caller) -> None:
    arm(client, "counters-null")
    run = client.load(LOAD)
    assert {value for key, value in run.items() if key.endswith("_count")} == {None}
    assert run["success"] is True


def test_somebody_else_starts_the_connector_before_it_is_looked_at(client: Caller) -> None:
    arm(client, "connector-busy")
    assert client.get(client.connector).json()["connector"]["running"] is True
    assert client.start(client.upload(LOAD).json()["data_file"]).status_code == 409


def test_over_the_licence_new_assets_get_nothing(client: Caller) -> None:
    first = document(LOAD["assets"][0])
    client.load(first)
    arm(client, "ciscovm-overage")
    client.load(LOAD)
    assert held(client.sandbox.tenant) == {"a": "open"}
    assert client.get("/entitlements/overage").json() == {"overage_status": True}
    client.sandbox.faults.disarm()
    client.load(LOAD)
    assert held(client.sandbox.tenant) == BOTH
