"""The connections to a server are looked up once."""

from __future__ import annotations

import sys
from itertools import repeat
from typing import Any

import pytest
import requests
from urllib3 import PoolManager

from qualyswas_ciscovm.sessions import OneServer, bundle_problem
from tests.support.dripping import IN_HEAD, DrippingServer
from tests.support.loopback import LoopbackServer, Request, Response

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Silent(LoopbackServer):
    @override
    def answer(self, request: Request) -> Response:
        return Response(204, {}, b"")


class Connections(PoolManager):
    """Count how often the connections to use are looked up."""

    looked_up = 0

    @override
    def connection_from_host(self, *given: Any, **named: Any) -> Any:
        self.looked_up += 1
        return super().connection_from_host(*given, **named)


class Counting(OneServer):
    """Look for connections among those that count."""

    @override
    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        self.connections = self.poolmanager = Connections()


def test_the_connections_to_one_server_are_looked_up_once() -> None:
    with Silent() as server, requests.Session() as session:
        adapter = Counting(session, server.url, verify=True)
        for path in ("/one", "/other"):
            adapter.ask(requests.Request("GET", f"{server.url}{path}"), (5, 5)).close()

    assert [request.path for request in server.requests] == ["/one", "/other"]
    assert adapter.connections.looked_up == 1


def test_an_answer_that_never_gets_past_its_headers_is_given_up() -> None:
    with DrippingServer(IN_HEAD) as server, requests.Session() as session:
        adapter = OneServer(session, server.url, verify=True)
        with pytest.raises(requests.exceptions.ReadTimeout):
            adapter.ask(requests.Request("GET", server.url), (5, 0.1))


class Announcing(LoopbackServer):
    @override
    def answer(self, request: Request) -> Response:
        return Response(200, {}, request.path.encode(), interim=(100, 102, 103, 103))


def test_each_call_gets_its_own_answer_though_others_announce_it() -> None:
    paths = ["/one", "/other", "/last"]
    with Announcing() as server, requests.Session() as session:
        adapter = OneServer(session, server.url, verify=True)
        asked = [requests.Request("GET", f"{server.url}{path}") for path in paths]
        answers = map(adapter.ask, asked, repeat((5.0, 5.0)))
        told = [(answer.status_code, answer.text) for answer in answers]

    assert told == [(200, path) for path in paths]


class Defective(LoopbackServer):
    @override
    def answer(self, request: Request) -> Response:
        return Response(204, {"Content-Length": "0", "Not a header at all\r\nX-Other": "1"}, b"")


def test_headers_that_cannot_be_read_write_no_trace_back(caplog: pytest.LogCaptureFixture) -> None:
    with Defective() as server, requests.Session() as session:
        adapter = OneServer(session, server.url, verify=True)
        adapter.ask(requests.Request("GET", server.url), (5, 5)).close()

    assert caplog.text == ""


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
def test_a_host_that_can_have_no_name_is_a_wrong_url(host: str) -> None:
    url = f"https://{host}.example.test"
    with requests.Session() as session, pytest.raises(requests.exceptions.InvalidURL):
        OneServer(session, url, verify=True).ask(requests.Request("GET", url), (5, 5))


@pytest.mark.parametrize("named_by", ["ca_bundle", "CURL_CA_BUNDLE"])
def test_a_text_that_is_too_long_for_a_path_is_no_file(
    named_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "x" * 5000
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("CURL_CA_BUNDLE", path)

    told = bundle_problem(path if named_by == "ca_bundle" else None, "https://api.example.test")

    assert told is not None
    assert told.startswith(f"{named_by} is not a file: x")
    assert len(told) < 300
