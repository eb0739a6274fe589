"""Cases about what CVM answers to uploads and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.cvm.connector import RunFailed
from target_ciscovm.errors import TooLarge
from tests.cases.case import read
from tests.target.cvm import scripted_server
from tests.target.cvm.quick import Log, connect

if TYPE_CHECKING:
    from pathlib import Path

    from target_ciscovm.cvm.client import CiscoVMClient
    from tests.target.cvm.scripted_server import ScriptedServer

UPLOAD = ("POST", "/connectors/42/data_file")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "kdi-0001.json"
    path.write_bytes(b'{"assets": []}')
    return path


def play(server: ScriptedServer, name: str) -> CiscoVMClient:
    """Let the server answer as CVM did in a case."""
    for told in read(name).replies:
        method, _, path = told.to.partition(" ")
        reply = scripted_server.Reply(told.status, told.json, told.text, told.headers)
        server.script(method, path, reply)
    return connect(server)


def test_a_sporadic_refusal_of_an_upload_ends_in_one_run(
    server: ScriptedServer, path: Path
) -> None:
    api = play(server, "sending/sporadic_refusal")

    number = api.upload(path)

    assert api.run([number], runs_before=[]) == 7
    assert len(server.asked(*UPLOAD)) == 2
    assert len(server.asked("POST", "/connectors/42/run")) == 1


def test_the_second_try_of_an_upload_equals_the_first(server: ScriptedServer, path: Path) -> None:
    play(server, "sending/half_sent_file").upload(path)

    first, second = server.requests
    assert first.form_file == second.form_file == path.read_bytes()


def test_an_upload_is_a_form_with_a_boundary(server: ScriptedServer, path: Path) -> None:
    play(server, "sending/upload_content_type").upload(path)

    assert server.requests[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert len(server.requests) == 1


def test_a_run_that_failed_is_an_error(server: ScriptedServer) -> None:
    with pytest.raises(RunFailed, match="8 of 10"):
        play(server, "sending/failed_run").wait(7, 5, Log())


def test_one_failed_look_at_a_run_is_no_end(server: ScriptedServer) -> None:
    run = play(server, "sending/failed_poll").wait(7, 5, Log())

    assert run.processed_payload_count == 1
    assert len(server.requests) == 3


@pytest.mark.parametrize("name", ["sending/lone_401_in_a_run", "sending/run_without_a_verdict"])
def test_an_odd_look_at_a_run_is_repeated(name: str, server: ScriptedServer) -> None:
    run = play(server, name).wait(7, 5, Log())

    assert (run.success, run.processed_payload_count) == (True, 1)
    assert len(server.requests) == 2


def test_a_running_connector_is_waited_for(server: ScriptedServer) -> None:
    api = play(server, "sending/connector_running")

    api.wait_until_idle(5, Log())

    assert len(server.asked("GET", "/connectors/42")) == 2
    assert api.connector().name == "Demo"


def test_a_file_that_is_too_large_is_told_at_once(server: ScriptedServer, path: Path) -> None:
    with pytest.raises(TooLarge):
        play(server, "sending/file_too_large").upload(path)

    assert len(server.requests) == 1


def test_too_many_requests_are_waited_out_and_no_failure(
    server: ScriptedServer, path: Path
) -> None:
    assert play(server, "sending/cvm_rate_limit").upload(path) == 11

    assert len(server.asked(*UPLOAD)) == 3
