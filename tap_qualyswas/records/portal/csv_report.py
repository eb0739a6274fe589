"""A report of the portal as CSV: tables one below the other, each with a header of its own.

The first cell of a finding names its type. There are no unique ids, and mostly no ids of web
applications. (The tables are those that public readers of such files look for.)
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from typing import IO, TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_utc
from qualyswas_ciscovm.wording import cut
from tap_qualyswas.records.fields import FALSE, MAX_TEXT, TRUE, loose_whole, to_number
from tap_qualyswas.records.portal import glossary
from tap_qualyswas.records.portal.document import CHUNK_BYTES
from tap_qualyswas.records.portal.report import CSV, Overview, ReportError, Row
from tap_qualyswas.records.portal.rows import values_of
from tap_qualyswas.records.portal.webapps import webapp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes

KINDS: Final = {
    "vulnerability": "VULNERABILITY",
    "sensitivecontent": "SENSITIVE_CONTENT",
    "informationgathered": "INFORMATION_GATHERED",
}
QIDS: Final = "qid"
WEBAPPS: Final = "webapplicationname"
NOT_WORD: Final = re.compile(r"[\W_]+")
NAME_LENGTH: Final = 100
"""Characters at the beginning of a cell that are compared with names of tables and columns."""
MOST_COLUMNS: Final = 60
SHOWN: Final = 40
"""Characters of a value that a message repeats."""
LOOSE: Final = frozenset({"DETECTION_ID", "QID"})
"""Of the first, some are no numbers; a row without the second is rejected."""
NOTHING: Final = frozenset({"", "n/a", "-"})
ROW_COLUMNS: Final = {
    "uniqueid": "UNIQUE_ID",
    "detectionid": "DETECTION_ID",
    "qid": "QID",
    "url": "URL",
    "param": "PARAM",
    "parameter": "PARAM",
    "function": "FUNCTION",
    "content": "CONTENT",
    "status": "STATUS",
    "firsttimedetected": "FIRST_TIME_DETECTED",
    "lasttimedetected": "LAST_TIME_DETECTED",
    "lasttimetested": "LAST_TIME_TESTED",
    "detectiondate": "DETECTION_DATE",
    "timesdetected": "TIMES_DETECTED",
    "severity": "SEVERITY",
    "potential": "POTENTIAL",
    "ignored": "IGNORED",
    "ignorereason": "IGNORE_REASON",
    "ignoredate": "IGNORE_DATE",
    "ignorecomments": "IGNORE_COMMENTS",
}
ENTRY_COLUMNS: Final = {
    "title": "TITLE",
    "category": "CATEGORY",
    "severitylevel": "SEVERITY",
    "severity": "SEVERITY",
    "groups": "GROUP",
    "group": "GROUP",
    "owasp": "OWASP",
    "wasc": "WASC",
    "cwe": "CWE",
    "cve": "CVE",
    "cvssbase": "CVSS_BASE",
    "cvsstemporal": "CVSS_TEMPORAL",
    "description": "DESCRIPTION",
    "impact": "IMPACT",
    "solution": "SOLUTION",
}
WEBAPP_COLUMNS: Final = {
    "webapplicationid": "ID",
    "id": "ID",
    "webapplicationname": "NAME",
    "url": "URL",
    "owner": "OWNER",
    "scope": "SCOPE",
    "operatingsystem": "OPERATING_SYSTEM",
}
OWN_WEBAPP: Final = {
    "webapplicationid": "ID",
    "webapplicationname": "NAME",
    "webapplication": "NAME",
    "webapplicationurl": "URL",
}
"""Columns of a row that name its web application."""


def _number(value: str) -> float | None:
    try:
        return to_number(value)
    except ValueError:
        return None


def _truth(value: str) -> bool | None:
    word = value.lower()
    return True if word in TRUE else False if word in FALSE else None


def _text(value: str) -> str:
    return value[:MAX_TEXT]


READ: Final[Mapping[str, Callable[[str], Json]]] = {
    **dict.fromkeys(("DETECTION_ID", "QID", "TIMES_DETECTED", "SEVERITY"), loose_whole),
    **dict.fromkeys(("POTENTIAL", "IGNORED"), _truth),
    **dict.fromkeys(("FIRST_TIME_DETECTED", "LAST_TIME_DETECTED", "LAST_TIME_TESTED"), to_utc),
    **dict.fromkeys(("DETECTION_DATE", "IGNORE_DATE"), to_utc),
    **dict.fromkeys(("CVSS_BASE", "CVSS_TEMPORAL"), _number),
}
"""How the values of some columns are read; the others are texts."""


def read_overview(source: IO[bytes]) -> Overview:
    """Read all of a report but its rows, which are counted.

    Raises:
        ReportError: when it is not a report, or not well-formed.
    """
    overview = Overview(CSV)
    names = glossary.ClassNames()
    own: dict[Json, Record] = {}
    dated = latest = None
    for table, values in _tables(source):
        if not table:
            dated = dated or next(filter(None, map(to_utc, values.values())), None)
        elif table in KINDS:
            overview.listed[KINDS[table]] += 1
            row = _read(values, ROW_COLUMNS)
            if named := _read(values, OWN_WEBAPP):
                own.setdefault(named.get("ID"), named)
            has_detection = row.get("DETECTION_ID") is not None
            overview.unnamed += has_detection and not row.get("UNIQUE_ID")
            moment = row.get("LAST_TIME_DETECTED") or row.get("DETECTION_DATE")
            latest = max(filter(None, (latest, str(moment or ""))), default=None)
        elif table == QIDS:
            qid = loose_whole(values.get("id") or values.get("qid") or "")
            if qid is not None:
                overview.glossary[qid] = glossary.entry_of(_read(values, ENTRY_COLUMNS))
        elif table in glossary.CLASSES:
            names.learn(table, values.get("code", ""), values.get("name", ""))
        elif "://" in values.get("url", ""):
            overview.webapps.append(webapp_of(_read(values, WEBAPP_COLUMNS)))
    if not (overview.listed or overview.glossary):
        msg = "it is not the CSV of a report: no table of findings or QIDs is in it"
        raise ReportError(msg)
    names.give(overview.glossary.values())
    overview.webapps += [webapp_of(named) for number, named in own.items() if number]
    overview.generated = dated or latest
    overview.is_flat = bool(overview.listed)
    return overview


def read_rows(source: IO[bytes], notes: Notes) -> Iterator[Row]:
    """Read the rows of a report that has been looked through before.

    Args:
        source: the report.
        notes: gets what is odd; a row whose QID is no number is rejected.
    """
    for table, values in _tables(source):
        if table in KINDS:
            raw, named = _read(values, ROW_COLUMNS, notes), _read(values, OWN_WEBAPP)
            if raw.get("QID") is None:
                told = cut(values.get("qid", ""), SHOWN)
                notes.reject(f"report: QID is not a whole number: {told!r}")
                continue
            yield Row(values_of(KINDS[table], raw), webapp=webapp_of(named) if named else None)


def _read(
    values: Mapping[str, str], columns: Mapping[str, str], notes: Notes | None = None
) -> Record:
    """Give the values that are there, named as in XML; those that cannot be read are noted."""
    found: Record = {}
    for column, name in columns.items():
        text = values.get(column, "").strip()
        if text.lower() in NOTHING:
            continue
        found[name] = READ.get(name, _text)(text)
        if found[name] is None and notes is not None and name not in LOOSE:
            notes.unreadable[f"report.{name}"] += 1
    return found


def _tables(source: IO[bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each line of each table: its name, and the cells by the name of their column.

    What stands before the first table comes under an empty name.
    """
    headers: dict[str, list[str]] = {}
    table = ""
    for record in _records(source):
        cells = [
            NOT_WORD.sub("", cell.strip()[:NAME_LENGTH]).lower() for cell in record[:MOST_COLUMNS]
        ]
        first = cells[0] if cells else ""
        header = _header_of(cells)
        if header:
            table = header
            headers[header] = cells
        elif first in headers:
            yield (first, dict(zip(headers[first], record, strict=False)))
        elif not any(cells):
            table = "" if not headers else "?"
        elif table in headers and first not in KINDS:
            yield (table, dict(zip(headers[table], record, strict=False)))
        elif not headers:
            yield ("", dict(zip(map(str, range(len(record))), record, strict=True)))


def _header_of(cells: Sequence[str]) -> str | None:
    """Give the name of the table whose header this is, None for any other line."""
    first, *others = cells[:6] or [""]
    # A row may be about a parameter of the same name, but then it has numbers.
    if first in KINDS and "qid" in others and not any(map(str.isdigit, others)):
        return first
    if first == QIDS and "title" in cells:
        return QIDS
    if first in glossary.CLASSES and {"code", "name"} <= set(cells):
        return first
    if WEBAPPS in cells and "url" in cells and first not in KINDS:
        return WEBAPPS
    return None


def _records(source: IO[bytes]) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)  # texts of any size; the standard is 128 KiB
    encoding = _encoding(source)
    source.seek(0)
    text = io.TextIOWrapper(source, encoding, errors="replace", newline="")
    reader = csv.reader(text, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        msg = f"line {reader.line_num:,}: it is not well-formed CSV ({error})"
        raise ReportError(msg) from None
    finally:
        text.detach()


def _encoding(source: IO[bytes]) -> str:
    """Give the encoding: UTF-8, or what Excel saves where it is not that."""
    source.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := source.read(CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
