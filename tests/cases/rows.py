"""Rows in short: `{finding: 7001, severity: 4}` is a whole finding with one value of its own."""

from __future__ import annotations

import json
from typing import Any, Final
from xml.sax.saxutils import escape

from tests.tap import scripted
from tests.target import rows
from tests.target.streams import record, schema, state

Row = dict[str, Any]

LAST: Final = "2024-05-02T08:00:00Z"
STATE: Final = {"bookmarks": {"findings": {"replication_key_value": LAST}}}


def as_record(row: Row) -> Row:
    """Give a finding as a record; older taps write no `uniqueId`."""
    number = row["finding"] - 7000
    whole = rows.finding(number, qid=159000 + number, name=f"Demo weakness {number}")
    del whole["uniqueId"]
    return whole | _values(row, "finding")


def as_lines(told: list[Row]) -> bytes:
    """Give an input of the target; a last line of `{cut: text}` has no end."""
    lines = [_line(row) for row in told]
    return "\n".join([*lines, *([] if told and "cut" in told[-1] else [""])]).encode()


def _line(row: Row) -> str:
    """Give a line of an input."""
    match row:
        case {"finding": _}:
            return record("findings", as_record(row))
        case {"webapp": number}:
            return record("webapps", rows.webapp(number, **_values(row, "webapp")))
        case {"schema": stream}:
            return schema(stream, **_values(row, "schema"))
        case {"state": value}:
            return state(value or STATE)
        case {"message": message}:
            return json.dumps(message)
        case {"text": text} | {"cut": text}:
            return str(text)
    msg = f"no such line: {row}"
    raise ValueError(msg)


def as_xml(row: Row) -> str:
    """Give a row of a search answer."""
    match row:
        case {"finding": number}:
            kind = str(row.get("type", "VULNERABILITY"))
            return scripted.finding(number, kind=kind, **_elements(row, "finding", "type"))
        case {"webapp": number}:
            return scripted.webapp(number, **_elements(row, "webapp"))
        case {"scan": number}:
            app = row.get("app", 9001)
            return scripted.scan(number, app=app, **_elements(row, "scan", "app"))
    msg = f"no such row: {row}"
    raise ValueError(msg)


def xml(value: object) -> str:
    """Write JSON as the XML that Qualys sends for it."""
    if isinstance(value, dict):
        return "".join(f"<{name}>{xml(inside)}</{name}>" for name, inside in value.items())
    if isinstance(value, list):
        return "".join(map(xml, value))
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def _values(row: Row, *names: str) -> Row:
    """Give the row's own values."""
    return {name: value for name, value in row.items() if name not in names}


def _elements(row: Row, *names: str) -> dict[str, str | None]:
    """Give the inside of the row's own elements; None leaves an element out."""
    told = _values(row, *names)
    return {name: None if told[name] is None else xml(told[name]) for name in told}
