"""The knowledge base over `/api/{version}/fo`: its form parameters, limits and refusals."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.responses import PlainTextResponse

from tests.sandbox.qualys.spoiled_pages import too_large
from tests.sandbox.qualys.xml.knowledge_base import BadIdsError, document, known, parse_ids
from tests.sandbox.world.model import seconds

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.qualys.face import Logged, QualysFace

LIMIT: Final = 300
WINDOW: Final = 3600
WORK_SECONDS: Final = 0.01
"""How long a call runs, so that others may come meanwhile."""
CONCURRENCY: Final = 2
"""As recorded on a knowledge base answer: 300 calls an hour, two at a time."""

_KNOWN: Final = frozenset(
    {
        "action",
        "ids",
        "details",
        "echo_request",
        "last_modified_after",
        "last_modified_before",
        "published_after",
        "published_before",
        "id_min",
        "id_max",
        "show_pci_reasons",
        "show_supported_modules_info",
        "show_disabled_flag",
        "show_qid_change_log",
        "is_patchable",
        "discovery_method",
        "discovery_auth_types",
    }
)


class FoSide:
    """The knowledge base of the world, with the limits that it really has."""

    def __init__(self, face: QualysFace) -> None:
        self.face = face
        self._calls: deque[float] = deque()
        self._running = 0

    def refuse_unnamed(self, request: Request) -> Response | None:
        """Return the refusal of a call that does not say who asks, or None."""
        if request.headers.get("x-requested-with"):
            return None
        return self._refuse(1903, "Missing required header: X-Requested-With")

    async def knowledge_base(self, parameters: str, logged: Logged) -> Response:
        """Answer a call; a third one at a time, or the 301st in an hour, is refused.

        What wait a call is told that is refused for concurrency is a switch.
        """
        if self._running >= CONCURRENCY:
            told = self.face.switches.concurrency_wait
            return self._blocked(1960, "Concurrency limit has been reached.", told)
        now = seconds(self.face.clock.now())
        while self._calls and self._calls[0] <= now - WINDOW:
            self._calls.popleft()
        if len(self._calls) >= LIMIT:
            wait = int(self._calls[0] + WINDOW - now) + 1
            return self._blocked(1965, "The maximum number of calls has been reached.", wait)
        self._calls.append(now)
        self._running += 1
        try:
            await asyncio.sleep(WORK_SECONDS)
            return self._answer(parameters, logged)
        finally:
            self._running -= 1

    def _answer(self, text: str, logged: Logged) -> Response:
        pairs = parse_qsl(text, keep_blank_values=True)
        given = dict(pairs)
        for name in given:
            if name not in _KNOWN:
                return self._refuse(1901, f"Unrecognized parameter(s): {name}")
        if given.get("action") != "list":
            return self._refuse(1905, f"parameter action has invalid value: {given.get('action')}")
        if not given.get("ids"):
            return self._everything(logged)
        try:
            ranges = parse_ids(given["ids"])
        except BadIdsError as error:
            return self._refuse(1905, str(error))
        if len(ranges) > self.face.switches.kb_max_ids:
            return self._refuse(1905, "parameter ids has too many values")
        wanted = sum(last - first + 1 for first, last in ranges)
        refusal = self._refuse_first(ranges) or too_large(self.face, "kb", wanted)
        return refusal or self._entries(ranges, logged)

    def _everything(self, logged: Logged) -> Response:
        """Serve the whole knowledge base, as the real one would (over a gigabyte): a violation."""
        logged.violation = "the knowledge base was asked for without ids: all of it is sent"
        return self._entries(None, logged)

    def _entries(self, ranges: list[tuple[int, int]] | None, logged: Logged) -> Response:
        found = known(self.face.world.qids, ranges)
        logged.rows = len(found)
        evaluation = self.face.faults.armed("qualys-evaluation-comment")
        text = document(
            found,
            self.face.world.moment(),
            evaluation=evaluation,
            version=logged.version,
        )
        return self.face.xml(text, extra=self._headers())

    def _headers(self, wait: int | None = 0) -> dict[str, str]:
        """Return the headers of limits; a wait of 0 means "not blocked", as recorded."""
        return {
            **({} if wait is None else {"X-RateLimit-ToWait-Sec": str(wait)}),
            **self.face.identity(),
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Window-Sec": str(WINDOW),
            "X-RateLimit-Remaining": str(max(0, LIMIT - len(self._calls))),
            "X-Concurrency-Limit-Limit": str(CONCURRENCY),
            "X-Concurrency-Limit-Running": str(max(0, self._running - 1)),
        }

    def _refuse_first(self, ranges: list[tuple[int, int]]) -> Response | None:
        how = self.face.switches.kb_refuses
        if how == "nothing":
            return None
        first = min(each.qid for each in self.face.world.qids)
        if not any(low <= first <= high for low, high in ranges):
            return None
        if how == "without code":
            return PlainTextResponse("Bad Request", 400)
        return self._refuse(1905, "parameter ids has invalid value")

    def _blocked(self, code: int, text: str, wait: int | None) -> Response:
        return self.face.simple_return(409, code, text, extra=self._headers(wait))

    def _refuse(self, code: int, text: str) -> Response:
        return self.face.simple_return(400, code, text, extra=self._headers())
