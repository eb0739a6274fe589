"""Convert records from other programs to the declared types, where no meaning is lost.

A mapper, another tap or an old release may send `"3"` or `3.0` for 3, `"true"` for true, a tag as
plain text, or a single object instead of a list. What cannot be read stays as it is, and the typed
decoder then names the field.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INTEGERS: Final = frozenset(
    {"id", "qid", "severity", "timesDetected", "detectionScore", "patch", "code", "emitted"}
    | {"counted", "duplicates", "read", "contract", "parentTagId"}
)
BOOLEANS: Final = frozenset({"potential", "isIgnored", "complete", "wholeAccount"})
NUMBERS: Final = frozenset({"base", "temporal"})
LISTS: Final = frozenset({"tags", "cwe", "owasp", "wasc", "cves", "streams", "incompleteReasons"})
OF_COVERAGE: Final = frozenset({"notProven", "changed"})
"""Lists that limit what may be called gone: an item that is not known must not vanish."""
LISTS_OF_NUMBERS: Final = OF_COVERAGE | {"cwe"}
AS_THEY_ARE: Final = frozenset({"resultList", "sslData", "filters"})

WHOLE_NUMBER: Final = re.compile(r"[+-]?\d{1,40}(?=(?:\.0*)?$)", re.ASCII)
LEADING_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def tidy(record: Mapping[str, object]) -> dict[str, object]:
    """Give the record with each value in its declared type, if it can be read as such.

    Null values are left out; every field is optional.
    """
    values = (
        (name, value if name in AS_THEY_ARE else _value(name, value))
        for name, value in record.items()
    )
    return {name: value for name, value in values if value is not None}


def _value(name: str, value: object) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if name in LISTS or (name in LISTS_OF_NUMBERS and isinstance(value, list)):
        return _list(name, value)
    if isinstance(value, dict):
        return tidy(value)
    reader = READERS.get(name)
    if reader is not None:
        return reader(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _list(name: str, value: object) -> object:
    if isinstance(value, dict) and ("list" in value or set(value) == {"count"}):
        # Qualys's own form; an empty list has nothing but its count.
        value = value.get("list") or []
    rows: list[object] = value if isinstance(value, list) else [value]
    if name == "tags":
        rows = [_tag(row) for row in rows]
    if name in LISTS_OF_NUMBERS:
        rows = [_integer(row) for row in rows]
    rows = [tidy(row) if isinstance(row, dict) else row for row in rows]
    return [row for row in rows if row is not None or name in OF_COVERAGE]


def _tag(row: object) -> object:
    if not isinstance(row, dict):
        return None if row is None else {"name": str(row)}
    return row["Tag"] if set(row) == {"Tag"} else row


def _boolean(value: object) -> object:
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(
            value.strip().lower(), value
        )
    return bool(value) if isinstance(value, int) and value in (0, 1) else value


def _integer(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and (match := WHOLE_NUMBER.match(value.strip())):
        return int(match[0])
    return value


def _number(value: object) -> object:
    if isinstance(value, str) and (match := LEADING_NUMBER.match(value.strip())):
        number = float(match[0])
        return number if math.isfinite(number) else value
    return value


READERS: Final[dict[str, Callable[[object], object]]] = {
    **dict.fromkeys(INTEGERS, _integer),
    **dict.fromkeys(BOOLEANS, _boolean),
    **dict.fromkeys(NUMBERS, _number),
}
