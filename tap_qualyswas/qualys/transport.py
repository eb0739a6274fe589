"""One HTTP call, sent and read to its end, and an error for each way in which that can fail."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests

from qualyswas_ciscovm.bodies import CODING, pieces
from qualyswas_ciscovm.sessions import OneServer
from tap_qualyswas.errors import AnswerTooLarge, BrokenAnswer, QualysError, ReportTooLarge
from tap_qualyswas.qualys.auth import secrets_of
from tap_qualyswas.qualys.connection_errors import Timeout, explain
from tap_qualyswas.qualys.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests.auth import AuthBase

CHUNK_BYTES: Final = 262_144
MAX_PAGE_BYTES: Final = 134_217_728
"""What one page may take in memory; above it a smaller page is asked for."""
MAX_REPORT_BYTES: Final = 536_870_912
"""What one report of a scan may take on disk. The largest texts that were seen had some 10 MB."""
MAX_TOKEN_BYTES: Final = 1_048_576
"""What the gateway may answer; a token has some KB."""
MEMORY_BYTES: Final = 8_388_608
"""Above this size a download goes to a temporary file."""
CONNECT_SECONDS: Final = 30.0
QUICK: Final = Timeout(connect=6.0, answer=22.0)
"""For a call that costs the server nothing: four attempts take less than two minutes."""


@dataclass(frozen=True, slots=True)
class Call:
    """What to send, with a `body` or a `form`; without either it is a GET.

    Attributes:
        auth: login in place of the session's.
        is_quick: whether it costs the server nothing, so that there is no point in a long wait.
    """

    path: str
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    auth: AuthBase | None = None
    is_quick: bool = False


class Transport:
    """One session to one API server.

    Cookies are not kept, redirects are not followed, certificates are always verified, and proxies
    come from the usual environment variables.

    Args:
        api_url: base URL without a slash at its end.
        place: how messages name it.
        auth: login of each call that has none of its own.
        ca_bundle: file with the CA certificates to trust in place of the usual ones.
        timeout_seconds: how long the server may be silent.
        connections: connections kept open at a time.
        user_agent: what the calls say they come from.
        max_report_bytes: what one report may take on disk.
    """

    def __init__(  # noqa: PLR0913 - each is one setting
        self,
        api_url: str,
        place: str,
        *,
        auth: AuthBase,
        ca_bundle: str | None,
        timeout_seconds: float,
        connections: int,
        user_agent: str,
        max_report_bytes: int = MAX_REPORT_BYTES,
    ) -> None:
        self._api_url = api_url
        self._place = place
        self._max_report_bytes = max_report_bytes
        self._auth = auth
        # Given with each request: on the session, REQUESTS_CA_BUNDLE would win over it.
        self._verify: str | bool = ca_bundle or True
        connect, setting = min(CONNECT_SECONDS, timeout_seconds), "request_timeout_seconds"
        self._timeout = Timeout(connect, timeout_seconds, setting)
        self._quick = min(QUICK, self._timeout, key=lambda timeout: timeout.answer)
        self._session = requests.Session()
        self._server = OneServer(self._session, api_url, self._verify, max(connections, 2))
        # The fo API refuses calls without X-Requested-With; elsewhere it does no harm.
        self._session.headers.update(
            {"User-Agent": user_agent, "X-Requested-With": user_agent, "Accept": "*/*"}
        )
        self._session.headers["Accept-Encoding"] = CODING

    @property
    def host(self) -> str:
        """The host of the API server."""
        return urlsplit(self._api_url).hostname or ""

    def send(self, call: Call) -> Reply:
        """Send a call and read its answer into memory.

        Raises:
            QualysError: when no whole answer comes.
        """
        with self._open(call) as response:
            buffer = BytesIO()
            msg = f"{self._place} sent a page of more than {MAX_PAGE_BYTES:,} bytes."
            with _explained(self._place, self._timeout):
                _read(response, buffer, MAX_PAGE_BYTES, AnswerTooLarge(msg), self._timeout)
            return self._reply(response, buffer.getvalue())

    def download(self, call: Call) -> tuple[Reply, IO[bytes]]:
        """Send a call whose answer may be large.

        Returns:
            The answer without its body, and the body as a temporary file.

        Raises:
            QualysError: when no whole answer comes.
        """
        msg = f"{self._place} sent a report of more than {self._max_report_bytes:,} bytes."
        with ExitStack() as stack, self._open(call) as response:
            target = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES))
            with _explained(self._place, self._timeout):
                too_large = ReportTooLarge(msg)
                _read(response, target, self._max_report_bytes, too_large, self._timeout)
            stack.pop_all()
            return (self._reply(response, b""), target)

    def post_form(self, url: str, headers: Mapping[str, bytes], auth: AuthBase) -> Reply:
        """Send an empty form to another server of the platform (the gateway).

        Raises:
            QualysError: when no whole answer comes.
        """
        place = f"The gateway {urlsplit(url).netloc}"
        with _explained(place, self._quick):
            form = {**headers, "Content-Type": b"application/x-www-form-urlencoded"}
            request = requests.Request("POST", url, headers=form, data={}, auth=auth)
            gateway = OneServer(self._session, url, self._verify)
            response = gateway.ask(request, self._quick[:2])
            buffer = BytesIO()
            msg = f"{place} sent an answer of more than {MAX_TOKEN_BYTES:,} bytes."
            with response:
                _read(response, buffer, MAX_TOKEN_BYTES, BrokenAnswer(msg), self._quick)
        return Reply(place, response.status_code, response.headers, buffer.getvalue())

    def _open(self, call: Call) -> requests.Response:
        headers = {"Content-Type": "text/xml"} if call.body is not None else {}
        method = "GET" if call.body is None and call.form is None else "POST"
        timeout = self._quick if call.is_quick else self._timeout
        with _explained(self._place, timeout):
            request = requests.Request(
                method,
                f"{self._api_url}{call.path}",
                data=call.form if call.body is None else call.body,
                headers=headers,
                auth=call.auth or self._auth,
            )
            return self._server.ask(request, timeout[:2])

    def _reply(self, response: requests.Response, body: bytes) -> Reply:
        sent = response.request.headers.get("Authorization", "")
        return Reply(self._place, response.status_code, response.headers, body, secrets_of(sent))


@contextmanager
def _explained(place: str, timeout: Timeout) -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        raise explain(error, place, timeout) from None


def _read(
    response: requests.Response,
    target: IO[bytes],
    limit: int,
    too_large: QualysError,
    timeout: Timeout,
) -> None:
    size = 0
    for piece in pieces(response, CHUNK_BYTES, timeout.answer):
        size += len(piece)
        if size > limit:
            raise too_large
        target.write(piece)
