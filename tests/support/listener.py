"""A web server on loopback that keeps what is posted to it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Listener:
    """What was posted, and how the server answers.

    Attributes:
        url: its address, with a path that stands for the secret of a webhook.
        statuses: of the answers to come; 200 when there are no more.
        seconds: before it answers.
        posted: the bodies, as JSON.
        headers: of the last request.
    """

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0
    posted: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """Give the texts for people."""
        return [one["text"] for one in self.posted]


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on loopback for JSON."""
    kept = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posted.append(json.loads(body))
            kept.headers = dict(self.headers.items())
            time.sleep(kept.seconds)
            self.send_response(kept.statuses.pop(0) if kept.statuses else 200)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_port}/hook/WEBHOOKSECRET"
        yield kept
        server.shutdown()
        thread.join()
