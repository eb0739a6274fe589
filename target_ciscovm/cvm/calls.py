"""Calls to CVM: tried again where that may help, and checked by their status."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from target_ciscovm.cvm.retry_policy import persist
from target_ciscovm.errors import (
    BadKey,
    BrokenAnswer,
    KeyLacksRights,
    RateLimited,
    RequestRefused,
    TemporaryError,
    Unavailable,
    WrongHost,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_ciscovm.cvm.answer import Answer
    from target_ciscovm.cvm.multipart import FileBody
    from target_ciscovm.cvm.retry_policy import RetryPolicy
    from target_ciscovm.cvm.transport import Transport

PASS: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
"""Statuses whose meaning depends on the call."""

TOO_MANY: Final = HTTPStatus.TOO_MANY_REQUESTS
PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})


class Calls:
    """Calls to one host.

    Attributes:
        transport: the session with the host.
        policy: the limits of waiting.
    """

    def __init__(self, transport: Transport, policy: RetryPolicy) -> None:
        self.transport = transport
        self.policy = policy
        self._spoken = False
        """Whether the host has answered with JSON, so it is an API."""

    @property
    def place(self) -> str:
        """The host, as messages name it."""
        return self.transport.place

    def get(
        self,
        path: str,
        doing: str,
        *,
        query: Sequence[tuple[str, str | int]] = (),
        attempts: int | None = None,
    ) -> Answer:
        """Send a GET request until JSON comes.

        Args:
            path: the path of the call.
            doing: what the call is for, as in "the user may not {doing}".
            query: names and values; a name may be repeated.
            attempts: fewer tries than `max_attempts`.

        Returns:
            An answer of HTTP 2xx with JSON, or one of HTTP 404 or 405.

        Raises:
            TemporaryError: when all tries failed.
            Refused: when someone has to change something first.
            RequestRefused: for another status of refusal.
        """
        return persist(
            lambda: self.get_once(path, doing, query=query),
            self.policy,
            attempts=attempts,
            first_contact=not self.transport.answered,
        )

    def get_once(
        self, path: str, doing: str, *, query: Sequence[tuple[str, str | int]] = ()
    ) -> Answer:
        """Send a GET request once."""
        answer = self.transport.send("GET", path, query=query)
        self.judge(answer, doing)
        if answer.status not in PASS:
            answer.document()
        return answer

    def once(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str | int]] = (),
        json: Mapping[str, object] | None = None,
        body: FileBody | None = None,
    ) -> Answer:
        """Send one request, never again, and give the answer with any status."""
        return self.transport.send(method, path, query=query, json=json, body=body)

    def judge(self, answer: Answer, doing: str) -> None:
        """Raise the error for the status of an answer; 2xx, 404 and 405 pass.

        The status decides, not the text (API docs, "Errors").
        """
        status = answer.status
        if status == HTTPStatus.UNAUTHORIZED:
            raise BadKey(self.place)
        if status == TOO_MANY:
            msg = f"{self.place} received too many requests in a second (HTTP 429)."
            raise _with_wait(RateLimited(msg), answer)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING:
            msg = f"{self.place} cannot answer now (HTTP {status})."
            raise _with_wait(Unavailable(msg), answer)
        self._judge_page(answer)
        if status == HTTPStatus.FORBIDDEN:
            raise KeyLacksRights(self.place, doing)
        if status >= HTTPStatus.BAD_REQUEST and status not in PASS:
            quote = self.transport.quote(answer)
            msg = f"{self.place} refused to let us {doing} (HTTP {status}: {quote})."
            raise RequestRefused(msg)

    def _judge_page(self, answer: Answer) -> None:
        """Raise for a web page: at first it means a wrong host, later a temporary error."""
        if not answer.html:
            self._spoken = self._spoken or answer.is_json()
            return
        if not self._spoken:
            raise WrongHost(self.place, f"with a web page (HTTP {answer.status})")
        msg = f"{self.place} answered with a web page instead of data (HTTP {answer.status})."
        raise BrokenAnswer(msg)


def _with_wait(error: TemporaryError, answer: Answer) -> TemporaryError:
    error.wait_seconds = answer.retry_after
    return error
