"""Exchanges in which other programs failed, recorded as request and answer in order."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.cvm.connector import read_run
from target_ciscovm.errors import RunFailed, TooLarge
from tests.target.quick import Log, connect
from tests.target.scripted_server import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.cvm.client import CiscoVMAPI

CASES: Final = os.environ.get("RECORDED_CASES")
SAMPLES: Final = os.environ.get("RECORDED_SAMPLES")

recorded = pytest.mark.skipif(not CASES, reason="RECORDED_CASES is not set")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kdi-0001.json"
    path.write_bytes(b'{"assets": []}')
    return path


def play(server: ScriptedServer, name: str) -> CiscoVMAPI:
    text = (Path(CASES or "") / f"{name}_scenario.json").read_text(encoding="utf-8")
    for step in json.loads(text)["exchange"]:
        asked, told = step["request"], step["response"]
        reply = Reply(told["status"], told.get("json"), told.get("text"), told["headers"])
        server.script(asked["method"], asked["path"], reply)
    server.script("GET", "/connectors/42/connector_runs", Reply(json=[]))
    return connect(server)


@recorded
def test_a_sporadic_refusal_of_an_upload_ends_in_one_run(
    server: ScriptedServer, path: Path
) -> None:
    api = play(server, "C67")

    number = api.upload(path)

    assert api.run([number], runs_before=[]) == 7
    assert len(server.asked("POST", "/connectors/42/data_file")) == 2
    assert len(server.asked("POST", "/connectors/42/run")) == 1


@recorded
def test_the_second_try_of_an_upload_equals_the_first(server: ScriptedServer, path: Path) -> None:
    play(server, "C68").upload(path)

    first, second = server.requests
    assert first.form_file == second.form_file == path.read_bytes()


@recorded
def test_an_upload_is_a_form_with_a_boundary(server: ScriptedServer, path: Path) -> None:
    play(server, "C70").upload(path)

    assert server.requests[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert len(server.requests) == 1


@recorded
def test_a_run_that_failed_is_an_error(server: ScriptedServer) -> None:
    with pytest.raises(RunFailed, match="8 of 10"):
        play(server, "C71").wait(7, 5, Log())


@recorded
def test_one_failed_look_at_a_run_is_no_end(server: ScriptedServer) -> None:
    assert play(server, "C73").wait(7, 5, Log()).processed_payload_count == 1

    assert len(server.requests) == 3


@recorded
def test_a_running_connector_is_waited_for(server: ScriptedServer) -> None:
    api = play(server, "C74")

    api.wait_until_idle(5, Log())

    assert len(server.asked("GET", "/connectors/42")) == 2
    assert api.connector().name == "Demo"


@recorded
def test_a_file_that_is_too_large_is_told_at_once(server: ScriptedServer, path: Path) -> None:
    with pytest.raises(TooLarge):
        play(server, "C79").upload(path)

    assert len(server.requests) == 1


@pytest.mark.skipif(not SAMPLES, reason="RECORDED_SAMPLES is not set")
def test_recorded_runs_are_read() -> None:
    file = Path(SAMPLES or "") / "ciscovm" / "connector_runs_response_xsoar.json"
    rows = json.loads(file.read_text(encoding="utf-8"))

    runs = [read_run(row) for row in rows]

    assert runs
    for run, row in zip(runs, rows, strict=True):
        assert run is not None
        assert run.end_time is not None
        assert run.processed_payload_count == row["processed_payload_count"] > 0
