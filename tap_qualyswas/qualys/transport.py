"""One HTTP call, sent and read to its end, and an error for each way in which that can fail."""

from __future__ import annotations

import socket
import ssl
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from qualyswas_ciscovm.demo import proxy_advice
from tap_qualyswas.errors import (
    AnswerTooLarge,
    BrokenAnswer,
    QualysError,
    ReportTooLarge,
    TimedOut,
    Unreachable,
    UntrustedServer,
)
from tap_qualyswas.qualys.answers import Reply
from tap_qualyswas.qualys.auth import secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests.auth import AuthBase

CHUNK_BYTES: Final = 262_144
MAX_PAGE_BYTES: Final = 134_217_728
"""What one page may take in memory; above it a smaller page is asked for."""
MAX_REPORT_BYTES: Final = 536_870_912
"""What one report of a scan may take on disk. The largest texts that were seen had some 10 MB."""
MEMORY_BYTES: Final = 8_388_608
"""Above this size a download goes to a temporary file."""
CONNECT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """What to send, with a `body` or a `form`; without either it is a GET."""

    path: str
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    auth: AuthBase | None = None


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
        self._timeout = (min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_maxsize=max(connections, 2))
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        # The fo API refuses calls without X-Requested-With; elsewhere it does no harm.
        self._session.headers.update(
            {"User-Agent": user_agent, "X-Requested-With": user_agent, "Accept": "*/*"}
        )

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
            self._read(response, buffer, MAX_PAGE_BYTES, AnswerTooLarge(msg))
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
            self._read(response, target, self._max_report_bytes, ReportTooLarge(msg))
            stack.pop_all()
            return (self._reply(response, b""), target)

    def post_form(self, url: str, headers: Mapping[str, str], auth: AuthBase) -> requests.Response:
        """Send an empty form to another server of the platform (the gateway)."""
        try:
            return self._session.post(
                url,
                data={},
                headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
                auth=auth,
                verify=self._verify,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise connection_error(error, url.split("/")[2]) from None

    def _open(self, call: Call) -> requests.Response:
        headers = {"Content-Type": "text/xml"} if call.body is not None else {}
        method = "GET" if call.body is None and call.form is None else "POST"
        try:
            return self._session.request(
                method,
                f"{self._api_url}{call.path}",
                data=call.form if call.body is None else call.body,
                headers=headers,
                auth=call.auth or self._auth,
                verify=self._verify,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise connection_error(error, self._place) from None

    def _read(
        self, response: requests.Response, target: IO[bytes], limit: int, too_large: QualysError
    ) -> None:
        size = 0
        try:
            for chunk in response.iter_content(CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise too_large
                target.write(chunk)
        except requests.RequestException as error:
            raise connection_error(error, self._place) from None

    def _reply(self, response: requests.Response, body: bytes) -> Reply:
        sent = response.request.headers.get("Authorization", "")
        return Reply(self._place, response.status_code, response.headers, body, secrets_of(sent))


def connection_error(error: requests.RequestException, place: str) -> QualysError:
    """Give the error for what `requests` raised, without its text, which may hold the request."""
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return UntrustedServer(place)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Unreachable(f"No connection to {place} within {CONNECT_SECONDS:.0f} s.")
    if isinstance(error, requests.exceptions.Timeout) or "Read timed out" in str(error):
        return TimedOut(f"{place} did not answer within request_timeout_seconds.")
    if isinstance(error, BROKEN):
        return BrokenAnswer(f"The answer of {place} broke off or could not be decompressed.")
    return Unreachable(_unreachable(error, place))


BROKEN: Final = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


def _unreachable(error: requests.RequestException, place: str) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return f"The proxy did not let the call to {place} through. {proxy_advice()}"
    if isinstance(error, requests.exceptions.SSLError):
        # Any break of a TLS connection raises this; only a certificate is a matter of trust.
        return f"No TLS connection to {place} could be made. Check that it is an https server."
    if any(isinstance(cause, socket.gaierror) for cause in _causes(error)):
        host = place.partition(" ")[0]
        return f"There is no host {host} in DNS. Check region or api_url, and the network."
    return f"The connection to {place} failed or was closed by the server."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and its causes; urllib3 keeps them in `reason` or among the arguments."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        reason = getattr(seen, "reason", None) or next(
            (part for part in seen.args if isinstance(part, BaseException)), None
        )
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
