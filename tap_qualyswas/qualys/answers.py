"""Reading an answer: what kind it is, then what it says, and which error it stands for.

Qualys reports most errors inside HTTP 200. So each answer is checked in this order: status, content
type, root element, and then `responseCode` (WAS) or `CODE` of a SIMPLE_RETURN (fo).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tap_qualyswas import errors
from tap_qualyswas.qualys.hints import wait_from_headers, wait_from_items, wait_from_text
from tap_qualyswas.records.fields import to_whole
from tap_qualyswas.records.parsing import Document, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_qualyswas.records.parsing import Element

OK: Final = 200
STILL_RUNNING: Final = 202
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_THERE: Final = 404
CONFLICT: Final = 409
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500

CONCURRENCY: Final = "1960"
MAINTENANCE: Final = "1999"

REFUSALS: Final = {
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
SUCCESS: Final = "SUCCESS"


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, read to its end.

    Attributes:
        place: host and region, for messages.
        status: HTTP status.
        headers: by any spelling of their names.
        body: the bytes, unpacked.
        secrets: the login that was sent, which messages must not repeat.
    """

    place: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = ()

    def quote(self, text: str) -> str:
        """Give a text of the answer without the login, which some servers echo."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """A successful answer of the WAS API.

    Attributes:
        rows: the elements in `data`, in their order.
        count: `count`: the total for a count call, the rows of this page for a search.
        more: `hasMoreRecords`; None when it is missing.
        last_id: `lastId`; None when it is missing.
        replaced: illegal characters that were replaced.
        evaluation: whether the answer marks the account as an evaluation.
    """

    rows: Sequence[Element]
    count: int | None
    more: bool | None
    last_id: int | None
    replaced: int
    evaluation: bool


def read_service_answer(reply: Reply) -> ServiceAnswer:
    """Read an answer of the WAS API.

    Raises:
        QualysError: the error that the answer stands for.
    """
    document = _document(reply)
    root = document.root
    if root.tag != "ServiceResponse":
        raise _unexpected(root.tag)
    data = root.find("data")
    return ServiceAnswer(
        rows=() if data is None else list(data),
        count=_number(root, "count"),
        more=_flag(root),
        last_id=_number(root, "lastId"),
        replaced=document.replaced,
        evaluation=document.evaluation,
    )


def read_kb_answer(reply: Reply) -> tuple[list[Element], Document]:
    """Read an answer of the knowledge base: its VULN elements, possibly none, and the document.

    Raises:
        QualysError: the error that the answer stands for.
    """
    document = _document(reply)
    if document.root.tag != "KNOWLEDGE_BASE_VULN_LIST_OUTPUT":
        raise _unexpected(document.root.tag)
    return (document.root.findall("RESPONSE/VULN_LIST/VULN"), document)


def check(reply: Reply) -> None:
    """Raise the error that an answer stands for, if any.

    Raises:
        QualysError: the error that the answer stands for.
    """
    _document(reply)


def _document(reply: Reply) -> Document:
    status = reply.status
    if OK < status < SERVER_ERROR and 300 <= status < 400:  # noqa: PLR2004 - redirects
        raise _redirect(reply)
    if _is_html(reply):
        raise _html(reply)
    try:
        document = parse(reply.body)
    except errors.BrokenAnswer:
        if status == OK:
            raise
        raise by_status(reply, "", "") from None
    code, text = map(reply.quote, _code_and_text(document.root))
    if code not in {"", SUCCESS}:
        raise by_code(reply, code, text, _items(document.root))
    if status != OK:
        raise by_status(reply, code, text)
    if document.root.tag == "ServiceResponse" and not code:
        msg = "Qualys sent an answer without a responseCode."
        raise errors.BrokenAnswer(msg)
    return document


def by_code(reply: Reply, code: str, text: str, items: Sequence[tuple[str, str]]) -> Exception:
    """Give the error for a `responseCode` or a `CODE`."""
    refusal = REFUSALS.get(code)
    if refusal is not None:
        return refusal(reply.place, _explained(code, text))
    if code in GONE:
        return errors.NotFound(f"Qualys does not have this object ({code}).")
    if code in BUSY or reply.status in {CONFLICT, TOO_MANY}:
        return _busy(reply, code, text, items)
    if code.startswith("INVALID_") or code in INVALID or (code.startswith("19") and code < "1960"):
        return errors.InvalidRequest(reply.place, code, text)
    reason = "is under maintenance" if code == MAINTENANCE else "could not answer"
    error = errors.Unavailable(f"{reply.place} {reason} ({_explained(code, text)}).")
    error.wait_seconds = wait_from_headers(reply.headers)
    return error


def by_status(reply: Reply, code: str, text: str) -> Exception:
    """Give the error for an HTTP status when the body names no code."""
    status = reply.status
    code_in_words = f"HTTP {status}"
    if status == UNAUTHORIZED:
        return errors.LoneRefusal(reply.place)
    if status == FORBIDDEN:
        return errors.ApiAccessMissing(reply.place, code_in_words)
    if status == NOT_THERE:
        return errors.WasMissing(reply.place, code_in_words)
    if status in {CONFLICT, TOO_MANY}:
        return _busy(reply, code, text, ())
    if status == STILL_RUNNING or status >= SERVER_ERROR:
        error = errors.Unavailable(f"{reply.place} could not answer ({code_in_words}).")
        error.wait_seconds = wait_from_headers(reply.headers)
        return error
    return errors.InvalidRequest(reply.place, code_in_words, text)


def _busy(
    reply: Reply, code: str, text: str, items: Sequence[tuple[str, str]]
) -> errors.TemporaryError:
    kind = "calls at a time" if code == CONCURRENCY else "calls"
    reason = _explained(code, text) if code else f"HTTP {reply.status}"
    error = errors.Busy(f"{reply.place} allows no more {kind} for now ({reason}).")
    waits = (wait_from_headers(reply.headers), wait_from_items(items), wait_from_text(text))
    error.wait_seconds = next((wait for wait in waits if wait is not None), None)
    error.lower_concurrency = code == CONCURRENCY
    return error


def _redirect(reply: Reply) -> errors.WrongPlatform:
    # Not followed: the login would go to whatever host is named there.
    host = urlsplit(reply.headers.get("Location", "")).hostname or "another address"
    return errors.WrongPlatform(
        f"{reply.place} answered with a redirect to {host}. Set api_url to the API server itself. "
        "Redirects are not followed, as they would pass the login on."
    )


def _is_html(reply: Reply) -> bool:
    kind = reply.headers.get("Content-Type", "").lower()
    head = reply.body[:512].lstrip().lower()
    return "html" in kind or head.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _html(reply: Reply) -> Exception:
    if reply.status == OK:
        return errors.HtmlAnswer(f"{reply.place} answered with a web page, not with data.")
    return by_status(reply, "", "")


def _unexpected(tag: str) -> errors.BrokenAnswer:
    return errors.BrokenAnswer(f"Qualys sent an unexpected kind of document ({tag[:60]}).")


def _code_and_text(root: Element) -> tuple[str, str]:
    if root.tag == "ServiceResponse":
        message = _text(root, "responseErrorDetails/errorMessage")
        way_out = _text(root, "responseErrorDetails/errorResolution")
        text = ". ".join(part.rstrip(".") for part in (message, way_out) if part)
        return (_text(root, "responseCode"), text)
    if root.tag == "SIMPLE_RETURN":
        return (_text(root, "RESPONSE/CODE"), _text(root, "RESPONSE/TEXT"))
    if root.tag in {"GENERIC_RETURN", "RETURN"}:
        found = root if root.get("status") else root.find("RETURN")
        if found is not None and found.get("status", "").upper() == "FAILED":
            return (
                found.get("number", "999"),
                " ".join("".join(map(str, found.itertext())).split())[:300],
            )
    return ("", "")


def _items(root: Element) -> list[tuple[str, str]]:
    found = root.iterfind("RESPONSE/ITEM_LIST/ITEM")
    return [(_text(item, "KEY"), _text(item, "VALUE")) for item in found]


def _text(root: Element, path: str) -> str:
    return " ".join((root.findtext(path) or "").split())[:300]


def _explained(code: str, text: str) -> str:
    return f"{code}: {text.rstrip('.')}" if text else code


def _number(root: Element, name: str) -> int | None:
    try:
        return to_whole(root.findtext(name) or "")
    except ValueError:
        return None


def _flag(root: Element) -> bool | None:
    flag = (root.findtext("hasMoreRecords") or "").strip().lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(flag)
