"""QualysClient: one session to one platform; logins, limits and retries. Elements and bytes out."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import IO, TYPE_CHECKING, Final, TypeVar

from qualyswas_ciscovm.dates import from_header
from tap_qualyswas.errors import (
    ApiAccessMissing,
    BadCredentials,
    BrokenAnswer,
    KbMissing,
    LoneRefusal,
    TemporaryError,
)
from tap_qualyswas.qualys.answers import (
    OK,
    Reply,
    ServiceAnswer,
    check,
    read_kb_answer,
    read_service_answer,
)
from tap_qualyswas.qualys.request_bodies import service_request
from tap_qualyswas.qualys.retries import Gate, RetryPolicy
from tap_qualyswas.qualys.transport import Call, Transport
from tap_qualyswas.records.parsing import HEAD_BYTES, root_name

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Sequence

    from requests.auth import AuthBase

    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.parsing import Element

T = TypeVar("T")

WAS: Final = "/qps/rest/3.0"
SUBSCRIPTION: Final = re.compile(r"Qualys:[^:]*:([0-9A-Fa-f-]{8,36}):", re.ASCII)
"""`X-Powered-By: Qualys:<pod>:<subscription uuid>:<user uuid>`, as recorded."""
KB_IDS: Final = 250
"""Ids of one knowledge base call; careful clients stay at this number."""


class QualysClient:
    """Ask one Qualys platform. Safe to use from several threads.

    Args:
        transport: sends calls.
        retries: when to ask again.
        max_concurrency: calls at a time; lowered when Qualys says so.
        kb_version: version of the knowledge base API, such as `2.0`.
        kb_auth: login for the knowledge base where it is another one.
        logger: gets one line a wait.
        renew_login: makes the next call log in anew, where logins end by themselves; given when
            the refused call began, on the monotonic clock.
    """

    def __init__(  # noqa: PLR0913 - parts that are put together in one place
        self,
        transport: Transport,
        *,
        retries: RetryPolicy,
        max_concurrency: int,
        kb_version: str,
        kb_auth: AuthBase | None,
        logger: logging.Logger,
        renew_login: Callable[[float], None] | None = None,
    ) -> None:
        self._transport = transport
        self._retries = retries
        self._gate = Gate(max_concurrency)
        self._kb_path = f"/api/{kb_version}/fo/knowledge_base/vuln/"
        self._kb_auth = kb_auth
        self._logger = logger
        self._renew_login = renew_login
        self._lock = threading.Lock()
        self._answered = False
        self._refused_before = False
        self._first_date: datetime | None = None
        self._first_at = 0.0
        self.subscription: str | None = None
        self.evaluation = False

    @property
    def workers(self) -> int:
        """How many calls may be on the way at a time now."""
        return self._gate.limit

    @property
    def knows_time(self) -> bool:
        """Whether an answer has told the server's time."""
        return self._first_date is not None

    def started_at(self) -> datetime:
        """Give the server's time at its first answer; ask for it when there was none yet.

        Raises:
            QualysError: when Qualys cannot be asked.
        """
        if self._first_date is None:
            self.check_login()
        return self._first_date or datetime.now(timezone.utc)

    def time_now(self) -> datetime:
        """Give the server's time now: that of its first answer and what has passed since.

        Raises:
            QualysError: when Qualys cannot be asked.
        """
        return self.started_at() + timedelta(seconds=time.monotonic() - self._first_at)

    def check_login(self) -> None:
        """Ask for the portal's version, which shows that the login works.

        Raises:
            QualysError: when it does not.
        """
        self._call(lambda: Call("/qps/rest/portal/version"), check)

    def count(self, kind: str, criteria: Iterable[Criterion] = ()) -> int:
        """Count the rows of a kind (`webapp`, `wasscan`, `finding`).

        Raises:
            QualysError: when there is no number.
        """
        body = service_request(criteria)

        def read(reply: Reply) -> int:
            answer = read_service_answer(reply)
            self._note_evaluation(evaluation=answer.evaluation)
            if answer.count is None:
                msg = "Qualys answered a count without a number."
                raise BrokenAnswer(msg)
            return answer.count

        return self._call(lambda: Call(f"{WAS}/count/was/{kind}", body), read)

    def search(
        self,
        kind: str,
        body: Callable[[], bytes],
        read_page: Callable[[ServiceAnswer], T],
        *,
        on_too_slow: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        """Search rows of a kind and read one page of them.

        Args:
            kind: `webapp`, `wasscan` or `finding`.
            body: gives the request, anew for each attempt.
            read_page: makes something of the page; a TemporaryError that it raises is a reason to
                ask again.
            on_too_slow: called when an answer did not come in time or was too large, before the
                next attempt: the place to ask for less.
            stop: ends waits early.

        Raises:
            QualysError: when there is no page.
        """

        def read(reply: Reply) -> T:
            answer = read_service_answer(reply)
            self._note_evaluation(evaluation=answer.evaluation)
            return read_page(answer)

        call = lambda: Call(f"{WAS}/search/was/{kind}", body())  # noqa: E731 - built per attempt
        return self._call(call, read, on_too_slow, stop)

    def knowledge_base(self, qids: Sequence[int]) -> tuple[list[Element], int]:
        """Fetch entries of the knowledge base.

        Args:
            qids: at most 250 and at least one: without ids the whole knowledge base would come.

        Returns:
            The VULN elements of those that Qualys knows; and how many characters were replaced.

        Raises:
            QualysError: when there is no answer.
            ValueError: for no ids, or too many.
        """
        if not 0 < len(qids) <= KB_IDS:
            msg = f"1 to {KB_IDS} QIDs, not {len(qids)}"
            raise ValueError(msg)
        form = {"action": "list", "details": "All", "ids": ",".join(map(str, qids))}

        def read(reply: Reply) -> tuple[list[Element], int]:
            try:
                entries, document = read_kb_answer(reply)
            except ApiAccessMissing as refused:
                if not self._answered:
                    raise
                # The findings came, so it is this part that is closed to the account.
                raise KbMissing(reply.place, refused.code) from None
            self._note_evaluation(evaluation=document.evaluation)
            return (entries, document.replaced)

        return self._call(lambda: Call(self._kb_path, form=form, auth=self._kb_auth), read)

    def download_scan(self, scan_id: int, read: Callable[[IO[bytes]], T]) -> T:
        """Download the report of a scan and `read` it.

        Args:
            scan_id: id of the scan.
            read: makes something of the document, which lies on disk when it is large. A
                BrokenAnswer that it raises makes the download be tried again.

        Raises:
            NotFound: when the scan has no report, or is gone.
            QualysError: when there is no answer.
        """
        call = Call(f"{WAS}/download/was/wasscan/{scan_id}")

        def attempt() -> T:
            reply, source = self._transport.download(call)
            with source:
                self._note_reply(reply)
                source.seek(0, 2)
                size = source.tell()
                source.seek(0)
                head = source.read(HEAD_BYTES)
                # A report is a WasScan; what is small and something else is an error in HTTP 200.
                if reply.status != OK or (size <= HEAD_BYTES and root_name(head) != "WasScan"):
                    check(replace(reply, body=head))
                return read(source)

        return self._again(attempt)

    def _call(
        self,
        call: Callable[[], Call],
        read: Callable[[Reply], T],
        on_too_slow: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        def attempt() -> T:
            reply = self._transport.send(call())
            self._note_reply(reply)
            return read(reply)

        return self._again(attempt, on_too_slow, stop)

    def _again(
        self,
        attempt: Callable[[], T],
        on_too_slow: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        """Attempt until it works, or until the error is not worth another attempt."""
        tries = 0
        while True:
            tries += 1
            try:
                with self._gate.passing():
                    began = time.monotonic()
                    result = attempt()
            except BadCredentials as refused:
                self._prepare_next(self._ended_token(refused, began), tries, on_too_slow, stop)
            except TemporaryError as error:
                if isinstance(error, LoneRefusal) and self._renew_login is not None:
                    self._renew_login(began)
                self._prepare_next(error, tries, on_too_slow, stop)
            else:
                self._answered = True
                self._refused_before = False
                return result

    def _ended_token(self, refused: BadCredentials, began: float) -> LoneRefusal:
        """Take a refusal as that of a token that has ended, which names and passwords do not."""
        if self._renew_login is None or not self._answered:
            raise refused
        self._renew_login(began)
        return LoneRefusal(refused.place, refused.code)

    def _prepare_next(
        self,
        error: TemporaryError,
        tries: int,
        on_too_slow: Callable[[], None] | None,
        stop: threading.Event | None,
    ) -> None:
        if tries >= self._retries.attempts_for(error, answered=self._answered):
            raise error.given_up(tries, answered=self._answered)
        if isinstance(error, LoneRefusal) and self._renew_login is None:
            self._refuse_second(error)
        seconds = self._retries.wait_after(error, tries)
        if error.lower_concurrency and self._gate.lower():
            self._logger.info("At most %d calls at a time from now on.", self._gate.limit)
        if error.asks_for_less and on_too_slow is not None:
            on_too_slow()
        self._logger.warning("%s Asking again in %.0f s.", error, seconds)
        if (stop or threading.Event()).wait(seconds):
            raise error

    def _refuse_second(self, error: LoneRefusal) -> None:
        """Let one 401 pass, not a second one in a row by another worker: it locks the account."""
        with self._lock:
            if self._refused_before:
                raise error.given_up(2, answered=self._answered)
            self._refused_before = True

    def _note_reply(self, reply: Reply) -> None:
        with self._lock:
            if self._first_date is None:
                self._first_at = time.monotonic()
                told = from_header(reply.headers.get("Date"))
                self._first_date = told or datetime.now(timezone.utc)
            found = SUBSCRIPTION.match(reply.headers.get("X-Powered-By", ""))
            if found and self.subscription is None:
                self.subscription = found[1].lower()
        self._note_evaluation(evaluation=reply.headers.get("evaluation", "").lower() == "true")

    def _note_evaluation(self, *, evaluation: bool) -> None:
        if evaluation:
            self.evaluation = True
