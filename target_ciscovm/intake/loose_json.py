"""JSON that is not quite JSON: NaN is null, halves of characters are replaced, each counted."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections import Counter

REPLACED: Final = "\ufffd"
LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


def read_loosely(raw: bytes, notes: Counter[str]) -> JSON:
    """Read a value that the strict decoder refuses.

    Args:
        raw: the value.
        notes: is told what had to be mended.

    Raises:
        ValueError: when it is no JSON all the same.
        RecursionError: when it is nested too deeply.
    """

    def null(_: str) -> None:
        notes["NaN or infinity in a record: taken as null"] += 1

    text = raw.decode("utf-8", "replace")
    if REPLACED in text and REPLACED.encode() not in raw:
        notes["Bytes that are no UTF-8 in a record: replaced"] += 1
    found: JSON = json.loads(text, parse_constant=null)
    text = json.dumps(found, ensure_ascii=False)
    if LONE_SURROGATE.search(text):
        notes["Half a character (lone surrogate) in a record: replaced"] += 1
        found = json.loads(LONE_SURROGATE.sub(REPLACED, text))
    return found
