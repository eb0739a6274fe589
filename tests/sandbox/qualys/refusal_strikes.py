"""Faults in place of an answer: refusals, busy answers, outages, foreign content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tests.sandbox.qualys.xml.markup import DECLARATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from tests.sandbox.qualys.face import QualysFace

Side = Literal["was", "fo", "session", "other"]
Reach = Literal["any", "was", "fo", "page"]
_OUTAGE: Final = "<!DOCTYPE html><html><head><title>Scheduled maintenance</title></head></html>"
_NOT_BLOCKED: Final = {"X-RateLimit-ToWait-Sec": "0"}
"""On answers of the knowledge base that are refused for another reason than too many calls."""
_SLOW_DOWN: Final = {"X-RateLimit-ToWait-Sec": "1", "X-RateLimit-Remaining": "0"}
_RUNNING: Final = "This API cannot be run again until another one has finished."
_MANY: Final = "The maximum number of calls per subscription has been reached"


@dataclass(frozen=True)
class Instead:
    """What comes in place of an answer, and on which requests: `page` is a search of findings."""

    reach: Reach
    answer: Callable[[QualysFace, Side], Response]


def _coded(
    status: int, code: int, text: str, headers: dict[str, str] | None = None
) -> Callable[[QualysFace, Side], Response]:
    return lambda face, _: face.simple_return(status, code, text, extra=headers)


def _inside(
    code: str, message: str, resolution: str = ""
) -> Callable[[QualysFace, Side], Response]:
    return lambda face, _: face.failure(code, message, resolution)


def _either(
    was: Callable[[QualysFace, Side], Response], fo: Callable[[QualysFace, Side], Response]
) -> Callable[[QualysFace, Side], Response]:
    return lambda face, side: (fo if side in {"fo", "session"} else was)(face, side)


def _plain(status: int, **headers: str) -> Callable[[QualysFace, Side], Response]:
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda face, _: face.xml("", status, extra)


def _html(status: int) -> Callable[[QualysFace, Side], Response]:
    return lambda face, _: face.html(_OUTAGE, status)


def _moved(host: str) -> Callable[[QualysFace, Side], Response]:
    return lambda face, _: face.xml("", 302, {"Location": f"https://{host}/"})


def _rate(
    text: str = _MANY,
    items: tuple[tuple[str, str], ...] = (),
    headers: dict[str, str] | None = None,
) -> Callable[[QualysFace, Side], Response]:
    return lambda face, _: face.simple_return(409, 1965, text, items, headers)


INSTEAD: Final[dict[str, Instead]] = {
    "qualys-credentials": Instead(
        "any",
        _either(
            _inside(
                "INVALID_CREDENTIALS",
                "Authentication failed",
                "Verify both, user and password credentials.",
            ),
            _coded(401, 2000, "Bad Login/Password"),
        ),
    ),
    "qualys-was-missing": Instead(
        "was",
        _inside(
            "UNAUTHORIZED_DESTINATION_APPS",
            "You are not authorized to access the application through the API.",
            "Contact your account manager to add Web Application Scanning.",
        ),
    ),
    "qualys-was-404": Instead("was", _html(404)),
    "qualys-api-missing": Instead(
        "was", _inside("UNAUTHORIZED", "You are not authorized to access the API.")
    ),
    "qualys-http-403": Instead("was", _plain(403)),
    "qualys-unregistered": Instead("any", _coded(403, 2003, "Registration must be completed.")),
    "qualys-unregistered-409": Instead("any", _coded(409, 2003, "Registration must be completed.")),
    "qualys-expired": Instead("any", _coded(200, 2001, "This account has expired.")),
    "qualys-inactive": Instead("any", _coded(403, 2002, "This account is inactive.")),
    "qualys-evaluation-expired": Instead(
        "was", _inside("EVALUATION_EXPIRED", "Your evaluation period has expired.")
    ),
    "kb-not-licensed": Instead(
        "fo", _coded(403, 2012, "User is not licensed for this API.", _NOT_BLOCKED)
    ),
    "kb-down": Instead(
        "fo", _coded(500, 999, "Internal error. Please contact customer support.", _NOT_BLOCKED)
    ),
    "kb-busy": Instead("fo", _coded(409, 1960, "Concurrency limit has been reached.")),
    "qualys-401": Instead("any", _plain(401)),
    "qualys-busy": Instead("any", _plain(429, X_RateLimit_ToWait_Sec="1")),
    "qualys-concurrency": Instead("any", _coded(409, 1960, _RUNNING)),
    "qualys-rate": Instead("any", _rate(headers=_SLOW_DOWN)),
    "qualys-rate-text": Instead("any", _rate(f"{_MANY}. You can try again in 1 seconds.")),
    "qualys-rate-item": Instead("any", _rate(items=(("SECONDS_TO_WAIT", "1"),))),
    "qualys-rate-units": Instead(
        "any",
        _rate("This API cannot be run again for another 0 hours, 0 minutes and 1 seconds."),
    ),
    "qualys-wait-zero": Instead(
        "any",
        lambda face, _: face.simple_return(
            409, 1960, _RUNNING, extra={"X-RateLimit-ToWait-Sec": "0", "Retry-After": "0"}
        ),
    ),
    "qualys-409-invalid": Instead("any", _coded(409, 1905, "parameter has an invalid value")),
    "qualys-rate-unreadable": Instead(
        "any", _plain(429, X_RateLimit_ToWait_Sec="", Retry_After="soon")
    ),
    "qualys-rate-absurd": Instead("any", _plain(429, X_RateLimit_ToWait_Sec="950400")),
    "qualys-maintenance": Instead(
        "any", _coded(503, 1999, "We are performing scheduled maintenance on our servers.")
    ),
    "qualys-500": Instead("any", _plain(500)),
    "qualys-502": Instead("any", _html(502)),
    "qualys-408": Instead("any", _html(408)),
    "qualys-204": Instead("any", _plain(204)),
    "qualys-202": Instead("any", _coded(202, 1981, "The operation is still running.")),
    "qualys-processing": Instead(
        "was", _inside("STILL_PROCESSING", "The request is still being processed.")
    ),
    "qualys-server-down": Instead("was", _inside("RMI_SERVER_DOWN", "A server is down.")),
    "qualys-other-error": Instead("was", _inside("OTHER_ERROR", "An unexpected error occurred.")),
    "tap-error": Instead(
        "page",
        _inside("INVALID_REQUEST", "Criteria: Invalid value format.", "Specify another value."),
    ),
    "page-404": Instead("page", _html(404)),
    "page-403": Instead("page", _html(403)),
    "page-redirect": Instead("page", _moved("maintenance.example.test")),
    "qualys-html": Instead("page", _html(200)),
    "qualys-html-always": Instead("any", _html(200)),
    "qualys-empty": Instead("page", _plain(200)),
    "qualys-foreign-root": Instead(
        "page", lambda face, _: face.xml(f"{DECLARATION}<feed><entry/></feed>")
    ),
}


def strike(face: QualysFace, side: Side, endpoint: str) -> Response | None:
    """Return what comes in place of the answer to a request, or None when nothing strikes."""
    if not face.faults.any_armed:
        return None
    page = endpoint == "search/was/finding"
    for name, instead in INSTEAD.items():
        reached = {"any": True, "page": page}.get(instead.reach, instead.reach == side)
        if reached and face.faults.take(name):
            return instead.answer(face, side)
    return None
