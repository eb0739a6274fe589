"""What calls go out with: headers, certificates of the settings or of a variable, and proxies."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from requests import PreparedRequest

if TYPE_CHECKING:
    from requests import Request, Session
    from requests.sessions import _Settings

VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What `requests` reads where the settings name no file."""


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
    return _problem(named, path, is_folder=Path(path).is_dir())


def surroundings(session: Session, url: str, verify: str | bool) -> _Settings:  # noqa: FBT001 - as in `requests`
    """Give the proxies and certificates of calls to an address, to be looked up once a session.

    `requests` would read all variables of the environment for each call.

    Args:
        session: that makes the calls.
        url: the address.
        verify: path of the certificates that settings name; True for none.
    """
    return session.merge_environment_settings(url, {}, stream=True, verify=verify, cert=None)


def prepared(session: Session, request: Request) -> PreparedRequest:
    """Give a request as it is sent in a session: with the session's headers, login and cookies.

    The session's own `prepare_request` merges all its other settings too, and takes three times as
    long. Where there is no login, it would look for one in `~/.netrc`.
    """
    ready = PreparedRequest()
    ready.prepare(
        request.method,
        request.url,
        headers={**session.headers, **request.headers},
        data=request.data,
        params=request.params or "",  # an empty list would be looked at from all sides
        auth=request.auth or session.auth,
        cookies=session.cookies,
        json=request.json,
    )
    return ready


def _problem(name: str, path: str, *, is_folder: bool) -> str | None:
    if not is_folder and not Path(path).is_file():
        return f"{name} is not a file: {path}. Set it to a PEM file with CA certificates."
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            *((None, path) if is_folder else (path,))
        )
    except OSError:  # which an SSLError is, too
        return f"{name} must be a PEM file with CA certificates; {path} cannot be read as one."
    return None
