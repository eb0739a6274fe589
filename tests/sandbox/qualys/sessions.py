"""The calls of the oldest clients: sessions by cookie, and the versions."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.login import SESSION, basic_login
from tests.sandbox.qualys.xml.markup import SCHEMA_HOST
from tests.sandbox.world.model import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.qualys.face import QualysFace

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" ?>\n'
_ABOUT: Final = (
    f'{_DECLARATION}<!DOCTYPE ABOUT SYSTEM "{SCHEMA_HOST}/about.dtd">\n'
    '<ABOUT>\n  <API-VERSION MAJOR="1" MINOR="4" />\n'
    "  <WEB-VERSION>10.30.0.0-1</WEB-VERSION>\n  <SCANNER-VERSION>12.17.68-1</SCANNER-VERSION>\n"
    "  <VULNSIGS-VERSION>2.6.100-3</VULNSIGS-VERSION>\n</ABOUT>\n"
)
_LIMITS: Final = {"X-RateLimit-Limit": "300", "X-Concurrency-Limit-Limit": "2"}
"""Headers that a public client reads here."""


def session(face: QualysFace, request: Request, form: Mapping[str, str]) -> Response:
    """Answer `/api/2.0/fo/session/`: its cookie replaces the login on the fo side."""
    if not request.headers.get("x-requested-with"):
        return face.simple_return(400, 1903, "Missing required header: X-Requested-With")
    action = form.get("action")
    if action == "login":
        if (form.get("username"), form.get("password")) != (face.username, face.password):
            return face.simple_return(401, 2000, "Bad Login/Password")
        key = secrets.token_hex(16)
        face.sessions.add(key)
        safe = "; secure" if request.url.scheme == "https" else ""
        cookie = {"Set-Cookie": f"{SESSION}={key}; path=/api{safe}"}
        return face.simple_return(200, None, "Logged in", extra=cookie)
    if action != "logout":
        return face.simple_return(400, 1905, f"parameter action has invalid value: {action}")
    known = request.cookies.get(SESSION, "")
    if known not in face.sessions:
        return face.simple_return(401, 2000, "Bad Login/Password")
    face.sessions.discard(known)
    return face.simple_return(200, None, "Logged out")


def about(face: QualysFace, request: Request) -> Response:
    """Answer `/msp/about.php`, which clients call to try a login."""
    if request.headers.get("authorization") == basic_login(face):
        return face.xml(_ABOUT, extra=_LIMITS)
    at = iso(face.world.moment())
    return face.xml(
        f'{_DECLARATION}<!DOCTYPE GENERIC_RETURN SYSTEM "{SCHEMA_HOST}/generic_return.dtd">\n'
        f'<GENERIC_RETURN>\n  <API name="about.php" username="" at="{at}" />\n'
        '  <RETURN status="FAILED" number="2000">Bad Login/Password</RETURN>\n'
        "</GENERIC_RETURN>\n",
        401,
    )
