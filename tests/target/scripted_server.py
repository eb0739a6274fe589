"""A loopback server that answers a written sequence, where the sandbox would be too free.

Replies are taken in order for each method and path; the last one is kept for all further requests.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

MISSING = {"success": "false", "error": "not_found", "message": "Not found"}


@dataclass(frozen=True)
class Reply:
    """One answer, or the way in which there is none.

    Attributes:
        json: the body as JSON, when `text` is None.
        failure: `reset` closes hard instead of answering, `hang` stays silent until the client has
            gone, `cut` breaks off in the middle of the body.
        delay: seconds before the answer.
    """

    status: int = 200
    json: object = None
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    failure: Literal["", "reset", "hang", "cut"] = ""
    delay: float = 0.0

    @property
    def body(self) -> bytes:
        return (json.dumps(self.json) if self.text is None else self.text).encode()


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    time: float

    @property
    def sha(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def form_file(self) -> bytes:
        """Return the content of the form's file part."""
        boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
        parts = self.body.split(b"--" + boundary)
        part = next(part for part in parts if b'name="file"' in part)
        return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


class ScriptedServer:
    """Answer on 127.0.0.1 while the `with` block runs.

    Attributes:
        requests: all requests so far, in order.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def script(self, method: str, path: str, *replies: Reply) -> None:
        """Add answers for one method and path."""
        self._replies[method, path] += replies

    def asked(self, method: str, path: str) -> list[Request]:
        """Give the requests of one method and path."""
        return [item for item in self.requests if (item.method, item.path) == (method, path)]

    def take(self, request: Request) -> Reply:
        """Note the request and give its answer."""
        with self._lock:
            self.requests.append(request)
            replies = self._replies.get((request.method, request.path))
            if not replies:
                return Reply(404, MISSING)
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def hang(self) -> None:
        """Block until the server is closed."""
        self._closing.wait(30)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        script = self

        class Handler(_Handler):
            server_script = script

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_script: ScriptedServer

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_GET  # noqa: N815 - named by http.server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parse_qsl(parts.query),
            headers=dict(self.headers.items()),
            body=self.rfile.read(length),
            time=time.monotonic(),
        )
        reply = self.server_script.take(request)
        time.sleep(reply.delay)
        if reply.failure == "hang":
            self.server_script.hang()
        if reply.failure in {"reset", "hang"}:
            self._reset()
            return
        body = reply.body
        self.send_response_only(reply.status)
        for name, value in ({"Content-Type": "application/json"} | reply.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if reply.failure == "cut" else body)
        self.close_connection = self.close_connection or reply.failure == "cut"

    def _reset(self) -> None:
        # Closed with a zero linger time, a socket sends RST: "connection reset by peer".
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    @override
    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            self.close_connection = True
