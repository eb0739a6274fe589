"""Breaking the connection of a request, for which ASGI has no message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_KEY: Final = "sandbox.cycle"


class Breakable:
    """An ASGI application whose requests can be broken off by `abort`.

    uvicorn's `send` is a method of its request cycle, which knows the transport. That is not
    documented; the tests of the faults that use it fail when it changes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)
        if cycle is not None:  # inside a middleware `send` is a plain function
            scope[_KEY] = cycle
        await self.app(scope, receive, send)


class Gathering:
    """A transport that sends together what is written in one go.

    What is written before the connection is closed or broken off is sent first, as ever.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        """Be that transport in all else."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send some bytes, with those that follow them at once."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Close the connection."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Break it off."""
        self._flush()
        self._transport.abort()

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()


async def abort(scope: Scope) -> None:
    """Close the request's connection at once, whatever was sent before.

    Raises:
        RuntimeError: when the request did not come through `Breakable` and uvicorn.
    """
    transport = getattr(scope.get(_KEY), "transport", None)
    if transport is None:
        msg = "the connection cannot be broken: not served by uvicorn through Breakable"
        raise RuntimeError(msg)
    transport.abort()
    # Lets uvicorn learn of it, so that it does not try to answer.
    await asyncio.sleep(0.01)


class CutShort(Response):
    """An answer that promises its whole length and breaks off in the middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        # Let the half arrive before the connection ends.
        await asyncio.sleep(0.05)
        await abort(scope)
