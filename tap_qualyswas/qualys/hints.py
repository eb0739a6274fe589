"""How long a server asks to wait: in headers, in a text, or in a list of items.

An unreadable hint is ignored. Of several, the first in this order counts: `X-RateLimit-ToWait-Sec`,
`Retry-After` (seconds or a date), the items, the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import from_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
IN_TEXT: Final = re.compile(
    r"\b(\d{1,9})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)\b", re.IGNORECASE
)
"""`Please wait 57 seconds`, `retry in 3 minutes`."""


def wait_from_headers(headers: Mapping[str, str]) -> float | None:
    """Read the wait in seconds from the headers of an answer; None when none can be read."""
    seconds = _seconds(headers.get("X-RateLimit-ToWait-Sec"))
    if seconds is not None:
        return seconds
    after = headers.get("Retry-After")
    seconds = _seconds(after)
    if seconds is not None:
        return seconds
    until, since = from_header(after), from_header(headers.get("Date"))
    if until is None or since is None:
        return None
    return max((until - since).total_seconds(), 0.0)


def wait_from_text(text: str) -> float | None:
    """Read the first length of time in a text, in seconds."""
    match = IN_TEXT.search(text)
    return None if match is None else float(int(match[1]) * UNITS[match[2][0].lower()])


def wait_from_items(items: Iterable[tuple[str, str]]) -> float | None:
    """Read the wait from KEY and VALUE pairs: the first value whose key is about time."""
    for key, value in items:
        if any(part in key.upper() for part in ("WAIT", "SEC", "RETRY")):
            found = _seconds(value)
            if found is not None:
                return found
    return None


def _seconds(text: str | None) -> float | None:
    stripped = (text or "").strip()
    if not re.fullmatch(r"\d{1,12}(?:\.\d{1,6})?", stripped, re.ASCII):
        return None
    return float(stripped)
