"""A server on 127.0.0.1 that gives the answers it is told to, broken ones too, over TLS too."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from typing_extensions import Self


@dataclass(frozen=True)
class Request:
    """One request as it arrived.

    Attributes:
        path: without the query.
        at: when it came, by a clock that only goes forward.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    content: bytes
    at: float

    @property
    def body(self) -> str:
        """The content as text."""
        return self.content.decode()

    @property
    def form_file(self) -> bytes:
        """The content of the form's file part."""
        boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
        parts = self.content.split(b"--" + boundary)
        part = next(part for part in parts if b'name="file"' in part)
        return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


@dataclass(frozen=True)
class Response:
    """One answer, or the way in which there is none.

    Attributes:
        delay: seconds before it comes.
        cut: bytes of the content after which the connection ends.
        lost: `reset` closes hard instead of answering, `hang` stays silent until the server stops.
        interim: statuses of the answers that announce this one.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    delay: float = 0.0
    cut: int | None = None
    lost: Literal["", "reset", "hang"] = ""
    interim: tuple[int, ...] = ()


class LoopbackServer(ABC):
    """Answer while the `with` block runs.

    Attributes:
        requests: all requests so far, in order.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Give the answer to a request, one at a time."""

    def take(self, request: Request) -> Response:
        """Keep a request and give its answer."""
        with self._lock:
            self.requests.append(request)
            return self.answer(request)

    def hang(self) -> None:
        """Block until the server is closed."""
        self._closing.wait(30)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            loopback = server

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    loopback: LoopbackServer

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qsl(parts.query),
            headers=dict(self.headers.items()),
            content=self.rfile.read(length),
            at=time.monotonic(),
        )
        response = self.loopback.take(request)
        time.sleep(response.delay)
        if response.lost == "hang":
            self.loopback.hang()
        if response.lost:
            self._reset()
        else:
            self._send(response)

    do_POST = do_GET  # noqa: N815 - named by http.server

    def _reset(self) -> None:
        # Closed with a zero linger time, a socket sends RST: "connection reset by peer".
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _send(self, response: Response) -> None:
        for status in response.interim:
            self.send_response_only(status)
            self.send_header("Link", "</style.css>; rel=preload")
            self.end_headers()
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.content)))
        self.end_headers()
        self.wfile.write(response.content[: response.cut])
        self.wfile.flush()
        self.close_connection = self.close_connection or response.cut is not None

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True

    @override
    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True
