"""Which error an answer stands for: by its code where it names one, else by status and history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tap_qualyswas import errors
from tap_qualyswas.qualys.hints import wait_from_headers, wait_from_items, wait_from_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_qualyswas.qualys.reply import Reply

OK: Final = 200
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_THERE: Final = frozenset({404, 410})
CONFLICT: Final = 409
TOO_MANY: Final = 429
PASSING: Final = frozenset({408, 425})
"""Of the statuses below 500, those that go away by themselves: too slow, too early."""
REDIRECT: Final = 300
SERVER_ERROR: Final = 500

CONCURRENCY: Final = "1960"
BLOCKED: Final = "1920"
"""Another object is in the way, for a moment; its neighbours are mistakes in the request."""
MAINTENANCE: Final = "1999"

BY_CODE: Final[dict[str, type[errors.CodedRefusal]]] = {
    # responseCode of the WAS API
    "AUTH_CREDENTIALS_NEEDED": errors.BadCredentials,
    "INVALID_CREDENTIALS": errors.BadCredentials,
    "UNAUTHORIZED": errors.ApiAccessMissing,
    "INSUFFICIENT_PERMISSION": errors.ApiAccessMissing,
    "UNAUTHORIZED_DESTINATION_APPS": errors.WasMissing,
    "EVALUATION_EXPIRED": errors.AccountExpired,
    # CODE of the fo API
    "2000": errors.BadCredentials,
    "2001": errors.AccountExpired,
    "2002": errors.AccountExpired,
    "2003": errors.NotRegistered,
    "2010": errors.BadCredentials,
    "2011": errors.BadCredentials,
    "2012": errors.ApiAccessMissing,
}
BUSY: Final = frozenset({CONCURRENCY, "1965", "LIMIT_EXCEEDED"})
INVALID: Final = frozenset(
    {"CANNOT_BE_NULL", "UNKNOWN_OBJECT", "OPERATION_NOT_SUPPORTED", "UNIDENTIFIED_PRODUCER"}
)
GONE: Final = frozenset({"NOT_FOUND", "OBJECT_NOT_FOUND"})


def by_code(
    reply: Reply, code: str, text: str, items: Sequence[tuple[str, str]]
) -> errors.QualysError:
    """Give the error for a `responseCode` or a `CODE`."""
    explained = f"{code}: {text.rstrip('.')}" if text else code
    refusal = BY_CODE.get(code)
    if refusal is errors.BadCredentials:
        # A login that has worked in this run is refused now and then, and accepted again.
        is_lone = reply.is_repeated or (reply.status == UNAUTHORIZED and reply.has_worked)
        refused = errors.LoneRefusal if is_lone else errors.BadCredentials
        return refused(reply.place, explained, reply.login_note)
    if refusal is not None:
        return refusal(reply.place, explained)
    if code in GONE:
        gone = errors.NotFound(f"Qualys does not have this object ({code}).")
        return _passing(reply) if reply.is_known else gone
    if code not in BUSY and _is_invalid(code):
        return errors.InvalidRequest(reply.place, code, text)
    if code in BUSY or reply.status == TOO_MANY:
        busy = _busy(reply, explained, code)
        waits = (wait_from_headers(reply.headers), wait_from_items(items), wait_from_text(text))
        busy.wait_seconds = next((wait for wait in waits if wait is not None), None)
        return busy
    reason = "is under maintenance" if code == MAINTENANCE else "could not answer"
    error = errors.Unavailable(f"{reply.place} {reason} ({explained}).")
    error.wait_seconds = wait_from_headers(reply.headers)
    return error


def _is_invalid(code: str) -> bool:
    """Tell whether a code blames the request."""
    numbered = code.startswith("19") and code < CONCURRENCY and code != BLOCKED
    return numbered or code.startswith("INVALID_") or code in INVALID


def by_status(reply: Reply) -> errors.QualysError:
    """Give the error for an answer that names no code, by what has been shown before.

    A call that has worked is not suddenly missing or forbidden: then these statuses are trouble on
    the way, and pass.
    """
    if reply.status == UNAUTHORIZED:
        return errors.LoneRefusal(reply.place, reply.described(), reply.login_note)
    error = _lasting(reply)
    if error is not None:
        return _passing(reply) if reply.is_known else error
    return _temporary(reply)


def _lasting(reply: Reply) -> errors.Refused | None:
    """Give the error for a status that trying again does not change, at first contact at least."""
    if reply.is_redirect:
        # Not followed: the login would go to whatever host is named there.
        return errors.WrongPlatform(
            f"{reply.place} answered with a redirect to {_target(reply)}. Set api_url to the API "
            "server itself. Redirects are not followed, as they would pass the login on."
        )
    if reply.status == FORBIDDEN:
        return errors.ApiAccessMissing(reply.place, reply.described())
    if reply.status in NOT_THERE:
        return errors.WasMissing(reply.place, reply.described())
    return None


def _passing(reply: Reply) -> errors.Unavailable:
    if not reply.has_worked:
        return errors.Withdrawn(reply.place, _told(reply))
    return errors.Unavailable(
        f"{reply.place} answered {_told(reply)}, though other calls have worked in this run."
    )


def _told(reply: Reply) -> str:
    return f"with a redirect to {_target(reply)}" if reply.is_redirect else reply.described()


def _temporary(reply: Reply) -> errors.QualysError:
    status, described = reply.status, reply.described()
    error: errors.TemporaryError
    if status in {CONFLICT, TOO_MANY}:
        error = _busy(reply, described)
        error.wait_seconds = wait_from_text(reply.words)
    elif status == OK:  # with a web page, since it names no code
        error = errors.HtmlAnswer(
            f"{reply.place} answered with a web page, not with data ({described})."
        )
    elif status < REDIRECT or status in PASSING or status >= SERVER_ERROR:
        error = errors.Unavailable(f"{reply.place} could not answer ({described}).")
    elif reply.is_html and reply.is_known:
        error = errors.Intercepted(reply.place, described, _passing(reply))
    else:
        return errors.InvalidRequest(reply.place, described, "")
    error.wait_seconds = wait_from_headers(reply.headers) or error.wait_seconds
    return error


def _busy(reply: Reply, explained: str, code: str = "") -> errors.Busy:
    kind = "calls at a time" if code == CONCURRENCY else "calls"
    error = errors.Busy(f"{reply.place} allows no more {kind} for now ({explained}).")
    error.lower_concurrency = code == CONCURRENCY
    return error


def _target(reply: Reply) -> str:
    try:
        return urlsplit(reply.headers.get("Location", "")).hostname or "another address"
    except ValueError:
        return "another address"
