"""QualysClient: one session to one platform; checked answers, elements and bytes out."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final, TypeVar

from qualyswas_ciscovm.accounts import Account
from qualyswas_ciscovm.dates import to_text
from qualyswas_ciscovm.server_clock import ServerClock
from tap_qualyswas.errors import (
    ApiAccessMissing,
    BlockedRequest,
    BrokenAnswer,
    CodedRefusal,
    InvalidRequest,
    NotFound,
    WasMissing,
    Withdrawn,
    WrongPlatform,
)
from tap_qualyswas.qualys.answers import (
    ServiceAnswer,
    check,
    check_report,
    read_service_answer,
)
from tap_qualyswas.qualys.call_history import WAS, CallHistory
from tap_qualyswas.qualys.knowledge_base import (
    KbVersions,
    Strays,
    check_whole,
    kb_form,
    read_entries,
)
from tap_qualyswas.qualys.request_bodies import service_request
from tap_qualyswas.qualys.transport import Call, Transport
from tap_qualyswas.records.parsing import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from requests.auth import AuthBase

    from tap_qualyswas.qualys.answers import TakeRows
    from tap_qualyswas.qualys.attempts import Attempts
    from tap_qualyswas.qualys.reply import Reply
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.parsing import Element

T = TypeVar("T")

TAG: Final = "tag"
TAGS: Final = "/qps/rest/2.0"
"""Tags belong to asset management, whose calls are of another version."""
NO_RIGHT: Final = (CodedRefusal, NotFound, InvalidRequest, WrongPlatform)
"""What an account may get that cannot read tags: no source names one answer."""
SUBSCRIPTION: Final = re.compile(r"Qualys:[^:]*:([0-9A-Fa-f-]{8,36}):", re.ASCII)
"""`X-Powered-By: Qualys:<pod>:<subscription uuid>:<user uuid>`, as recorded."""
CLOSED: Final = (ApiAccessMissing, WasMissing, NotFound, InvalidRequest, WrongPlatform)
"""What the portal's version answers to accounts, and on private platforms, that it is closed to."""
MOST_ASKED: Final = 4
"""Answers that are asked for to learn the time, before the local clock stands in."""


class QualysClient:
    """Ask one Qualys platform. Safe to use from several threads.

    Args:
        transport: sends calls.
        attempts: tries them until they work.
        kb_version: version of the knowledge base API, such as `2.0`.
        kb_auth: login for the knowledge base, where it is another one.
        login: hash of the user or client name.

    Attributes:
        subscription: id of the account's subscription; None until an answer names it.
        evaluation: whether the account marks itself as an evaluation.
        is_mixed: whether answers have named more than one subscription.
    """

    def __init__(
        self,
        transport: Transport,
        attempts: Attempts,
        *,
        kb_version: str,
        kb_auth: AuthBase | None,
        login: str | None = None,
    ) -> None:
        self._transport = transport
        self._login = login
        self._attempts = attempts
        self._kb_versions = KbVersions(kb_version)
        self._kb_auth = kb_auth
        self._strays = Strays(attempts.warn)
        self._history = CallHistory()
        self._told_of_clock = False
        self._version_is_closed = False
        self._omitted: dict[str, frozenset[str]] = {}
        self._omitting = threading.Lock()
        self._clock = ServerClock(local_stands_in=True)
        self.subscription: str | None = None
        self.evaluation = False
        self.is_mixed = False

    @property
    def workers(self) -> int:
        """How many calls may be on the way at a time now."""
        return self._attempts.concurrency

    @property
    def answered(self) -> bool:
        """Whether any call has worked."""
        return self._attempts.answered

    @property
    def account(self) -> Account:
        """The account, as far as answers have named it."""
        return Account(self.subscription, self._transport.host, self._login)

    @property
    def worked(self) -> list[str]:
        """The parts of the API that have answered well, in this run or before."""
        return self._history.parts

    def remember(self, worked: Iterable[str]) -> None:
        """Take over which parts of the API have answered this login in earlier syncs."""
        self._history.remember(worked)
        if self._history.parts:
            self._attempts.trust_address()

    @property
    def knows_time(self) -> bool:
        """Whether the server's time is known from answers that agree."""
        return self._clock.first is not None

    def started_at(self) -> datetime:
        """Give the server's time at its first good answer; ask until two answers agree on it.

        Raises:
            QualysError: when Qualys cannot be asked.
        """
        for _ in range(MOST_ASKED):
            if self._clock.first is not None:
                break
            self.check_login()
        first = self._clock.first or self._clock.believe_local()
        if self._clock.is_local and not self._told_of_clock:
            self._told_of_clock = True
            self._attempts.inform(
                "No two answers of Qualys agree on the time, so the local clock stands in: "
                f"{to_text(first)}."
            )
        return first

    def time_now(self) -> datetime:
        """Give the server's time now: that of its first answer and what has passed since.

        Raises:
            QualysError: when Qualys cannot be asked.
        """
        return self.started_at() + self._clock.since_first()

    def sleep(self, seconds: float) -> None:
        """Wait; as long as the policy's own waits are to usual ones."""
        self._attempts.sleep(seconds)

    def check_login(self) -> None:
        """Ask for the portal's version, which shows that the login works and what time it is.

        Where the version is closed to the account, the count of its web applications does.

        Raises:
            QualysError: when the login does not work.
        """
        if not self._version_is_closed:
            try:
                self._call(lambda: Call("/qps/rest/portal/version", is_quick=True), check)
            except CLOSED:
                self._version_is_closed = True
        if self._version_is_closed:
            self.count("webapp")

    def count(self, kind: str, criteria: Iterable[Criterion] = ()) -> int:
        """Count the rows of a kind (`webapp`, `wasscan`, `finding`, `tag`).

        Raises:
            QualysError: when no number comes.
        """
        body = service_request(criteria)

        def read(reply: Reply) -> int:
            answer = read_service_answer(reply)
            self._note_evaluation(evaluation=answer.evaluation)
            if answer.count is None:
                msg = "Qualys answered a count without a number."
                raise BrokenAnswer(msg)
            return answer.count

        return self._call(lambda: Call(_path("count", kind), body), read)

    def search(  # noqa: PLR0913 - each is one part of how pages are read
        self,
        kind: str,
        body: Callable[[], bytes],
        read_page: Callable[[ServiceAnswer], T],
        *,
        take_rows: TakeRows | None = None,
        on_too_slow: Callable[[], bool] | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        """Search rows of a kind and read one page of them.

        Args:
            kind: `webapp`, `wasscan`, `finding` or `tag`.
            body: gives the request, for each attempt again.
            read_page: makes something of the page; a TemporaryError that it raises is a reason for
                another attempt.
            take_rows: reads rows without a tree, as for `read_service_answer`.
            on_too_slow: called when an answer did not come in time or was too large, before the
                next attempt: asks for less, and tells whether it does.
            stop: ends waits early.

        Raises:
            QualysError: when no page comes.
        """

        def read(reply: Reply) -> T:
            answer = read_service_answer(reply, take_rows)
            self._note_evaluation(evaluation=answer.evaluation)
            return read_page(answer)

        call = lambda: Call(_path("search", kind), body())  # noqa: E731 - built per attempt
        return self._call(call, read, on_too_slow, stop)

    def webapp(self, number: int, read: Callable[[ServiceAnswer], T]) -> T:
        """Ask for one web application with all its details.

        Raises:
            QualysError: when it does not come.
        """
        call = Call(f"{WAS}/get/was/webapp/{number}")
        return self._call(lambda: call, lambda reply: read(read_service_answer(reply)))

    def omitted(self, kind: str) -> frozenset[str]:
        """Give what searches of a kind are asked without, as Qualys has refused it in this run."""
        return self._omitted.get(kind, frozenset())

    def omit(self, kind: str, name: str, refused: InvalidRequest) -> None:
        """Ask searches of a kind without something from now on: `verbose`, or a criterion."""
        with self._omitting:
            omitted = self.omitted(kind)
            if name in omitted:
                return  # another worker was refused the same meanwhile
            self._omitted[kind] = omitted | {name}
        told = f"Qualys refuses {name} in searches for {kind}"
        if isinstance(refused, BlockedRequest):
            told = f"No search for {kind} with {name} gets through"
        self._attempts.warn(
            f"{told} ({refused.reason}). Asking without it in this run; some details may be "
            "missing."
        )

    def knowledge_base(
        self,
        qids: Callable[[], Sequence[int]],
        *,
        on_too_slow: Callable[[], bool] | None = None,
    ) -> tuple[list[Element], int]:
        """Fetch entries of the knowledge base.

        Args:
            qids: gives 1 to 250 of them, for each attempt again: without ids the whole knowledge
                base would come.
            on_too_slow: as for a search.

        Returns:
            The VULN elements of those that Qualys knows; and how many characters were replaced.

        Raises:
            QualysError: when no answer comes.
            ValueError: for no ids, or too many.
        """
        asked: Sequence[int] = ()

        def call() -> Call:
            nonlocal asked
            asked = qids()
            return Call(self._kb_versions.path, form=kb_form(asked), auth=self._kb_auth)

        def read(reply: Reply) -> tuple[list[Element], int]:
            entries, document = read_entries(reply, answered=self._attempts.answered)
            self._note_evaluation(evaluation=document.evaluation)
            check_whole(document, asked)
            return (self._strays.left_out(entries, asked), document.replaced)

        try:
            return self._call(call, read, on_too_slow)
        except (WasMissing, InvalidRequest, Withdrawn) as refused:
            self._attempts.warn(self._kb_versions.move_on(refused))
        return self.knowledge_base(qids, on_too_slow=on_too_slow)

    def download_scan(self, scan_id: int, read: Callable[[IO[bytes]], T]) -> T:
        """Download the report of a scan and `read` it.

        Args:
            scan_id: id of the scan.
            read: makes something of the document, which is on disk when it is large. A
                BrokenAnswer that it raises is a reason for another attempt.

        Raises:
            NotFound: when the scan has no report, or is gone.
            QualysError: when no answer comes.
        """
        call = Call(f"{WAS}/download/was/wasscan/{scan_id}")

        def attempt() -> T:
            reply, source = self._transport.download(call)
            with source:
                self._note_reply(reply, own_login=False)
                source.seek(0, 2)
                size = source.tell()
                source.seek(0)
                told = replace(reply, body=source.read(HEAD_BYTES))
                told = self._history.of(told, call.path, answered=self._attempts.answered)
                check_report(told, scan_id, is_whole=size <= HEAD_BYTES)
                result = read(source)
                self._history.note(call.path)
                return self._good(reply, result)

        return self._attempts.run(attempt)

    def _call(
        self,
        call: Callable[[], Call],
        read: Callable[[Reply], T],
        on_too_slow: Callable[[], bool] | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        def attempt() -> T:
            asked = call()
            reply = self._transport.send(asked)
            self._note_reply(reply, own_login=asked.auth is not None)
            answered = self._attempts.answered
            result = read(self._history.of(reply, asked.path, answered=answered))
            self._history.note(asked.path)
            return self._good(reply, result)

        return self._attempts.run(attempt, on_too_slow, stop)

    def _good(self, reply: Reply, result: T) -> T:
        """Take the time of an answer that could be read: an error page has its own clock."""
        self._clock.note(reply.headers.get("Date"))
        return result

    def _note_reply(self, reply: Reply, *, own_login: bool) -> None:
        """Note what an answer tells of the account; with `own_login` it may be of another one."""
        found = SUBSCRIPTION.match(reply.headers.get("X-Powered-By", ""))
        if found:
            named = found[1].lower()
            if not own_login and self.subscription not in {None, named}:
                self.is_mixed = True
            self.subscription = self.subscription or named
        self._note_evaluation(evaluation=reply.headers.get("evaluation", "").lower() == "true")

    def _note_evaluation(self, *, evaluation: bool) -> None:
        if evaluation:
            self.evaluation = True


def _path(operation: str, kind: str) -> str:
    return f"{TAGS}/{operation}/am/{kind}" if kind == TAG else f"{WAS}/{operation}/was/{kind}"
