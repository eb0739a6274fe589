"""Reading an answer: what kind it is, then what it says, and which error it stands for.

Qualys reports most errors inside HTTP 200. So each answer is checked in this order: status, content
type, root element, and then `responseCode` (WAS) or `CODE` of a SIMPLE_RETURN (fo).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import cut
from tap_qualyswas.errors import BrokenAnswer, QualysError
from tap_qualyswas.qualys.refusals import OK, by_code, by_status
from tap_qualyswas.records.fields import loose_whole
from tap_qualyswas.records.parsing import HEAD_BYTES, Document, parse, root_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_qualyswas.qualys.reply import Reply
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.parsing import Element

    Row = Element | Record
    TakeRows = Callable[[bytes], "tuple[bytes, Sequence[Row]] | None"]

SUCCESS: Final = "SUCCESS"
MARK_TAG: Final = "rows-taken"
MARK: Final = b"<rows-taken/>"
"""Stands in an answer in place of rows that were taken out."""
KIND: Final = 60
"""Characters of the name of a document that a message repeats."""
REPORT: Final = "WasScan"
REPORT_BEGINS: Final = re.compile(
    rb"<WasScan(?:\s[^<>]{0,1000})?>(?:\s{0,100}<id>\s{0,100}(\d{1,19})\s{0,100}</id>)?"
)
"""The root of a report, or what an envelope holds, and its id."""
QUALYS_ROOTS: Final = frozenset(
    {"ServiceResponse", "SIMPLE_RETURN", "GENERIC_RETURN", "RETURN", REPORT}
    | {"KNOWLEDGE_BASE_VULN_LIST_OUTPUT"}
)


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
        taken: the rows where they were taken out before: then `rows` holds nothing but the mark.
    """

    rows: Sequence[Element]
    count: int | None
    more: bool | None
    last_id: int | None
    replaced: int
    evaluation: bool
    taken: Sequence[Row] = ()


def read_service_answer(reply: Reply, take_rows: TakeRows | None = None) -> ServiceAnswer:
    """Read an answer of the WAS API.

    Args:
        reply: the answer.
        take_rows: reads rows without a tree, and gives the body with `MARK` in their place; None
            where it cannot.

    Raises:
        QualysError: the error that the answer stands for.
    """
    taken = None if take_rows is None else take_rows(reply.body)
    if taken is not None:
        body, rows = taken
        with suppress(QualysError):  # the whole answer shows what is wrong, and in which line
            answer = _read(replace(reply, body=body))
            if [row.tag for row in answer.rows] == [MARK_TAG]:
                return replace(answer, taken=rows)
    return _read(reply)


def _read(reply: Reply) -> ServiceAnswer:
    document = _document(reply)
    root = document.root
    if root.tag != "ServiceResponse":
        raise _unexpected(reply)
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
        raise _unexpected(reply)
    return (document.root.findall("RESPONSE/VULN_LIST/VULN"), document)


def check(reply: Reply) -> None:
    """Raise the error that an answer stands for, if any.

    Raises:
        QualysError: the error that the answer stands for.
    """
    _document(reply)


def check_report(reply: Reply, scan_id: int, *, is_whole: bool) -> None:
    """Raise the error that the download of a report stands for, if it is none of this scan.

    Args:
        reply: the answer, with the beginning of its body.
        scan_id: whose report was asked for.
        is_whole: whether that is all of the body.

    Raises:
        QualysError: the error that the answer stands for.
    """
    if reply.status != OK or reply.is_html or (is_whole and _root(reply) != REPORT):
        check(reply)
    if _root(reply) not in {REPORT, "ServiceResponse"}:
        raise _unexpected(reply)
    begins = REPORT_BEGINS.search(reply.body)
    if begins is None:
        raise _unexpected(reply)
    if begins[1] is not None and int(begins[1]) != scan_id:
        msg = f"Qualys sent the report of scan {int(begins[1])} in place of that of scan {scan_id}."
        raise BrokenAnswer(msg)


def _root(reply: Reply) -> str:
    try:
        return root_name(reply.body)
    except BrokenAnswer as broken:
        raise _not_xml(reply, broken) from None


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
    # What begins as an answer of Qualys is data that was cut, which messages do not repeat.
    try:
        is_cut = root_name(reply.body[:HEAD_BYTES]) in QUALYS_ROOTS
    except BrokenAnswer:
        is_cut = not reply.body.strip() or reply.body.lstrip().startswith(b"<")
    if is_cut:
        return broken
    return BrokenAnswer(f"{broken} It began so: {reply.described()}.")


def _unexpected(reply: Reply) -> BrokenAnswer:
    kind = root_name(reply.body[:HEAD_BYTES])
    began = "" if kind in QUALYS_ROOTS else f" It began so: {reply.described()}."
    return BrokenAnswer(f"Qualys sent an unexpected kind of document ({cut(kind, KIND)}).{began}")


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
    return loose_whole(root.findtext(name) or "")


def _flag(root: Element) -> bool | None:
    flag = (root.findtext("hasMoreRecords") or "").strip().lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(flag)
