"""Connections are looked up once; an answer is given up when next to nothing comes of it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

import pytest
import requests

from qualyswas_ciscovm.sessions import OneServer, Stalled, pieces, require_progress
from tests.support.dripping import FORMS, DrippingServer
from tests.support.loopback import LoopbackServer, Request, Response

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override


class Silent(LoopbackServer):
    @override
    def answer(self, request: Request) -> Response:
        return Response(204, {}, b"")


class Counting(OneServer):
    """Count how often the connections to use are looked up."""

    looked_up = 0

    @override
    def build_connection_pool_key_attributes(self, *given: Any, **named: Any) -> Any:
        self.looked_up += 1
        return super().build_connection_pool_key_attributes(*given, **named)


def test_the_connections_to_one_server_are_looked_up_once() -> None:
    with Silent() as server, requests.Session() as session:
        adapter = Counting(session, server.url, verify=True)
        for path in ("/one", "/other"):
            adapter.ask(requests.Request("GET", f"{server.url}{path}"), (5, 5)).close()

    assert [request.path for request in server.requests] == ["/one", "/other"]
    assert adapter.looked_up == 1


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_drips_for_ever_is_given_up(form: str) -> None:
    with (
        DrippingServer(form) as server,
        requests.get(server.url, stream=True, timeout=5) as response,
        pytest.raises(Stalled),
    ):
        list(pieces(response, 65_536, answer_seconds=0.02))


@pytest.mark.parametrize(
    ("seconds", "size", "is_given_up"),
    [
        (3599, 0, False),
        (3601, 0, True),
        (3601, 20_000, False),
        (7200, 30_000_000, True),
        (7200, 40_000_000, False),
    ],
)
def test_an_answer_may_take_long_while_it_brings_something(
    seconds: int, size: int, is_given_up: bool
) -> None:
    with pytest.raises(Stalled) if is_given_up else nullcontext():
        require_progress(seconds, size, 300)
