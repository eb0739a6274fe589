"""The sandbox's CVM: its runs, its gate, and what people set by hand."""

from __future__ import annotations

import time
import zlib
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, HOSTED_CONNECTOR_ID, BusyError, Tenant
from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.ciscovm.tenants import held, load, tenant
from tests.sandbox_tests.loads import JSON, Caller, asset, document, finding, vuln

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.ciscovm.tenant.state import Manual

BAD = document(asset(vuln("bad", status="fixed")))
GOOD = document(asset(vuln("a")))


def sandbox(**switches: object) -> Sandbox:
    return Sandbox(apps=1, findings=1, scans=1, switches=Switches(**switches))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("false_positive", "false_positive_by_human"),
        ("risk_accepted", "risk_accepted_by_human"),
        ("closed", "open"),
    ],
)
def test_statuses_set_by_hand_survive_a_load_except_closed(status: Manual, told: str) -> None:
    with sandbox(rate_limit=0) as here:
        client = Caller(here)
        client.load(GOOD)
        assert here.tenant.people.judge("a", status) == 1
        client.load(GOOD)
        every = ["open", "closed", "false positive", "risk accepted"]
        found = client.get("/vulnerabilities/search", **{"status[]": every}).json()
    assert [one["status"] for one in found["vulnerabilities"]] == [told]


def test_statuses_set_by_hand_can_be_lost() -> None:
    here = tenant(manual_statuses_survive=False)
    load(here, GOOD)
    here.people.judge("a", "false_positive")
    load(here, GOOD)
    assert [one.manual for one in here.held()] == [None]


def test_triage_states_set_by_hand_stay_when_a_load_names_none() -> None:
    here = tenant()
    same = document(asset(findings=[finding("f")]))
    load(here, same)
    here.people.triage("f", "false_positive")
    load(here, same)
    assert held(here) == {"f": "false_positive"}
    assert [one.closed_by for one in here.held()] == ["manual"]


def test_a_triage_state_that_a_load_names_takes_the_place_of_a_persons() -> None:
    here = tenant()
    load(here, document(asset(findings=[finding("f")])))
    here.people.triage("f", "risk_accepted")
    load(here, document(asset(findings=[finding("f", triage_state="new")])))
    assert held(here) == {"f": "new"}
    assert [one.closed_by for one in here.held()] == [None]


def test_a_new_order_of_locators_decides_from_the_next_run_on() -> None:
    here = tenant()
    load(here, document(asset(vuln("a"), application="Shop")))
    here.people.rank_locators("application")
    load(here, document(asset(vuln("b"), application="Shop", url="https://two.example.test/")))
    assert len(here.state.assets) == 1
    here.people.rank_locators()
    load(here, document(asset(vuln("c"), application="Shop")))
    assert len(here.state.assets) == 2


@pytest.mark.parametrize("allowed", [1, 2])
def test_only_so_many_runs_at_a_time(allowed: int) -> None:
    here = tenant(concurrent_runs=allowed, run_seconds=60)
    file = here.upload(CONNECTOR_ID, b"{}").id
    for _ in range(allowed):
        here.start_run(CONNECTOR_ID, [file])
    with pytest.raises(BusyError):
        here.start_run(CONNECTOR_ID, [file])
    here.clock.advance(timedelta(minutes=2))
    here.start_run(CONNECTOR_ID, [file])


def test_a_run_takes_time_and_changes_nothing_before_its_end() -> None:
    with sandbox(run_seconds=0.3) as here:
        client = Caller(here)
        number = client.upload(GOOD, run="true").json()["connector_run_id"]
        path = f"{client.connector}/connector_runs/{number}"
        assert client.get(path).json()["end_time"] is None
        assert client.get(client.connector).json()["connector"]["running"] is True
        assert here.tenant.held() == []
        time.sleep(0.4)
        assert client.get(path).json()["success"] is True
        assert held(here.tenant) == {"a": "open"}


def test_the_sixth_request_within_a_second_is_refused() -> None:
    with sandbox() as here:
        client = Caller(here)
        statuses = [client.get("/connectors").status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        time.sleep(1)
        assert client.get("/connectors").status_code == 200


@pytest.mark.parametrize("key", ["", "wrong", "sandbox-key_7.Qd$x-91a"])
def test_another_key_is_refused_everywhere(key: str) -> None:
    with sandbox(rate_limit=0) as here:
        client = Caller(here)
        client.headers = {"X-Risk-Token": key}
        answers = [client.get("/connectors"), client.upload(GOOD), client.start(1)]
        assert [one.status_code for one in answers] == [401, 401, 401]
        assert here.tenant.state.files == {}


@pytest.mark.parametrize("validates", [False, True])
def test_a_bad_file_fails_at_upload_or_in_its_run(validates: bool) -> None:
    with sandbox(upload_validates=validates) as here:
        client = Caller(here)
        answer = client.upload(BAD)
        assert answer.status_code == (400 if validates else 200)
        if not validates:
            run = client.wait(client.start(answer.json()["data_file"]).json()["connector_run_id"])
            assert (run["success"], run["failed_payload_count"]) == (False, 1)
        assert here.tenant.held() == []


@pytest.mark.parametrize(("spoils", "found"), [(False, {"a": "open"}), (True, {})])
def test_a_bad_file_may_spoil_the_others_of_its_run(
    spoils: bool,
    found: dict[str, str],
) -> None:
    here = tenant(bad_file_spoils_run=spoils)
    run = load(here, GOOD, BAD)
    assert held(here) == found
    assert run.counters.failed_payload_count == (2 if spoils else 1)


@pytest.mark.parametrize(("payload", "total"), [("file", 1), ("asset", 3)])
def test_a_payload_is_a_file_or_an_asset(payload: Literal["file", "asset"], total: int) -> None:
    here = tenant(payload=payload)
    run = load(here, document(*({"application": name} for name in "abc")))
    assert run.counters.total_payload_count == run.counters.processed_payload_count == total


@pytest.mark.parametrize(
    ("verb", "body"), [("GET", {}), ("POST", {}), ("POST", {"json": {}}), ("POST", {"data": "{}"})]
)
def test_a_run_without_files_takes_only_the_last_upload(verb: str, body: JSON) -> None:
    with sandbox(rate_limit=0) as here:
        client = Caller(here)
        client.upload(document({"application": "lost", "vulns": [vuln("lost")]}))
        client.upload(GOOD)
        answer = client.call(verb, f"{client.connector}/run", **body)
        client.wait(answer.json()["connector_run_id"])
        assert held(here.tenant) == {"a": "open"}


@pytest.mark.parametrize("body", ["[]", '{"data_files": 7}', '{"data_files": ["x"]}', "{"])
def test_a_run_of_what_is_no_list_of_files_is_refused(body: str) -> None:
    with sandbox(rate_limit=0) as here:
        client = Caller(here)
        client.upload(GOOD)
        assert client.call("POST", f"{client.connector}/run", data=body).status_code == 400


def test_hosted_connectors_and_files_of_others_are_refused() -> None:
    with sandbox(rate_limit=0) as here:
        client = Caller(here)
        number = client.upload(GOOD).json()["data_file"]
        client.connector = f"/connectors/{HOSTED_CONNECTOR_ID}"
        assert client.upload(GOOD).status_code == 400
        assert client.start(number).status_code == 400
        assert client.start().status_code == 200


def test_an_upload_is_kept_byte_for_byte_also_deflated() -> None:
    with sandbox(rate_limit=0) as here:
        client = Caller(here)
        for encoding, content in (("none", b"plain"), ("deflate", zlib.compress(b"plain"))):
            assert client.upload(content, encoding=encoding).status_code == 200
        assert client.upload(b"x", encoding="gzip").status_code == 400
    assert set(Counter(one.sha256 for one in here.tenant.state.files.values()).values()) == {2}


def test_a_tenant_is_saved_and_goes_on(tmp_path: Path) -> None:
    here = tenant()
    load(here, document(asset(vuln("a"), vuln("b"), tags=["t"])))
    here.save(tmp_path / "tenant.json")
    again = Tenant.load(tmp_path / "tenant.json", here.clock)
    assert again.held() == here.held()
    load(again, GOOD)
    assert held(again) == {"a": "open", "b": "closed"}
