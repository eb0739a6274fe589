"""Reading an answer: what kind it is, then what it says, and which error it stands for.

Qualys reports most errors inside HTTP 200. So each answer is checked in this order: status, content
type, root element, and then `responseCode` (WAS) or `CODE` of a SIMPLE_RETURN (fo).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import BrokenAnswer, QualysError
from tap_qualyswas.qualys.refusals import OK, by_code, by_status
from tap_qualyswas.records.fields import to_whole
from tap_qualyswas.records.parsing import Document, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_qualyswas.qualys.reply import Reply
    from tap_qualyswas.records.parsing import Element

SUCCESS: Final = "SUCCESS"


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
    if reply.is_redirect or reply.is_html:
        raise by_status(reply)
    try:
        document = parse(reply.body)
    except BrokenAnswer as broken:
        raise _not_xml(reply, broken) from None
    code, text = map(reply.quote, _code_and_text(document.root))
    if code not in {"", SUCCESS}:
        raise by_code(reply, code, text, _items(document.root))
    if reply.status != OK:
        raise by_status(reply)
    if document.root.tag == "ServiceResponse" and not code:
        msg = "Qualys sent an answer without a responseCode."
        raise BrokenAnswer(msg)
    return document


def _not_xml(reply: Reply, broken: BrokenAnswer) -> QualysError:
    if reply.status != OK:
        return by_status(reply)
    # What begins as XML is data that was cut, which messages do not repeat.
    if not reply.body.strip() or reply.body.lstrip().startswith(b"<"):
        return broken
    return BrokenAnswer(f"{broken} It began so: {reply.described()}.")


def _unexpected(tag: str) -> BrokenAnswer:
    return BrokenAnswer(f"Qualys sent an unexpected kind of document ({tag[:60]}).")


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


def _number(root: Element, name: str) -> int | None:
    try:
        return to_whole(root.findtext(name) or "")
    except ValueError:
        return None


def _flag(root: Element) -> bool | None:
    flag = (root.findtext("hasMoreRecords") or "").strip().lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(flag)
