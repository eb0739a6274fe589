"""A run has ended when it says so; its counters are read in every spelling."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.cvm.connector import COUNTERS, ConnectorRun, RunFailed, read_connector, read_run
from target_ciscovm.errors import (
    StillRunning,
)
from tests.support.recorded import SAMPLES, needs_samples
from tests.target.cvm.quick import QUICK, Log, connect
from tests.target.cvm.scripted_server import Reply

if TYPE_CHECKING:
    from tests.target.cvm.scripted_server import ScriptedServer


RUNS = "/connectors/42/connector_runs"


RUN_7 = f"{RUNS}/7"


def ended(**fields: object) -> Reply:
    row = {"id": 7, "start_time": "2024-05-02T08:00:00.000Z", "success": True}
    return Reply(json=row | {"end_time": "2024-05-02T08:05:00.000Z"} | fields)


REFUSALS: Final = {
    "401": Reply(401, {"success": "false"}),
    "403": Reply(403, {"success": "false"}),
    "410": Reply(410, {"success": "false"}),
    "another host": Reply(302, headers={"Location": "https://maintenance.example.test/"}),
}
GOING_ON = Reply(json={"id": 7, "end_time": None, "success": None, "total_payload_count": 3})


def test_a_run_has_ended_when_it_has_an_end_time(server: ScriptedServer) -> None:
    server.script("GET", RUN_7, GOING_ON, Reply(json={"id": 7, "success": True}), ended())
    log = Log()

    run = connect(server).wait(7, 5, log)

    assert run.end_time == datetime(2024, 5, 2, 8, 5, tzinfo=timezone.utc)
    assert len(server.requests) == 3
    assert "0 of 3 payloads" in log.text


def test_an_end_in_a_form_we_cannot_read_is_an_end(server: ScriptedServer) -> None:
    server.script("GET", RUN_7, ended(end_time="2 May, five past eight"))

    assert connect(server).wait(7, 5, Log()).success is True


@pytest.mark.parametrize("alone", [Reply(404, {}), Reply(json={}), Reply(405, {})])
def test_a_run_that_only_the_list_tells_has_ended_too(server: ScriptedServer, alone: Reply) -> None:
    server.script("GET", RUN_7, alone)
    server.script("GET", RUNS, Reply(json=[{"id": 8}, ended().json]))

    assert connect(server).wait(7, 5, Log()).success is True


def test_runs_that_cannot_be_told_apart_are_counted_in_the_log(
    server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.script("GET", RUNS, Reply(json=[{"id": 8}, {"id": "eight"}, {}]))

    assert [run.id for run in connect(server).runs()] == [8]

    assert "CVM lists 2 connector runs without a readable id" in caplog.text


def test_a_run_that_is_wrapped_in_its_name_is_read(server: ScriptedServer) -> None:
    server.script("GET", RUN_7, Reply(json={"connector_run": ended().json}))

    assert connect(server).wait(7, 5, Log()).success is True


@pytest.mark.parametrize(
    "bad",
    [
        Reply(502, text="x"),
        Reply(429, {"success": "false"}),
        Reply(404, {"success": "false"}),
        Reply(text=""),
        Reply(json={}),
        Reply(json={"id": 6, "end_time": "2024-05-01T08:05:00.000Z", "success": True}),
        Reply(json={"id": "9" * 5000}),
        Reply(failure="reset"),
        Reply(text="<html>", headers={"Content-Type": "text/html"}),
    ],
    ids=["502", "429", "404", "empty", "no id", "another run", "too long an id", "reset", "page"],
)
def test_a_look_that_fails_is_no_end(server: ScriptedServer, bad: Reply) -> None:
    server.script("GET", RUN_7, GOING_ON, bad, bad, bad, bad, bad, bad, GOING_ON, ended())
    log = Log()

    assert connect(server).wait(7, 5, log).id == 7

    assert len([one for one in server.requests if one.path == RUN_7]) == 9
    assert "cannot be looked at now" in log.text


@pytest.mark.parametrize("success", [False, "false", None, "maybe"])
def test_a_run_without_success_fails_with_its_counters(
    server: ScriptedServer, success: object
) -> None:
    counts = {"total_payload_count": 10, "processed_payload_count": 2, "failed_payload_count": 8}
    server.script("GET", RUN_7, ended(success=success, **counts))

    with pytest.raises(RunFailed, match="8 of 10 payloads failed") as caught:
        connect(server).wait(7, 5, Log())

    assert caught.value.exit_code == 1
    assert caught.value.run.processed_payload_count == 2
    is_said = success in {False, "false"}
    assert ("failed in CVM" in str(caught.value)) is is_said
    assert ("does not say whether" in str(caught.value)) is not is_said


def test_a_run_that_does_not_end_keeps_its_id_for_later(server: ScriptedServer) -> None:
    server.script("GET", RUN_7, GOING_ON)

    with pytest.raises(StillRunning, match="run 7") as caught:
        connect(server).wait(7, 0.2, Log())

    assert caught.value.run_id == 7
    assert caught.value.exit_code == 3
    assert 3 < len(server.requests) < 30


def test_a_run_that_can_no_longer_be_looked_at_may_still_run(server: ScriptedServer) -> None:
    server.script("GET", RUN_7, GOING_ON, Reply(502, text="x"))

    with pytest.raises(StillRunning, match=r"could not be looked at: .*HTTP 502"):
        connect(server, replace(QUICK, max_wait_seconds=0.1)).wait(7, 60, Log())


@pytest.mark.parametrize("name", REFUSALS)
def test_one_lone_refusal_is_asked_again(name: str, server: ScriptedServer) -> None:
    refusal = REFUSALS[name]
    server.script("GET", RUN_7, GOING_ON, refusal, GOING_ON, refusal, ended())

    assert connect(server).wait(7, 5, Log()).success is True


@pytest.mark.parametrize(
    ("name", "words"),
    [("401", "not accept the API key"), ("403", "may not see"), ("410", "refused to let us see")],
)
def test_what_is_refused_meanwhile_is_told_with_the_run_that_goes_on(
    name: str, words: str, server: ScriptedServer
) -> None:
    server.script("GET", RUN_7, GOING_ON, REFUSALS[name], REFUSALS[name])

    with pytest.raises(StillRunning, match=words) as caught:
        connect(server).wait(7, 5, Log())

    assert "run 7" in str(caught.value)


def test_looks_grow_rarer(server: ScriptedServer) -> None:
    server.script("GET", RUN_7, *[GOING_ON] * 6, ended())

    connect(server, replace(QUICK, first_wait_seconds=0.02, poll_seconds=0.1)).wait(7, 9, Log())

    times = [request.at for request in server.requests]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[0] < 0.08
    assert gaps[-1] >= 0.1


def test_counters_are_read_missing_null_as_text_and_misspelt() -> None:
    row = {
        "id": "7",
        "success": "true",
        "total_payload_count": "458",
        "processed_palyoad_count": 450,
        "failed_payload_count": None,
        "created_scanner_vuln_count": "many",
    }
    run = read_run(row)
    assert run is not None
    assert (run.id, run.success) == (7, True)
    assert (run.total_payload_count, run.processed_payload_count) == (458, 450)
    # What CVM does not tell is not known, and never 0.
    assert run.failed_payload_count is run.created_scanner_vuln_count is None
    assert run.closed_vuln_count is None


@pytest.mark.parametrize(
    "value", [-1, "-1", -2.0, 10**13, "9" * 20, 10**40, 1e300, 1.5, True], ids=repr
)
def test_what_is_no_possible_count_is_not_told(value: object) -> None:
    run = read_run({"id": 7} | dict.fromkeys(COUNTERS, value))
    assert run is not None
    assert {getattr(run, name) for name in COUNTERS} == {None}


def test_the_right_spelling_wins() -> None:
    run = read_run({"id": 7, "processed_payload_count": 3, "processed_palyoad_count": 4})
    assert run is not None
    assert run.processed_payload_count == 3


def test_there_is_a_counter_for_each_documented_one() -> None:
    assert len(COUNTERS) == 14
    row = {name: number for number, name in enumerate(COUNTERS, 1)} | {"id": 7}
    run = read_run(row)
    assert [getattr(run, name) for name in COUNTERS] == list(range(1, 15))


@pytest.mark.parametrize(
    "row", [{}, *({"id": value} for value in (None, "x", True, 1.5, -1, 2**63))]
)
def test_a_row_without_a_number_is_no_row(row: dict[str, object]) -> None:
    assert read_run(row) is None
    assert read_connector(row) is None


@pytest.mark.parametrize(
    "text",
    [
        "2020-02-02T03:34:08.000Z",
        "2020-02-02T03:34:08Z",
        "2020-02-02 03:34:08 UTC",
        "2020-02-02T04:34:08+01:00",
        "2020-02-02T03:34:08",
    ],
)
def test_times_of_every_form_are_utc(text: str) -> None:
    run = read_run({"id": 1, "start_time": text})
    assert run == ConnectorRun(1, datetime(2020, 2, 2, 3, 34, 8, tzinfo=timezone.utc))


@needs_samples
def test_recorded_runs_are_read() -> None:
    file = SAMPLES / "ciscovm" / "connector_runs_response_xsoar.json"
    rows = json.loads(file.read_text(encoding="utf-8"))

    runs = [read_run(row) for row in rows]

    assert runs
    for run, row in zip(runs, rows, strict=True):
        assert run is not None
        assert run.end_time is not None
        assert run.processed_payload_count == row["processed_payload_count"] > 0
