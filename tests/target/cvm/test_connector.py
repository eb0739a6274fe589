"""The connector is there, is a Data Importer, and is at rest, or it is said what is not."""

from __future__ import annotations

import pytest

from target_ciscovm.cvm.connector import Connector
from target_ciscovm.errors import (
    ConnectorBusy,
    ConnectorMissing,
    NotADataImporter,
)
from tests.target.cvm.listing import IMPORTER, OTHER, listing
from tests.target.cvm.quick import CONNECTOR, Log, connect
from tests.target.cvm.scripted_server import Reply, ScriptedServer


def test_a_data_importer_is_found_by_its_number(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER, IMPORTER))

    assert connect(server).connector() == Connector(CONNECTOR, "Qualys WAS", None, running=False)


def test_a_connector_that_is_not_there_is_told_with_those_that_are(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER, IMPORTER | {"id": 77, "name": "Demo"}))

    with pytest.raises(ConnectorMissing, match=r"no connector 42 .* Data Importers: 77 \(Demo\)\."):
        connect(server).connector()


def test_a_long_list_of_connectors_is_cut(server: ScriptedServer) -> None:
    many = [IMPORTER | {"id": number, "name": f"Demo {number}"} for number in range(100, 109)]
    server.script("GET", "/connectors", listing(*many))

    with pytest.raises(ConnectorMissing, match=r"104 \(Demo 104\) and 4 more"):
        connect(server).connector()


def test_a_connector_that_fetches_by_itself_is_refused(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER | {"id": CONNECTOR}))

    with pytest.raises(NotADataImporter, match=r"tickets\.example\.test"):
        connect(server).connector()


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("wrapped", [True, False])
def test_where_the_list_is_not_given_the_single_connector_is_asked_for(
    server: ScriptedServer, status: int, *, wrapped: bool
) -> None:
    server.script("GET", "/connectors", Reply(status, {"success": False}))
    row = {"id": CONNECTOR, "name": "Demo", "running": True}
    server.script("GET", "/connectors/42", Reply(json={"connector": row} if wrapped else row))
    api = connect(server)

    assert api.connector() == Connector(CONNECTOR, "Demo", None, running=True)
    assert api.is_running()
    assert len(server.asked("GET", "/connectors")) == 1


def test_one_that_the_list_lacks_is_asked_for_by_its_number(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(OTHER))
    server.script("GET", "/connectors/42", Reply(json={"connector": IMPORTER}))
    api = connect(server)

    assert api.connector() == Connector(CONNECTOR, "Qualys WAS", None, running=False)
    assert not api.is_running()
    assert len(server.asked("GET", "/connectors")) == 1


@pytest.mark.parametrize(
    "reply",
    [
        *(Reply(404, {}), Reply(403), Reply(400), Reply(json={}), Reply(json=IMPORTER | {"id": 1})),
        Reply(404, text="<!DOCTYPE html><title>Not found</title>"),
    ],
)
def test_and_is_missing_where_that_does_not_show_it(server: ScriptedServer, reply: Reply) -> None:
    server.script("GET", "/connectors", listing(IMPORTER | {"id": 77}))
    server.script("GET", "/connectors/42", reply)

    with pytest.raises(ConnectorMissing, match=r"no connector 42 .* 77 \(Qualys WAS\)\."):
        connect(server).connector()


def test_an_api_without_connectors_misses_the_connector(server: ScriptedServer) -> None:
    with pytest.raises(ConnectorMissing, match="no connector 42"):
        connect(server).connector()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"overage_status": True}, True),
        ({"overage_status": "true"}, True),
        ({"overage_status": False}, False),
        ({"overage_status": "false"}, False),
        ({"overage_status": None}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_licence_over_its_limit_is_seen(
    server: ScriptedServer, told: object, *, expected: bool | None
) -> None:
    server.script("GET", "/entitlements/overage", Reply(json=told))

    assert connect(server).overage() is expected


@pytest.mark.parametrize(
    "bad",
    [Reply(401), Reply(403), Reply(404, {}), Reply(500), Reply(400), Reply(failure="reset")],
    ids=lambda reply: str(reply.status) + reply.failure,
)
def test_the_question_about_the_licence_never_fails_a_run(
    server: ScriptedServer, bad: Reply
) -> None:
    server.script("GET", "/entitlements/overage", bad)

    assert connect(server).overage() is None


def test_a_busy_connector_is_waited_for(server: ScriptedServer) -> None:
    running = listing(IMPORTER | {"running": True})
    server.script("GET", "/connectors", running, running, running, listing(IMPORTER))
    log = Log()

    connect(server).wait_until_idle(5, log)

    assert len(server.requests) == 4
    assert log.lines == ["Connector 42 is busy with a run; waiting for its end"]


def test_an_idle_connector_needs_no_wait(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER))
    log = Log()

    connect(server).wait_until_idle(0, log)

    assert log.lines == []


def test_a_connector_that_stays_busy_ends_the_wait(server: ScriptedServer) -> None:
    server.script("GET", "/connectors", listing(IMPORTER | {"running": "true"}))

    with pytest.raises(ConnectorBusy, match="nothing of this load has been run") as caught:
        connect(server).wait_until_idle(0.05, Log())

    assert caught.value.exit_code == 1
