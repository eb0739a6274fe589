"""A server of its own process that plays pages which were rendered beforehand.

`python -m tests.bench.peers.player FOLDER [UPSTREAM [SECONDS]]` prints its URL and serves until it
is killed. The same request gets the same answer, read from the folder; one that is not there is
asked of the upstream, a sandbox, and kept. So after one run of a program the pages of the next are
ready, and the server takes next to nothing of what is measured.

With SECONDS no answer comes sooner, and `FOLDER.calls` gets a line for each call: when it began,
and when its answer was about to be sent.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import requests

NOT_PASSED_ON: Final = frozenset(
    {"connection", "content-encoding", "content-length", "host", "transfer-encoding"}
)
ASK_SECONDS: Final = 600.0
CALLS: Final = ".calls"
"""End of the name of the file that calls are recorded in."""


class Player(BaseHTTPRequestHandler):
    """Answers one connection.

    Attributes:
        folder: where the pages are.
        upstream: URL of the server that is asked for pages not there yet, empty for none.
        seconds: that each call takes at least; None where calls are not recorded.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    folder: Path
    upstream: str
    seconds: float | None = None

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - whatever is told
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def _answer(self) -> None:
        began = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        named = f"{self.command} {self.path}\n".encode() + body
        page = self.folder / hashlib.sha256(named).hexdigest()
        if not page.exists():
            self._fetch(page, body)
        head, _, content = page.read_bytes().partition(b"\n")
        told = json.loads(head)
        if self.seconds is not None:
            time.sleep(max(began + self.seconds - time.monotonic(), 0))
            self._record(began)
        self.send_response_only(told["status"])
        for name, value in told["headers"].items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _record(self, began: float) -> None:
        with self.folder.with_suffix(CALLS).open("a", encoding="ascii") as calls:
            calls.write(f"{began} {time.monotonic()}\n")

    def _fetch(self, page: Path, body: bytes) -> None:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON
        }
        found = requests.request(
            self.command, self.upstream + self.path, data=body, headers=headers, timeout=ASK_SECONDS
        )
        kept = {
            name: value
            for name, value in found.headers.items()
            if name.lower() not in NOT_PASSED_ON
        }
        head = json.dumps({"status": found.status_code, "headers": kept}).encode()
        partial = page.with_suffix(".part")
        partial.write_bytes(head + b"\n" + found.content)
        partial.rename(page)


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    folder, upstream, seconds, *_ = [*arguments, "", ""]
    Player.folder, Player.upstream = Path(folder), upstream
    Player.seconds = float(seconds) if seconds else None
    server = ThreadingHTTPServer(("127.0.0.1", 0), Player)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
