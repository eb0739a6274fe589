"""Almost valid JSON: NaN and 1e999 are null, invalid characters are replaced, all is counted.

Of what is nested too deeply for any decoder, the members are still told apart.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Final

REPLACED: Final = "\ufffd"
LONGEST_NUMBER: Final = 400
"""Digits of a whole number that are read. Python refuses some thousands; so many are beyond every
type already."""
LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},:"]', re.DOTALL)
"""A text, or a mark; a quote alone begins a text that does not end."""
ENDS: Final = {ord("}"): ord("{"), ord("]"): ord("[")}
JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def whole_number(digits: str) -> int:
    """Read a whole number, of one that is beyond every type only the first digits."""
    return int(digits[:LONGEST_NUMBER])


def read_loosely(raw: bytes, notes: Counter[str]) -> JSON:
    """Read a value that the strict decoder refuses.

    Args:
        raw: the value.
        notes: counts what had to be corrected.

    Raises:
        ValueError: when it is not JSON at all.
        RecursionError: when it is nested too deeply.
    """

    def null(_: str) -> None:
        notes["NaN or infinity in a record: taken as null"] += 1

    def finite(digits: str) -> float | None:
        value = float(digits)
        if math.isfinite(value):
            return value
        null(digits)
        return None

    text = raw.decode("utf-8", "replace")
    if REPLACED in text and REPLACED.encode() not in raw:
        notes["Bytes in a record that are not UTF-8: replaced"] += 1
    found: JSON = json.loads(text, parse_int=whole_number, parse_constant=null, parse_float=finite)
    text = json.dumps(found, ensure_ascii=False)
    if LONE_SURROGATE.search(text):
        notes["Half a character (lone surrogate) in a record: replaced"] += 1
        found = json.loads(LONE_SURROGATE.sub(REPLACED, text))
    return found


def members(raw: bytes) -> dict[str, bytes]:
    """Give the members of an object, each as it is written, however deeply it is nested.

    Raises:
        ValueError: when it is not an object, or not whole.
    """
    found: dict[str, bytes] = {}
    opened = bytearray()
    name, begin, text = None, 0, raw.strip()
    if not text.startswith(b"{"):
        msg = "not an object"
        raise ValueError(msg)
    for token in TOKEN.finditer(text):
        if token[0] == b'"' or (found and not opened):
            msg = "a text that does not end, or more than one object"
            raise ValueError(msg)
        mark = text[token.start()]
        if mark in b"{[":
            opened.append(mark)
        is_outer = len(opened) == 1
        if is_outer and mark == ord(":") and name is None:
            name, begin = str(json.loads(text[begin : token.start()])), token.end()
        elif is_outer and mark in b",}" and name is not None:
            found[name], name = text[begin : token.start()].strip(), None
        if is_outer and mark in b"{,":
            begin = token.end()
        if mark in ENDS and (not opened or opened.pop() != ENDS[mark]):
            msg = "brackets that do not match"
            raise ValueError(msg)
    if opened:
        msg = "cut off"
        raise ValueError(msg)
    return found


def read_shallow(raw: bytes) -> dict[str, JSON]:
    """Read an object that is nested too deeply; an empty list stands for each member that is.

    Raises:
        ValueError: when it is not an object, or not whole.
    """
    return {name: _shallow(value) for name, value in members(raw).items()}


def _shallow(raw: bytes) -> JSON:
    try:
        return read_loosely(raw, Counter())
    except RecursionError:
        return []
