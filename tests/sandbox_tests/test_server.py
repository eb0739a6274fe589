"""The sandbox's HTTP server leaves nothing open behind it."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.http.server import Server

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HUNG_SECONDS = 30


async def says_nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.sleep(HUNG_SECONDS)


async def stops_half_way(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]}
    )
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await asyncio.sleep(HUNG_SECONDS)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port))


@pytest.mark.parametrize("app", [says_nothing, stops_half_way])
def test_connections_are_closed_whether_hanging_idle_or_just_made(app: ASGIApp) -> None:
    began = time.monotonic()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        with Server(app) as server:
            asking, idle = connect(server), connect(server)
            asking.sendall(b"GET / HTTP/1.1\r\nHost: sandbox\r\n\r\n")
            time.sleep(0.2)
            late = connect(server)
        gc.collect()
    for client in (asking, idle, late):
        client.close()
    assert not [str(warning.message) for warning in told]
    assert time.monotonic() - began < HUNG_SECONDS / 2
