"""What calls go out with: headers, certificates of the settings or of a variable, and proxies."""

from __future__ import annotations

import logging
import os
import ssl
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidURL
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import LocationValueError

from qualyswas_ciscovm.bodies import PromptResponse
from qualyswas_ciscovm.wording import cut

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Request, Response, Session
    from requests.sessions import _Settings
    from urllib3.connectionpool import ConnectionPool

T = TypeVar("T")

VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What `requests` reads where the settings name no file."""
LONGEST_PATH: Final = 200
"""Characters of a path in a message."""

# It logs a header that it cannot read with a trace back and what came after it, for each answer.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


class OneServer(HTTPAdapter):
    """Sends calls to one server, for which all that does not change is looked up once.

    A session of `requests` would work out for each call which proxy, certificates and connections
    are its own. It would also keep cookies, and look where a redirect leads; none is followed here.

    Args:
        session: has the headers and the login of all calls.
        url: address of the server.
        verify: path of the certificates that settings name; True for none.
        connections: how many are kept.
    """

    _connections: ConnectionPool | None = None

    def __init__(
        self,
        session: Session,
        url: str,
        verify: str | bool,  # noqa: FBT001 - as in `requests`
        connections: int = 2,
    ) -> None:
        super().__init__(pool_maxsize=connections)
        self._session = session
        self._url = url
        self._verify = verify

    def ask(self, request: Request, timeout: tuple[float, float]) -> Response:
        """Send a call and give its answer, of which the body is still to be read.

        Args:
            request: the call.
            timeout: seconds to connect, and to answer.

        Raises:
            RequestException: when no answer comes.
        """
        settings = self._settings
        try:
            return self.send(
                _prepared(self._session, request),
                stream=True,
                timeout=timeout,
                verify=settings["verify"] or True,
                proxies=settings["proxies"],
            )
        except LocationValueError as error:  # which `requests` passes on as it is
            raise InvalidURL(error) from error

    @cached_property
    def _settings(self) -> _Settings:
        """The proxies and certificates, which variables of the environment may name."""
        return self._session.merge_environment_settings(
            self._url, {}, stream=True, verify=self._verify, cert=None
        )

    @override
    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: str | tuple[str, str] | None = None,
    ) -> ConnectionPool:
        if self._connections is None:
            found = super().get_connection_with_tls_context(request, verify, proxies, cert)
            if isinstance(found, HTTPConnectionPool):
                found.ConnectionCls = _prompt(found.ConnectionCls)
            self._connections = found
        return self._connections


def bundle_path(ca_bundle: str | None) -> str | None:
    """Give the path that a setting names, with `~` written out; None for none."""
    return str(Path(ca_bundle).expanduser()) if ca_bundle else None


def bundle_problem(ca_bundle: str | None, api_url: str) -> str | None:
    """Say what is wrong with the certificates of calls to an address; None for nothing.

    Args:
        ca_bundle: path that the settings name; without one, the variables are looked at.
        api_url: the address.
    """
    if ca_bundle:
        return _problem("ca_bundle", ca_bundle, is_folder=False)
    if not api_url.startswith("https:"):
        return None
    named = next((name for name in VARIABLES if os.environ.get(name)), None)
    if named is None:
        return None
    path = os.environ[named]
    return _problem(named, path, is_folder=os.path.isdir(path))  # noqa: PTH112 - see `_problem`


def _prompt(connection: type[T]) -> type[T]:
    """Give a kind of connection whose answers may not drip for ever."""
    return type(connection.__name__, (connection,), {"response_class": PromptResponse})


def _prepared(session: Session, request: Request) -> PreparedRequest:
    """Give a request as it is sent in a session: with the session's headers and login.

    The session's own `prepare_request` merges all its other settings too, makes a jar for cookies
    of each call, and takes four times as long. Where there is no login, it would look for one in
    `~/.netrc`.
    """
    ready = PreparedRequest()
    ready.prepare_method(request.method)
    # An empty list of parameters would be looked at from all sides.
    ready.prepare_url(request.url, request.params or "")
    ready.prepare_headers({**session.headers, **request.headers})
    ready.prepare_body(request.data, None, request.json)
    ready.prepare_auth(request.auth or session.auth)  # last, as it may sign all of it
    return ready


def _problem(name: str, path: str, *, is_folder: bool) -> str | None:
    # `Path` raises for what is too long to be a path.
    if not is_folder and not os.path.isfile(path):  # noqa: PTH113
        shown = cut(path, LONGEST_PATH)
        return f"{name} is not a file: {shown}. Set it to a PEM file with CA certificates."
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            *((None, path) if is_folder else (path,))
        )
    except OSError:  # which an SSLError is, too
        return f"{name} must be a PEM file with CA certificates; {path} cannot be read as one."
    return None
