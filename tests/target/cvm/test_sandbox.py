"""The calls as a load makes them, against the sandbox's CVM with its faults and switches."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pytest

from target_ciscovm.cvm.client import CiscoVMClient
from target_ciscovm.cvm.connector import ConnectorRun, RunFailed
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.errors import (
    BadKey,
    CiscoVMError,
    ConnectorMissing,
    StillRunning,
    TooLarge,
    WrongHost,
)
from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.target.cvm.passing import PASSING
from tests.target.cvm.quick import QUICK, Log

if TYPE_CHECKING:
    from pathlib import Path

    from target_ciscovm.cvm.connector import Connector

FREE = Switches(rate_limit=1000)


def connect(sandbox: Sandbox, policy: RetryPolicy = QUICK, key: str | None = None) -> CiscoVMClient:
    return CiscoVMClient(
        api_url=sandbox.ciscovm_url,
        api_key=key or sandbox.api_key,
        connector_id=sandbox.connector_id,
        policy=policy,
    )


def small(**changes: object) -> Sandbox:
    return Sandbox(apps=1, findings=1, scans=1, **({"switches": FREE} | changes))  # type: ignore[arg-type]


def kdi(number: int, model: Literal["vulns", "findings"] = "vulns", padding: int = 0) -> bytes:
    found: dict[str, object] = {
        "scanner_type": "QualysWAS",
        "scanner_identifier": f"id-{number}",
        "vuln_def_name": f"QID {number}",
        "last_seen_at": "2024-05-06T08:00:00Z",
    }
    found |= {"status": "open", "scanner_score": 3} if model == "vulns" else {"severity": 6}
    asset = {"url": f"https://app{number}.example.test/", "application": "App", model: [found]}
    definition = {
        "scanner_type": "QualysWAS",
        "name": f"QID {number}",
        "description": "x" * padding,
    }
    document = {
        "skip_autoclose": True,
        "version": 2,
        "assets": [{"vulns": []} | asset],
        "vuln_defs": [definition],
    }
    return json.dumps(document).encode()


@dataclass(frozen=True)
class Loaded:
    connector: Connector
    run: ConnectorRun


def load(api: CiscoVMClient, folder: Path, model: Literal["vulns", "findings"] = "vulns") -> Loaded:
    log = Log()
    connector = api.connector()
    before = [run.id for run in api.runs()]
    numbers = []
    for number in (1, 2):
        path = folder / f"kdi-{number:04}.json"
        path.write_bytes(kdi(number, model))
        numbers.append(api.upload(path))
    api.wait_until_idle(10, log)
    run_id = api.run(numbers, runs_before=before, timeout_seconds=10, progress=log)
    return Loaded(connector, api.wait(run_id, 10, log))


def open_in(sandbox: Sandbox) -> int:
    return sum(one.is_open for one in sandbox.tenant.held(sandbox.connector_id))


def test_a_load_is_one_run_of_all_its_files_below_the_rate_limit(tmp_path: Path) -> None:
    with small(switches=None) as sandbox:
        api = connect(sandbox, replace(QUICK, pace_seconds=RetryPolicy().pace_seconds))
        loaded = load(api, tmp_path)

        assert loaded.connector.name
        assert api.server_now is not None
        assert abs((api.server_now - sandbox.clock.now()).total_seconds()) < 60
        assert len(api.runs()) == 1
        assert loaded.run.processed_scanner_vuln_count == 2
        assert loaded.run.created_scanner_vuln_count == 2
        assert open_in(sandbox) == 2
        assert api.overage() is False


def test_findings_are_loaded_too(tmp_path: Path) -> None:
    with small() as sandbox:
        api = connect(sandbox)
        load(api, tmp_path, "findings")

        assert open_in(sandbox) == 2


@pytest.mark.parametrize("fault", [*PASSING, "connector-busy"])
def test_faults_that_pass_leave_one_run_with_everything(fault: str, tmp_path: Path) -> None:
    with small(faults=[fault]) as sandbox:
        api = connect(sandbox)
        load(api, tmp_path)

        assert sandbox.faults.struck[fault] > 0
        assert open_in(sandbox) == 2
        others = 1 if fault == "connector-busy" else 0
        assert len(api.runs()) == 1 + others


SWITCHES = {
    "GET only": replace(FREE, run_verb="GET"),
    "POST only": replace(FREE, run_verb="POST"),
    "success as text": replace(FREE, success_form="text"),
    "misspelt counter": replace(FREE, counter_spelling="misspelt"),
    "strict rate limit": Switches(),
    "busy is 200": replace(FREE, busy_status=200),
    "busy is 422": replace(FREE, busy_status=422),
}


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_a_load_succeeds_in_every_position_of_what_is_only_inferred(
    switches: Switches, tmp_path: Path
) -> None:
    with small(switches=switches, faults=["run-refused"]) as sandbox:
        api = connect(sandbox, replace(QUICK, first_wait_seconds=0.05))
        loaded = load(api, tmp_path)

        assert len(api.runs()) == 1
        assert loaded.run.total_payload_count
        assert loaded.run.processed_payload_count == loaded.run.total_payload_count


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("ciscovm-key", BadKey),
        ("ciscovm-html", WrongHost),
        ("connector-gone", CiscoVMError),
        ("run-fails", RunFailed),
    ],
)
def test_faults_that_stay_are_told_by_their_cause(
    fault: str, error: type[Exception], tmp_path: Path
) -> None:
    with small(faults=[fault]) as sandbox, pytest.raises(error) as caught:
        load(connect(sandbox), tmp_path)

    assert sandbox.api_key not in str(caught.value)


def test_a_connector_that_is_not_there_is_told() -> None:
    with small() as sandbox:
        api = CiscoVMClient(
            api_url=sandbox.ciscovm_url,
            api_key=sandbox.api_key,
            connector_id=sandbox.connector_id + 999_999,
            policy=QUICK,
        )
        with pytest.raises(ConnectorMissing, match=f"Data Importers: .*{sandbox.connector_id}"):
            api.connector()


def test_a_wrong_key_is_told() -> None:
    with small() as sandbox, pytest.raises(BadKey):
        connect(sandbox, key="another-key").connector()


def test_a_run_that_does_not_end_is_left_with_its_id(tmp_path: Path) -> None:
    with small(faults=["run-never-ends"]) as sandbox:
        api = connect(sandbox)
        path = tmp_path / "kdi-0001.json"
        path.write_bytes(kdi(1))
        run_id = api.run([api.upload(path)], runs_before=[], progress=Log())

        with pytest.raises(StillRunning) as caught:
            api.wait(run_id, 0.3, Log())

        assert caught.value.run_id == run_id == api.runs()[0].id
        assert api.is_running()


def test_a_file_above_the_limit_is_told_at_once(tmp_path: Path) -> None:
    with small(faults=["upload-413"]) as sandbox:
        path = tmp_path / "kdi-0001.json"
        path.write_bytes(kdi(1, padding=6_000_000))

        with pytest.raises(TooLarge):
            connect(sandbox).upload(path)

        assert sandbox.ciscovm_requests["data_file"] == 1


def test_a_licence_over_its_limit_is_told() -> None:
    with small(faults=["ciscovm-overage"]) as sandbox:
        assert connect(sandbox).overage() is True
