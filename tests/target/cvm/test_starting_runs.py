"""A run is started once, and its end is not taken for that of another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.errors import (
    BadKey,
    BrokenAnswer,
    CiscoVMError,
    ConnectorMissing,
    KeyLacksRights,
    RequestRefused,
)
from tests.target.cvm.quick import QUICK, Log, connect
from tests.target.cvm.scripted_server import Reply

if TYPE_CHECKING:
    from tests.target.cvm.scripted_server import ScriptedServer


RUN = "/connectors/42/run"


RUNS = "/connectors/42/connector_runs"


STARTED = Reply(json={"success": True, "connector_run_id": 7})


LOST = {
    "reset": Reply(failure="reset"),
    "cut": Reply(json={"success": True, "connector_run_id": 7}, failure="cut"),
    "empty": Reply(text=""),
    "502": Reply(502, text="Bad Gateway"),
    "no id": Reply(json={"success": True}),
    "no success": Reply(json={}),
    "page": Reply(text="<html>", headers={"Content-Type": "text/html"}),
}


def runs(*numbers: int) -> Reply:
    return Reply(
        json=[{"id": number, "end_time": "2024-05-02T08:05:00.000Z"} for number in numbers]
    )


def connectors(*, running: bool) -> Reply:
    row = {"id": 42, "name": "Demo", "host": None, "running": running}
    return Reply(json={"connectors": [row]})


def idle(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", connectors(running=False))


def started_runs(server: ScriptedServer) -> int:
    return len(server.asked("POST", RUN)) + len(server.asked("GET", RUN))


def test_one_run_names_all_files(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs(6, 5))
    server.script("POST", RUN, STARTED)

    assert connect(server).run([11, 12, 13], runs_before=[5, 6]) == 7

    request = server.asked("POST", RUN)[0]
    assert request.content == b'{"data_files": [11, 12, 13]}'
    assert request.headers["Content-Type"] == "application/json"
    assert started_runs(server) == 1


def test_a_run_without_files_would_import_the_newest_one_and_is_not_asked_for(
    server: ScriptedServer,
) -> None:
    with pytest.raises(ValueError, match="needs data files"):
        connect(server).run([], runs_before=[])
    assert server.requests == []


@pytest.mark.parametrize("status", [404, 405])
def test_where_a_run_is_not_posted_it_is_got(server: ScriptedServer, status: int) -> None:
    server.script("GET", RUNS, runs())
    server.script("POST", RUN, Reply(status, {"success": "false"}))
    server.script("GET", RUN, Reply(json={"success": "true", "connector_run_id": "7"}))

    assert connect(server).run([11, 12], runs_before=[]) == 7
    assert server.asked("GET", RUN)[0].query == [("data_files[]", "11"), ("data_files[]", "12")]


def test_a_connector_that_has_gone_is_missed(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs())

    with pytest.raises(ConnectorMissing):
        connect(server).run([11], runs_before=[])


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_a_lost_answer_is_looked_for_and_no_second_run_started(
    server: ScriptedServer, lost: Reply
) -> None:
    idle(server)
    server.script("GET", RUNS, runs(6, 5), runs(7, 6, 5))
    server.script("POST", RUN, lost, Reply(json={"success": True, "connector_run_id": 8}))
    log = Log()

    assert connect(server).run([11], runs_before=[5, 6], progress=log) == 7

    assert started_runs(server) == 1
    assert "Looking for our run" in log.text


def test_a_lost_answer_after_a_timeout_is_looked_for(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs(5), runs(7, 5))
    server.script("POST", RUN, Reply(failure="hang"))

    policy = replace(QUICK, read_seconds=0.7)
    assert connect(server, policy).run([11], runs_before=[5]) == 7
    assert started_runs(server) == 1


def test_a_run_that_shows_late_is_still_found(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs(5), runs(5), runs(5), runs(5), runs(7, 5))
    server.script("POST", RUN, Reply(failure="reset"))

    assert connect(server).run([11], runs_before=[5]) == 7
    assert started_runs(server) == 1


def test_while_the_connector_runs_the_list_is_looked_at_until_its_end(
    server: ScriptedServer,
) -> None:
    server.script("GET", RUNS, *[runs(5)] * 6, runs(7, 5))
    server.script("GET", "/connectors", *[connectors(running=True)] * 3, connectors(running=False))
    server.script("POST", RUN, Reply(failure="reset"))

    assert connect(server).run([11], runs_before=[5]) == 7
    assert started_runs(server) == 1


def test_a_run_that_surely_did_not_start_is_asked_for_again(server: ScriptedServer) -> None:
    idle(server)
    server.script("GET", RUNS, runs(5))
    server.script("POST", RUN, Reply(failure="reset"), STARTED)

    assert connect(server).run([11], runs_before=[5]) == 7
    assert started_runs(server) == 2
    between = [request.path for request in server.requests].index(RUNS, 2)
    assert between > 1  # the list was looked at after the lost answer, before the second try


def test_a_run_started_by_someone_else_meanwhile_is_not_taken_for_ours(
    server: ScriptedServer,
) -> None:
    idle(server)
    server.script("GET", RUNS, runs(6, 5), runs(7, 6, 5))
    server.script("POST", RUN, Reply(failure="reset"))

    assert connect(server).run([11], runs_before=[5]) == 7  # 6 came while we uploaded


def test_of_two_new_runs_ours_is_the_first(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs(5), runs(8, 7, 5))
    server.script("POST", RUN, Reply(failure="reset"))

    assert connect(server).run([11], runs_before=[5]) == 7


def test_answers_that_are_always_lost_end_in_doubt_and_say_so(server: ScriptedServer) -> None:
    idle(server)
    server.script("GET", RUNS, runs(5))
    server.script("POST", RUN, Reply(502, text=""))

    with pytest.raises(
        CiscoVMError, match=r"did not confirm that the run started.* Check connector 42 in CVM"
    ):
        connect(server).run([11], runs_before=[5], progress=Log())

    assert started_runs(server) == QUICK.max_attempts


def test_a_list_that_cannot_be_had_after_a_lost_answer_starts_no_second_run(
    server: ScriptedServer,
) -> None:
    idle(server)
    server.script("GET", RUNS, runs(5), Reply(500))
    server.script("POST", RUN, Reply(failure="reset"), STARTED)

    with pytest.raises(
        CiscoVMError, match="did not confirm that the run started, so it was not started again"
    ):
        connect(server).run([11], runs_before=[5], progress=Log())

    assert started_runs(server) == 1


REFUSALS = {
    "409": Reply(409, {"success": "false", "message": "already running"}),
    "422": Reply(422, {"success": "false", "message": "already running"}),
    "200": Reply(200, {"success": "false", "message": "already running"}),
    "false": Reply(200, {"success": False}),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_busy_connector_is_waited_for_and_asked_again(
    server: ScriptedServer, refusal: Reply
) -> None:
    running = [connectors(running=True)] * 6
    server.script("GET", RUNS, runs(5), runs(6, 5))
    server.script("GET", "/connectors", *running, connectors(running=False))
    server.script("POST", RUN, refusal, refusal, STARTED)

    assert connect(server).run([11], runs_before=[5], progress=Log()) == 7
    assert started_runs(server) == 3


def test_the_run_that_kept_us_waiting_is_not_taken_for_ours(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs(5), runs(6, 5), runs(7, 6, 5))
    server.script("GET", "/connectors", connectors(running=True), connectors(running=False))
    server.script("POST", RUN, REFUSALS["409"], Reply(failure="reset"))

    assert connect(server).run([11], runs_before=[5], progress=Log()) == 7


def test_a_refusal_after_a_lost_answer_may_come_from_our_own_run(server: ScriptedServer) -> None:
    idle(server)
    unseen = [runs(5)] * 7
    server.script("GET", RUNS, *unseen, runs(7, 5))
    server.script("POST", RUN, Reply(failure="reset"), REFUSALS["409"])

    assert connect(server).run([11], runs_before=[5], progress=Log()) == 7
    assert started_runs(server) == 2


def test_an_idle_connector_that_keeps_refusing_is_told_with_its_reason(
    server: ScriptedServer,
) -> None:
    idle(server)
    server.script("GET", RUNS, runs(5))
    server.script("POST", RUN, Reply(422, {"success": "false", "message": "no such data file"}))

    with pytest.raises(RequestRefused, match=r"no such data file.*no other run is in progress"):
        connect(server).run([11], runs_before=[5], progress=Log())

    assert started_runs(server) == QUICK.max_attempts


NOT_CONFIRMED = r"^CVM did not confirm that the run started, .*: {}.* Check connector 42 in CVM"


@pytest.mark.parametrize(
    ("starts", "lists", "says"),
    [
        ([], [Reply(401, {"success": "false"})], "Cisco .* does not accept the API key"),
        ([Reply(401, {"success": "false"})], [], "Cisco .* does not accept the API key"),
        ([Reply(404, {}), Reply(404, {})], [], "There is no connector 42"),
        ([Reply(400, {"message": "bad"})], [], "127.0.0.1.* refused to let us run the connector"),
    ],
    ids=["looking", "the key", "the connector", "the call"],
)
def test_a_refusal_after_a_lost_answer_does_not_hide_that_it_was_lost(
    starts: list[Reply], lists: list[Reply], says: str, server: ScriptedServer
) -> None:
    idle(server)
    server.script("GET", RUNS, runs(5), *(lists or [runs(5)]))
    server.script("POST", RUN, Reply(failure="reset"), *starts)
    server.script("GET", RUN, *starts)

    with pytest.raises(CiscoVMError, match=NOT_CONFIRMED.format(says)) as raised:
        connect(server).run([11], runs_before=[5], progress=Log())

    assert raised.value.exit_code == 1


@pytest.mark.parametrize("is_lost", [False, True])
def test_only_where_no_answer_was_lost_it_is_said_that_nothing_was_run(
    server: ScriptedServer, *, is_lost: bool
) -> None:
    server.script("GET", RUNS, runs(5))
    server.script("GET", "/connectors", connectors(running=True))
    server.script("POST", RUN, *([Reply(failure="reset")] if is_lost else []), REFUSALS["409"])

    with pytest.raises(CiscoVMError) as raised:
        connect(server).run([11], runs_before=[5], timeout_seconds=0.2, progress=Log())

    assert ("nothing of this load has been run" in str(raised.value)) is not is_lost
    assert ("did not confirm that the run started" in str(raised.value)) is is_lost


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, {"success": "false"}), RequestRefused),
        (Reply(401, {"success": "false"}), BadKey),
        (Reply(403, {"success": "false"}), KeyLacksRights),
    ],
)
def test_what_asking_again_does_not_change_is_not_asked_again(
    server: ScriptedServer, reply: Reply, error: type[Exception]
) -> None:
    server.script("GET", RUNS, runs(5))
    server.script("POST", RUN, reply)

    with pytest.raises(error):
        connect(server).run([11], runs_before=[5])

    assert started_runs(server) == 1


def test_too_many_requests_are_waited_out_without_looking_for_a_run(
    server: ScriptedServer,
) -> None:
    server.script("GET", RUNS, runs(5))
    server.script("POST", RUN, *[Reply(429, {"success": "false"})] * 6, STARTED)

    assert connect(server).run([11], runs_before=[5], progress=Log()) == 7
    assert len(server.asked("GET", RUNS)) == 1


def test_the_runs_are_given_newest_first(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs(5, 9, 7))

    assert [run.id for run in connect(server).runs()] == [9, 7, 5]


def test_a_connector_that_never_ran_has_no_runs(server: ScriptedServer) -> None:
    server.script("GET", RUNS, runs())

    assert connect(server).runs() == []


@pytest.mark.parametrize(
    "told", [{"connector_runs": None}, {}, {"connector_runs": "none"}], ids=str
)
def test_a_list_of_runs_that_is_none_says_nothing_of_the_connector(
    told: object, server: ScriptedServer
) -> None:
    server.script("GET", RUNS, Reply(json=told))

    with pytest.raises(BrokenAnswer, match="did not list the runs of connector 42"):
        connect(server).runs()
