"""What every answer of the CVM face has in common: its gate, its forms and its request log."""

from __future__ import annotations

import hmac
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from tests.sandbox.http.connection import abort

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from tests.sandbox.ciscovm.tenant.tenant import Tenant
    from tests.sandbox.faults.faults import Faults
    from tests.sandbox.faults.switches import Switches
    from tests.sandbox.world.clock import Clock

KEY_HEADER: Final = "X-Risk-Token"
WINDOW_SECONDS: Final = 1.0

ERRORS: Final = {
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    410: "Resource gone",
    422: "Unprocessable_entity",
    429: "too_many_requests",
    500: "Internal Server Error",
}
"""The `error` of an answer: Cisco's own for 400, 401, 404, 410, 422 and 500, similar words else."""

_PAGE_502: Final = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"
_PAGE_413: Final = "<html><head><title>413 Request Entity Too Large</title></head></html>"
_PAGE_LOGIN: Final = "<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>"


@dataclass
class Logged:
    """One request as it came.

    Attributes:
        endpoint: as counted, e.g. `data_file` or `vulnerabilities/search`.
        moment: real seconds of a clock that never jumps.
        status: HTTP status of the answer; 0 when the connection was closed instead.
        size: bytes of the uploaded file as they came over the wire; None without one.
        sha256: of these bytes.
        data_files: ids that a run named.
    """

    method: str
    endpoint: str
    moment: float
    status: int = 0
    size: int | None = None
    sha256: str | None = None
    data_files: tuple[int, ...] = ()


class Dropped(Response):
    """The connection is closed without an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await abort(scope)


class RateLimit:
    """Allows an address `limit` requests in any second of real time; 0 means no limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._taken: dict[str, deque[float]] = {}

    def admits(self, address: str) -> bool:
        """Return whether one more request is allowed, and count it if so."""
        now = time.monotonic()
        with self._lock:
            taken = self._taken.setdefault(address, deque())
            while taken and taken[0] <= now - WINDOW_SECONDS:
                taken.popleft()
            if self._limit and len(taken) >= self._limit:
                return False
            taken.append(now)
            return True


@dataclass
class CiscoFace:
    """The API behind one `create_app`: whose tenant, what was asked, what goes wrong."""

    tenant: Tenant
    clock: Clock
    faults: Faults
    switches: Switches
    requests: Counter[str] = field(default_factory=Counter)
    log: list[Logged] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._limit = RateLimit(self.switches.rate_limit)
        self._interruption: tuple[int, Callable[[], None]] | None = None

    def interrupt(self, after: int, deed: Callable[[], None] | None) -> None:
        """Let somebody do something in CVM once so many further calls have come; None: nobody."""
        self._interruption = deed and (after, deed)

    def _let_others_act(self) -> None:
        if self._interruption is None:
            return
        left, deed = self._interruption
        self._interruption = (left - 1, deed) if left else None
        if not left:
            deed()

    def log_request(self, request: Request, endpoint: str) -> Logged:
        """Count a request and begin its line in the log."""
        logged = Logged(request.method, endpoint, time.monotonic())
        self.requests[endpoint] += 1
        self.log.append(logged)
        self._let_others_act()
        return logged

    def refuse(self, request: Request) -> Response | None:
        """Return the refusal that a request gets whatever it asks, or None to let it in."""
        address = request.client.host if request.client else ""
        if not self._limit.admits(address) or self.faults.take("ciscovm-429"):
            return self.error(429, "Rate limit exceeded.")
        if self.faults.take("ciscovm-html"):
            return self.html(_PAGE_LOGIN, 200)
        if self.faults.take("ciscovm-502"):
            return self.bad_gateway()
        key = request.headers.get(KEY_HEADER, "").encode()
        good = hmac.compare_digest(key, self.tenant.state.api_key.encode())
        if not good or self.faults.take("ciscovm-key"):
            return self.error(401, "Your API key is not valid.")
        return None

    def json(self, content: Mapping[str, object] | Sequence[object], status: int = 200) -> Response:
        """Return an answer of the usual kind."""
        return JSONResponse(content, status, self.headers())

    def error(self, status: int, message: str) -> Response:
        """Return a refusal. Its `success` is text, except in Cisco's example of a 404."""
        success = False if status == 404 else "false"
        return self.json({"success": success, "error": ERRORS[status], "message": message}, status)

    def html(self, page: str, status: int) -> Response:
        """Return what a gateway or a portal answers."""
        return Response(page, status, self.headers(), media_type="text/html")

    def bad_gateway(self) -> Response:
        """Return the gateway's 502."""
        return self.html(_PAGE_502, 502)

    def too_large(self) -> Response:
        """Return the gateway's 413. CVM probably has a limit; nobody says which."""
        return self.html(_PAGE_413, 413)

    def empty(self) -> Response:
        """Return HTTP 200 with nothing in it."""
        return Response(b"", 200, self.headers())

    def headers(self) -> dict[str, str]:
        """Return the headers of every answer: the world's date."""
        return {"Date": self.clock.http_date()}
