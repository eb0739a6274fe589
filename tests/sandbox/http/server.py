"""One ASGI application served over real HTTP on loopback, from a thread."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.sandbox.http.connection import Breakable, Gathering

if sys.version_info >= (3, 13):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import ssl

    from starlette.types import ASGIApp, Receive, Scope, Send
    from typing_extensions import Self

START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0


class Delayed:
    """An application that answers each request some seconds later."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.seconds)
        await self.app(scope, receive, send)


class _AtOnce(HttpToolsProtocol):
    """Sends the head of an answer together with its body, which halves what both sides do for it.

    Other servers do so too.
    """

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))


class _Prompt(uvicorn.Server):
    """Stops as soon as it is told to; uvicorn itself looks every tenth of a second.

    Hundreds of tests wait for one to stop.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    @override
    async def main_loop(self) -> None:
        await self._told.wait()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A connection whose making is under way when asyncio closes the server is left open by
        # Python before 3.12 (gh-109564), and reported in whichever test happens to run later.
        for listening in sockets or ():
            asyncio.get_running_loop().remove_reader(listening)
        await asyncio.sleep(0.01)
        await super().shutdown(sockets)

    def end(self) -> None:
        """Let the server stop, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended meanwhile
                self._loop.call_soon_threadsafe(self._told.set)


class Server:
    """Serve `app` on 127.0.0.1 while the `with` block runs.

    Neither `Date` nor `Server` is added to the answers: the faces set `Date` from the world's
    clock themselves, and a second one would contradict it.
    """

    def __init__(
        self,
        app: ASGIApp,
        port: int = 0,
        *,
        latency: float = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        # asyncio does so for sockets that it makes itself; without it each answer, being written
        # in two parts, waits 40 ms for the client's delayed acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self._scheme = "http" if tls is None else "https"
        config = uvicorn.Config(
            Breakable(Delayed(app, latency) if latency else app),
            http=_AtOnce,
            log_config=None,
            log_level="critical",
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            # A client may keep its connection over many simulated days.
            timeout_keep_alive=60,
        )
        config.load()
        config.ssl = tls
        self._server = _Prompt(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    @property
    def url(self) -> str:
        """Return the base URL, without a trailing slash."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start serving and return when connections are answered.

        Raises:
            RuntimeError: when the server is not up within ten seconds.
        """
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                msg = f"the sandbox's server on port {self.port} did not start"
                raise RuntimeError(msg)
            time.sleep(0.005)

    def stop_soon(self) -> None:
        """Stop taking requests without waiting; `stop` waits."""
        self._server.end()

    def stop(self) -> None:
        """Stop serving; a hanging answer is cut off."""
        self.stop_soon()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(STOP_SECONDS)
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
