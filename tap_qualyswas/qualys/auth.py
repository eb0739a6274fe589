"""Logins: Basic, or a bearer token of an Auth ID client.

Both are `requests` auth objects, so neither `.netrc` nor the settings of a proxy can replace them.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from requests.auth import AuthBase, HTTPBasicAuth

from tap_qualyswas.errors import BadClient, NoToken
from tap_qualyswas.qualys.refusals import (
    CONFLICT,
    FORBIDDEN,
    PASSING,
    SERVER_ERROR,
    TOO_MANY,
    UNAUTHORIZED,
    by_status,
)
from tap_qualyswas.qualys.reply import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from tap_qualyswas.qualys.reply import Reply

TOKEN_SECONDS: Final = 4 * 3600
"""How long a token of `/auth/oidc` is valid (Qualys WAS API user guide, "User account")."""
RENEW_BEFORE_SECONDS: Final = 10 * 60
JWT: Final = re.compile(r"[\w+/=-]+\.[\w+/=-]+\.[\w+/=-]+", re.ASCII)
"""A token: three parts of base64 with dots between."""
GIVING: Final = frozenset({200, 201})
REFUSING: Final = frozenset({400, UNAUTHORIZED, FORBIDDEN})
GATEWAY_PASSING: Final = frozenset({CONFLICT, TOO_MANY, *PASSING})


def basic_auth(username: str, password: str) -> HTTPBasicAuth:
    """Give Basic authentication, in UTF-8 and on one line."""
    return HTTPBasicAuth(username.encode(), password.encode())


def secrets_of(authorization: str) -> tuple[str, ...]:
    """Give the secrets in an `Authorization` header: the token, and the password."""
    kind, _, token = authorization.partition(" ")
    if not token:
        return ()
    if kind != "Basic":
        return (token,)
    login = base64.b64decode(token).decode(errors="replace")
    password = login.partition(":")[2]
    return (token, password) if password else (token,)


class BearerAuth(AuthBase):
    """A bearer token, fetched when it is first needed and renewed before it expires.

    Args:
        monotonic: a clock in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch: Callable[[], str] = str
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._fetched_at = 0.0

    def fetch_by(self, fetch: Callable[[], str]) -> None:
        """Set how a token is fetched; `fetch` raises the error that says why there is none."""
        self._fetch = fetch

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token on a request to the API server."""
        request.headers["Authorization"] = f"Bearer {self._valid_token()}"
        request.headers["request-source"] = "gateway"
        return request

    def _valid_token(self) -> str:
        with self._lock:
            age = self._monotonic() - self._fetched_at
            if not self._token or age >= TOKEN_SECONDS - RENEW_BEFORE_SECONDS:
                self._token = self._fetch()
                self._fetched_at = self._monotonic()
            return self._token

    def forget(self, refused_since: float) -> None:
        """Fetch a new token next time: the server did not accept this one.

        Args:
            refused_since: when the refused call began. A token that was fetched later is kept, as
                another worker has renewed it.
        """
        with self._lock:
            if self._fetched_at <= refused_since:
                self._token = ""


class NoAuth(AuthBase):
    """No login, not even one from `.netrc`."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave the request as it is."""
        return request


def fetch_token(
    post: Callable[[str, dict[str, bytes]], Reply], gateway_url: str, client_id: str, secret: str
) -> str:
    """Fetch a token from the gateway.

    Args:
        post: sends an empty form to a URL, with headers.
        gateway_url: base URL of the gateway.
        client_id: of the Auth ID client.
        secret: of the Auth ID client.

    Raises:
        BadClient: when the gateway does not accept the client id and secret.
        TemporaryError: when it gives no token for another reason.
    """
    headers = {"clientId": client_id.encode(), "clientSecret": secret.encode()}
    reply = replace(post(f"{gateway_url}/auth/oidc", headers), secrets=(secret,))
    if reply.status in REFUSING and not reply.is_html:
        raise BadClient(reply.place, reply.described())
    if reply.status in GATEWAY_PASSING or reply.status >= SERVER_ERROR:
        raise by_status(reply)
    token = _token_in(reply.body) if reply.status in GIVING else ""
    if not token:
        msg = f"{reply.place} gave no token ({_described(reply)}). Check gateway_url."
        raise NoToken(msg)
    return token


def _described(reply: Reply) -> str:
    """Tell what came in place of a token, but for what may be one in a form that is not known."""
    if reply.status in GIVING and not reply.is_html:
        return f"HTTP {reply.status}, in a form that is not known"
    tokens = JWT.findall(reply.body[:HEAD_BYTES].decode("utf-8", "replace"))
    return replace(reply, secrets=(*reply.secrets, *tokens)).described()


def _token_in(body: bytes) -> str:
    """Give the token of an answer, bare or in JSON; an empty text where there is none."""
    text = body.decode("utf-8", "replace").strip()
    with suppress(ValueError, RecursionError):
        told = json.loads(text)
        text = str(told.get("access_token") if isinstance(told, dict) else told)
    return text if JWT.fullmatch(text) else ""
