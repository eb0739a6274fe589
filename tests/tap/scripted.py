"""A small server that plays given answers one after the other, and keeps what it was asked."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

DATE: Final = "Fri, 31 May 2024 08:00:00 GMT"
SEARCH: Final = "/qps/rest/3.0/search/was/"
COUNT: Final = "/qps/rest/3.0/count/was/"
FINDINGS: Final = f"{SEARCH}finding"
KB: Final = "/api/2.0/fo/knowledge_base/vuln/"


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        cut: bytes of the body after which the connection ends.
        reset: whether the connection is reset in place of an answer.
        delay: seconds before it comes.
    """

    body: str | bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    reset: bool = False
    delay: float = 0.0

    @property
    def data(self) -> bytes:
        """The body in bytes."""
        return self.body if isinstance(self.body, bytes) else self.body.encode()


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    at: float


class ScriptedServer:
    """Answer on loopback: by path from a list, then by path with an answer for ever.

    Args:
        scripts: answers by path, each given once, in their order.
        always: answers by path for when its list is used up; the default is an empty result.
        date: the `Date` of each answer, None for no such header.
        tls: for answers over TLS.
    """

    def __init__(
        self,
        scripts: Mapping[str, Iterable[Answer]] | None = None,
        always: Mapping[str, Answer] | None = None,
        date: str | None = DATE,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.asked: list[Asked] = []
        self._scripts = {path: deque(answers) for path, answers in (scripts or {}).items()}
        self._always = dict(always or {})
        self._date = date
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def config(self) -> dict[str, str]:
        """The settings that every run needs."""
        return {"api_url": self.url, "username": "someone", "password": "hidden-word"}

    def asked_at(self, path: str) -> list[Asked]:
        """Give the requests to a path."""
        return [asked for asked in self.asked if asked.path == path]

    def by_path(self) -> dict[str, int]:
        """Give how often each path was asked for."""
        counts: dict[str, int] = defaultdict(int)
        for asked in self.asked:
            counts[asked.path] += 1
        return dict(counts)

    def take(self, asked: Asked) -> Answer:
        """Keep a request and give its answer."""
        with self._lock:
            self.asked.append(asked)
            script = self._scripts.get(asked.path)
            if script:
                return script.popleft()
        if asked.path in self._always:
            return self._always[asked.path]
        return Answer(count_xml(0) if asked.path.startswith(COUNT) else empty(asked.path))

    def _handler(self) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - several small methods
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def _answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size).decode()
                headers = dict(self.headers.items())
                asked = Asked(self.command, self.path, headers, body, time.monotonic())
                answer = scripted.take(asked)
                time.sleep(answer.delay)
                if answer.reset:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()
                    self.close_connection = True
                    return
                self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response_only(answer.status)
                sent = {"Content-Type": "text/xml", **answer.headers}
                if scripted._date is not None:
                    sent.setdefault("Date", scripted._date)
                sent["Content-Length"] = str(len(answer.data))
                for name, value in sent.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.data if answer.cut is None else answer.data[: answer.cut])
                self.wfile.flush()
                self.close_connection = answer.cut is not None

            do_GET = do_POST = _answer  # noqa: N815 - the server's own names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, ValueError):
                    self.close_connection = True

            def finish(self) -> None:
                try:
                    super().finish()
                except (OSError, ValueError):
                    self.close_connection = True

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
        self._server.shutdown()
        self._server.server_close()


def empty(path: str) -> str:
    """Give an answer with nothing in it, of the kind that belongs to a path."""
    if "knowledge_base" in path:
        return "<KNOWLEDGE_BASE_VULN_LIST_OUTPUT><RESPONSE/></KNOWLEDGE_BASE_VULN_LIST_OUTPUT>"
    return page()


def count_xml(number: int) -> str:
    """Give the answer of a count call."""
    return (
        "<ServiceResponse><responseCode>SUCCESS</responseCode>"
        f"<count>{number}</count></ServiceResponse>"
    )


def page(
    *rows: str, more: str | None = "false", last_id: int | None = None, data: bool = True
) -> str:
    """Give a search answer with rows of XML."""
    told = "" if more is None else f"<hasMoreRecords>{more}</hasMoreRecords>"
    last = "" if last_id is None else f"<lastId>{last_id}</lastId>"
    inside = f"<data>{''.join(rows)}</data>" if data else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ServiceResponse>'
        f"<responseCode>SUCCESS</responseCode><count>{len(rows)}</count>{told}{last}{inside}"
        "</ServiceResponse>"
    )


def failure(code: str, message: str = "", resolution: str = "") -> str:
    """Give an error as the WAS API tells it inside HTTP 200."""
    return (
        f"<ServiceResponse><responseCode>{code}</responseCode><responseErrorDetails>"
        f"<errorMessage>{escape(message)}</errorMessage>"
        f"<errorResolution>{escape(resolution)}</errorResolution>"
        "</responseErrorDetails></ServiceResponse>"
    )


def simple_return(code: int, text: str = "", items: Mapping[str, str] | None = None) -> str:
    """Give an error as the fo API tells it."""
    listed = "".join(
        f"<ITEM><KEY>{key}</KEY><VALUE>{value}</VALUE></ITEM>"
        for key, value in (items or {}).items()
    )
    item_list = f"<ITEM_LIST>{listed}</ITEM_LIST>" if listed else ""
    return (
        "<SIMPLE_RETURN><RESPONSE><DATETIME>2024-05-31T08:00:00Z</DATETIME>"
        f"<CODE>{code}</CODE><TEXT>{escape(text)}</TEXT>{item_list}</RESPONSE></SIMPLE_RETURN>"
    )


def finding(number: int, *, kind: str = "VULNERABILITY", **changes: str | None) -> str:
    """Give a lean finding; `changes` replace the XML inside its elements, None leaves them out."""
    values: dict[str, str | None] = {
        "id": str(number),
        "uniqueId": f"00000000-0000-4000-8000-{number:012d}",
        "qid": str(150_000 + number % 7),
        "name": f"<![CDATA[Weakness {number}]]>",
        "type": kind,
        "potential": "false",
        "findingType": "QUALYS",
        "severity": "3",
        "url": f"<![CDATA[https://app1.example.test/page{number}?a=1&b=2]]>",
        "status": "ACTIVE",
        "firstDetectedDate": "2024-03-01T08:00:00Z",
        "lastDetectedDate": "2024-05-01T08:00:00Z",
        "lastTestedDate": "2024-05-02T08:00:00Z",
        "timesDetected": "2",
        "isIgnored": "false",
        "webApp": "<id>9001</id><name>Demo App 1</name><url>https://app1.example.test/</url>",
        **changes,
    }
    inside = "".join(
        f"<{name}>{value}</{name}>" for name, value in values.items() if value is not None
    )
    return f"<Finding>{inside}</Finding>"


def webapp(number: int, **changes: str) -> str:
    """Give a web application."""
    values = {
        "id": str(number),
        "name": f"<![CDATA[App {number}]]>",
        "url": f"https://app{number}.example.test/",
        **changes,
    }
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<WebApp>{inside}</WebApp>"


def scan(number: int, *, app: int = 9001, **changes: str | None) -> str:
    """Give a finished scan."""
    values: dict[str, str | None] = {
        "id": str(number),
        "name": f"Scan {number}",
        "reference": f"was/1714550400000.{number}",
        "type": "VULNERABILITY",
        "mode": "ONDEMAND",
        "target": f"<webApp><id>{app}</id><name>Demo App 1</name></webApp>",
        "launchedDate": "2024-05-01T08:00:00Z",
        "status": "FINISHED",
        "summary": "<resultsStatus>SUCCESSFUL</resultsStatus>",
        **changes,
    }
    inside = "".join(
        f"<{name}>{value}</{name}>" for name, value in values.items() if value is not None
    )
    return f"<WasScan>{inside}</WasScan>"
