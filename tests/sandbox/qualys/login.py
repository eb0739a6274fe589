"""Logins: Basic, bearer tokens of the gateway and sessions, refused as recorded."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from tests.sandbox.qualys.face import QualysFace

SESSION: Final = "QualysSession"
"""The cookie of a session on the fo side."""
TOKEN_SECONDS: Final = 4 * 3600
"""A token of the gateway is good for four hours of the world's clock."""


def refuse_qps(face: QualysFace, request: Request) -> Response | None:
    """Return the refusal for a bad login on the qps side, which comes with HTTP 200, or None."""
    given = request.headers.get("authorization")
    if given is None:
        return face.failure("AUTH_CREDENTIALS_NEEDED", "Login and password are required")
    if given == basic_login(face) or _good_token(face, given):
        return None
    return face.failure(
        "INVALID_CREDENTIALS",
        "Authentication failed",
        "Verify both, user and password credentials.",
    )


def refuse_tags(face: QualysFace) -> Response | None:
    """Return the refusal for an account that may not search tags, or None."""
    how = face.switches.tag_search
    if how == "open":
        return None
    if how == "unauthorized":
        return face.failure("UNAUTHORIZED", "You are not authorized to access this application.")
    return face.xml("", int(how))


def refuse_fo(face: QualysFace, request: Request) -> Response | None:
    """Return the refusal for a bad login on the fo side, or None."""
    given = request.headers.get("authorization", "")
    bearer = face.switches.bearer_on_fo and _good_token(face, given)
    in_session = request.cookies.get(SESSION) in face.sessions
    if given != basic_login(face) and not bearer and not in_session:
        return face.simple_return(401, 2000, "Bad Login/Password")
    return None


def issue_token(face: QualysFace, request: Request) -> Response:
    """Answer `/auth/oidc`: the bare token, for client id and secret in headers."""
    headers = request.headers
    kind = headers.get("content-type", "").partition(";")[0]
    good = (
        headers.get("clientid") == face.client_id
        and headers.get("clientsecret") == face.client_secret
        and kind == "application/x-www-form-urlencoded"
    )
    if not good:
        return PlainTextResponse("Unauthorized", 401, face.headers())
    token = make_token(face)
    if face.switches.token_form == "json":
        return JSONResponse({"access_token": token, "token_type": "Bearer"}, 200, face.headers())
    return PlainTextResponse(token, 201, face.headers())


def make_token(face: QualysFace) -> str:
    """Return an unsigned token that ends in four hours."""
    now = face.world.moment()
    claims = {"iss": "auth", "sub": face.client_id, "iat": now, "exp": now + TOKEN_SECONDS}
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}.sandbox"


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _good_token(face: QualysFace, given: str) -> bool:
    kind, _, token = given.partition(" ")
    parts = token.split(".")
    if kind != "Bearer" or len(parts) != 3 or parts[2] != "sandbox":
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return bool(claims["sub"] == face.client_id and claims["exp"] > face.world.moment())
    except (ValueError, KeyError, TypeError):
        return False


def basic_login(face: QualysFace) -> str:
    """Return the header of the right login."""
    login = f"{face.username}:{face.password}".encode()
    return f"Basic {base64.b64encode(login).decode('ascii')}"
