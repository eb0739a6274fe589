"""Almost valid JSON: NaN and 1e999 are null, invalid characters are replaced, all is counted."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections import Counter

REPLACED: Final = "\ufffd"
LONGEST_NUMBER: Final = 400
"""Digits of a whole number that are read. Python refuses some thousands; so many are beyond every
type already."""
LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
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
