"""HTTP exchanges with CVM: paced, authenticated, verified, with an answer or a typed error."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from qualyswas_ciscovm.bodies import CODING, pieces
from qualyswas_ciscovm.dates import from_header
from qualyswas_ciscovm.plugin import package_version
from qualyswas_ciscovm.server_clock import ServerClock
from qualyswas_ciscovm.sessions import OneServer, bundle_path, bundle_problem
from target_ciscovm.cvm.answer import Answer, read_retry_after
from target_ciscovm.cvm.connection_errors import explain
from target_ciscovm.errors import BrokenAnswer, SettingsError, TimedOut, WrongHost

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from target_ciscovm.cvm.multipart import FileBody
    from target_ciscovm.cvm.retry_policy import RetryPolicy

QUOTE_CHARACTERS: Final = 200
CHUNK_BYTES: Final = 1 << 16
MAX_ANSWER_BYTES: Final = 268_435_456
"""What one answer may take in memory; the longest page of a search has some tens of MB."""


class RiskToken(AuthBase):
    """Adds the API key to a request."""

    def __init__(self, key: str) -> None:
        self._key = key

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Risk-Token"] = self._key
        return request


class Transport:
    """A session with one API host.

    Attributes:
        place: the host, as messages name it.
        answered: whether the host has answered at all.
    """

    def __init__(
        self,
        api_url: str,
        api_key: str,
        ca_bundle: str | None,
        policy: RetryPolicy,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.place = urlsplit(api_url).netloc
        self.answered = False
        self._url = api_url
        self._key = _tidy_key(api_key)
        self._policy = policy
        self._max_answer_bytes = max_answer_bytes
        self._timeout = policy.connect_seconds, policy.read_seconds
        self._next_start = 0.0
        self._clock = ServerClock(local_stands_in=False)
        session = requests.Session()
        session.auth = RiskToken(self._key)
        session.headers.update({"User-Agent": user_agent(), "Accept": "application/json"})
        session.headers["Accept-Encoding"] = CODING
        self._server = OneServer(session, api_url, _certificates(ca_bundle, api_url))

    @property
    def server_now(self) -> datetime | None:
        """The `Date` of the first good answer; None until another one agrees."""
        return self._clock.first

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str | int]] = (),
        json: Mapping[str, object] | None = None,
        body: FileBody | None = None,
    ) -> Answer:
        """Send one request and give the answer with any status.

        Redirects are not followed: CVM has none, and the key must not go to another host.

        Raises:
            TemporaryError: when there was no complete answer.
            UntrustedServer: when the server's certificate is not trusted.
            WrongHost: when the answer is a redirect.
        """
        self._keep_pace()
        with self._explained():
            request = requests.Request(
                method,
                f"{self._url}{path}",
                params=list(query),
                json=json,
                data=body,
                headers={"Content-Type": body.content_type} if body else None,
            )
            response = self._sent(request)
        with response:
            return self._read(response, self._body(response))

    def download(
        self,
        path: str,
        file: IO[bytes],
        *,
        query: Sequence[tuple[str, str | int]],
        deadline: float,
    ) -> Answer:
        """Send one GET request and write the body of HTTP 200, unless it is a web page, to a file.

        Args:
            path: the path of the call.
            file: what it holds is replaced.
            query: names and values.
            deadline: of `time.monotonic`; a body that has not ended then is given up.

        Returns:
            The answer; its body is empty where it was written to the file.

        Raises:
            TemporaryError: when there was no complete answer.
            UntrustedServer: when the server's certificate is not trusted.
            WrongHost: when the answer is a redirect.
        """
        # Packed once is enough; twice could not be told from a file that is meant to be so.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        self._keep_pace()
        with self._explained():
            url = f"{self._url}{path}"
            response = self._sent(requests.Request("GET", url, params=list(query), headers=headers))
        with response:
            if response.status_code != requests.codes.ok or _is_html(response):
                return self._read(response, self._body(response))
            file.seek(0)
            file.truncate()
            for chunk in self._chunks(response):
                file.write(chunk)
                if time.monotonic() > deadline:
                    msg = f"{self.place} did not send the whole file in time."
                    raise TimedOut(msg)
            return self._read(response, b"")

    def _sent(self, request: requests.Request) -> requests.Response:
        return self._server.ask(request, self._timeout)

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in self._chunks(response):
            body += chunk
            if len(body) > self._max_answer_bytes:
                msg = (
                    f"{self.place} sent an answer of more than {self._max_answer_bytes:,} bytes, "
                    "which was not read. Check that api_url is the host of CVM's API."
                )
                raise BrokenAnswer(msg)
        return bytes(body)

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        with self._explained():
            yield from pieces(response, CHUNK_BYTES, self._policy.read_seconds)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        # OSError is the base of the errors of requests; a bad Location raises a bare ValueError.
        except (OSError, ValueError) as error:
            # The library's own text may contain a proxy's address with a password.
            raise explain(error, self.place, self._policy.read_seconds) from None

    def quote(self, answer: Answer) -> str:
        """Give the server's own error text, in one short line without the key."""
        told = answer.fields()
        texts = [str(told[name]) for name in ("message", "error") if told.get(name)]
        line = " ".join(texts[0].replace(self._key, "***").split()) if texts else ""
        return line[:QUOTE_CHARACTERS] or "no reason given"

    def _keep_pace(self) -> None:
        wait = self._next_start - time.monotonic()
        if wait > 0:  # even a wait of nothing lets other threads go first
            time.sleep(wait)
        self._next_start = time.monotonic() + self._policy.pace_seconds

    def _read(self, response: requests.Response, body: bytes) -> Answer:
        date = response.headers.get("Date")
        self.answered = True
        if response.is_redirect or response.is_permanent_redirect:
            with self._explained():
                target = urlsplit(response.headers.get("Location", "")).hostname or "another page"
            raise WrongHost(self.place, f"with a redirect to {target}")
        html = _is_html(response) or body[:64].lstrip()[:1] == b"<"
        if response.ok and not html:
            self._clock.note(date)
        return Answer(
            status=response.status_code,
            body=body,
            html=html,
            retry_after=read_retry_after(response.headers.get("Retry-After"), from_header(date)),
        )


def _is_html(response: requests.Response) -> bool:
    return "html" in response.headers.get("Content-Type", "").lower()


def user_agent() -> str:
    """Give the name and version of this program."""
    return f"target-ciscovm/{package_version()}"


def _tidy_key(key: str) -> str:
    tidy = key.strip()
    if not tidy or not tidy.isascii() or not tidy.isprintable() or " " in tidy:
        msg = (
            "api_key is not a key of CVM: it is empty or contains blanks, line ends or letters "
            "outside ASCII. Copy it again from CVM, Settings > API Keys."
        )
        raise SettingsError(msg)
    return tidy


def _certificates(ca_bundle: str | None, api_url: str) -> str | bool:
    path = bundle_path(ca_bundle)
    problem = bundle_problem(path, api_url)
    if problem:
        raise SettingsError(problem)
    return path or True
