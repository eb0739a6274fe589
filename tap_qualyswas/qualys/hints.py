"""How long a server asks to wait: in headers, in a text, or in a list of items.

A hint that cannot be read is none, and neither is a wait of 0 or a date gone by: Qualys names 0 on
ordinary answers too. Of several, the first in this order counts: `X-RateLimit-ToWait-Sec`,
`Retry-After` (seconds or a date), the items, the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import from_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LENGTH: Final = re.compile(
    r"(?<![\d.])(\d{1,3}(?:,\d{3}){1,2}(?!\d)|\d{1,9}(?:\.\d{1,3})?)\s?"
    r"(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])",
    re.IGNORECASE,
)
"""A number and its unit: `57 seconds`, `15s`, `1,200 seconds`."""
JOINED: Final = re.compile(r"[\s,]{0,3}(?:and\s)?")
"""What may stand between the parts of one length: `2 hours, 5 minutes and 10 seconds`."""
ASKS_TO_WAIT: Final = re.compile(r"again|another|retry|wait", re.IGNORECASE)
"""Tells the wait from the window of a limit: `300 calls per 1 hour. Try again in 57 seconds`."""


def wait_from_headers(headers: Mapping[str, str]) -> float | None:
    """Read the wait in seconds from the headers of an answer; None when none can be read."""
    after = headers.get("Retry-After")
    seconds = _seconds(headers.get("X-RateLimit-ToWait-Sec")) or _seconds(after)
    if seconds is not None:
        return seconds
    until, since = from_header(after), from_header(headers.get("Date"))
    if until is None or since is None:
        return None
    return _above_zero((until - since).total_seconds())


def wait_from_text(text: str) -> float | None:
    """Read the length of time that a text asks to wait, in seconds: all of its units together."""
    asked = ASKS_TO_WAIT.search(text)
    for start in (asked.end() if asked else 0, 0):
        first = LENGTH.search(text, start)
        if first is not None:
            return _above_zero(_length_from(text, first))
    return None


def wait_from_items(items: Iterable[tuple[str, str]]) -> float | None:
    """Read the wait from KEY and VALUE pairs: the first value whose key is about time."""
    for key, value in items:
        if any(part in key.upper() for part in ("WAIT", "SEC", "RETRY")):
            found = _seconds(value)
            if found is not None:
                return found
    return None


def _length_from(text: str, first: re.Match[str]) -> float:
    """Add up a length of time that begins with `first`."""
    total = 0.0
    part: re.Match[str] | None = first
    while part is not None:
        total += float(part[1].replace(",", "")) * UNITS[part[2][0].lower()]
        joined = JOINED.match(text, part.end())
        part = LENGTH.match(text, joined.end() if joined else part.end())
    return total


def _seconds(text: str | None) -> float | None:
    stripped = (text or "").strip()
    if not re.fullmatch(r"\d{1,12}(?:\.\d{1,6})?", stripped, re.ASCII):
        return None
    return _above_zero(float(stripped))


def _above_zero(seconds: float) -> float | None:
    return seconds if seconds > 0 else None
