"""The text of one element, read as a value of the type that the schema promises.

A reader takes an element and gives a value, or raises ValueError; the property is then null, and
counted. The forms are those seen in answers: `3`, `3.0`, `50.0`, `7.5 (AV:N/AC:L)`, empty, dates
with and without offset (see `qualyswas_ciscovm.dates`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_utc_strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

    Reader = Callable[[Element, Notes], "Json"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Record = dict[str, Json]

MAX_TEXT: Final = 131_072
"""Characters of one text, of at most four bytes each: a record stays far below 8 MiB."""
CUT: Final = " [cut]"
"""The end of a text that was longer."""
LARGEST: Final = 2**63 - 1
"""Of whole numbers: what the targets of taps can hold."""
SAFE_DIGITS: Final = 18
"""A number of so many digits is smaller."""
WHOLE: Final = re.compile(r"([+-]?[0-9]{1,19})(?:\.0*)?", re.ASCII)
NUMBER: Final = re.compile(r"([+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?)(?![0-9.])", re.ASCII)
TRUE: Final = frozenset({"true", "1", "yes"})
FALSE: Final = frozenset({"false", "0", "no"})
PLAIN: Final = {"true": True, "false": False, None: None}
"""As almost every element has them."""


def whole(element: Element, _notes: Notes) -> int | None:
    """Read a whole number; null for an empty text.

    Raises:
        ValueError: for anything else, also a number with a fraction.
    """
    text = element.text
    if text is None:
        return None
    if len(text) <= SAFE_DIGITS and text.isascii() and text.isdigit():
        return int(text)
    return to_whole(text)


def to_whole(text: str) -> int | None:
    """Read a whole number from text: `3`, ` 3 `, `50.0`; None for an empty text.

    Raises:
        ValueError: for anything else.
    """
    stripped = text.strip()
    if not stripped:
        return None
    match = WHOLE.fullmatch(stripped)
    if match is None or abs(int(match[1])) > LARGEST:
        msg = f"not a whole number: {stripped[:40]!r}"
        raise ValueError(msg)
    return int(match[1])


def loose_whole(text: str) -> int | None:
    """Read a whole number from text; None for anything else."""
    try:
        return to_whole(text)
    except ValueError:
        return None


def number(element: Element, _notes: Notes) -> float | None:
    """Read the number at the beginning of a text, such as a score that its vector follows.

    Raises:
        ValueError: when the text does not begin with a number.
    """
    stripped = (element.text or "").strip()
    if not stripped:
        return None
    match = NUMBER.match(stripped)
    if match is None:
        msg = f"not a number: {stripped[:40]!r}"
        raise ValueError(msg)
    return float(match[1])


def truth(element: Element, _notes: Notes) -> bool | None:
    """Read true or false, also as 1, 0, yes, no; null for an empty text.

    Raises:
        ValueError: for anything else.
    """
    found = element.text
    if found in PLAIN:
        return PLAIN[found]
    word = (found or "").strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    if not word:
        return None
    msg = f"neither true nor false: {word[:40]!r}"
    raise ValueError(msg)


def text(element: Element, notes: Notes) -> str | None:
    """Read a text as it is; null when it is empty. One above 131,072 characters is cut."""
    value = element.text
    if value is None or len(value) <= MAX_TEXT:
        return value or None
    notes.cut[element.tag] += 1
    return f"{value[:MAX_TEXT]}{CUT}"


def word(element: Element, notes: Notes) -> str | None:
    """Read a keyword: a text without surrounding blanks."""
    value = text(element, notes)
    return (value.strip() or None) if value else None


def date(element: Element, _notes: Notes) -> str | None:
    """Read a date of any known form as `YYYY-MM-DDTHH:MM:SSZ`; null for empty and zero dates.

    Raises:
        ValueError: for anything else.
    """
    value = element.text
    return to_utc_strict(value) if value else None
