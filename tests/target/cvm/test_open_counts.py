from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.errors import RequestRefused
from tests.target.cvm.quick import connect
from tests.target.cvm.scripted_server import Reply

if TYPE_CHECKING:
    from tests.target.cvm.scripted_server import ScriptedServer

CONNECTORS = {"connectors": [{"id": 42, "name": 'Web & "apps"', "host": None, "running": False}]}


@pytest.fixture
def server(server: ScriptedServer) -> ScriptedServer:
    server.script("GET", "/connectors", Reply(json=CONNECTORS))
    return server


def page(*owners: int | None, total: int | None) -> Reply:
    rows = [{"id": n, "connector": {"id": owner, "name": "x"}} for n, owner in enumerate(owners)]
    meta = {"page": 1, "pages": 1} | ({} if total is None else {"total_count": total})
    return Reply(json={"findings": rows, "meta": meta})


def test_open_vulnerabilities_are_counted_by_a_search_for_the_connector(
    server: ScriptedServer,
) -> None:
    meta = {"page": 1, "pages": 9, "total_count": 4321}
    server.script("GET", "/vulnerabilities/search", Reply(json={"meta": meta}))

    assert connect(server).open_count() == 4321

    query = dict(server.requests[-1].query)
    assert query["connector_names[]"] == 'Web & "apps"'
    assert query["status[]"] == "open"
    assert query["per_page"] == "1"


@pytest.mark.parametrize("body", [{}, {"meta": {}}, {"meta": {"total_count": None}}, []])
def test_a_count_that_is_not_told_is_not_known(server: ScriptedServer, body: object) -> None:
    server.script("GET", "/vulnerabilities/search", Reply(json=body))

    assert connect(server).open_count() is None


def test_open_findings_of_other_connectors_are_not_counted(server: ScriptedServer) -> None:
    first = page(*[42] * 60, *[7] * 40, total=130)
    server.script("GET", "/findings", first, page(*[42] * 20, *[None] * 10, total=130))

    assert connect(server).open_count("findings") == 80

    asked = [dict(request.query) for request in server.asked("GET", "/findings")]
    assert [query["page"] for query in asked] == ["1", "2"]
    assert "per_page" not in asked[0]  # any other size than the default is an error


def test_no_findings_are_none(server: ScriptedServer) -> None:
    server.script("GET", "/findings", page(total=0))

    assert connect(server).open_count("findings") == 0


def test_pages_that_end_early_end_the_count(server: ScriptedServer) -> None:
    server.script("GET", "/findings", page(42, total=500), page(total=500))

    assert connect(server).open_count("findings") == 1


@pytest.mark.parametrize("reply", [page(42, total=None), Reply(json={}), Reply(404, {})])
def test_findings_without_a_total_are_not_known(server: ScriptedServer, reply: Reply) -> None:
    server.script("GET", "/findings", reply)

    assert connect(server).open_count("findings") is None


def test_a_search_that_is_refused_is_an_error(server: ScriptedServer) -> None:
    server.script("GET", "/vulnerabilities/search", Reply(400, {"message": "bad query"}))

    with pytest.raises(RequestRefused, match="bad query"):
        connect(server).open_count()
