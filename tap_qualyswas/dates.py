"""Dates of every form that Qualys was seen to write, as one form: `YYYY-MM-DDTHH:MM:SSZ`.

UTC, whole seconds, rounded down; so they compare rightly as text.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?:[.,]\d+)?\s*(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?)?",
    re.IGNORECASE,
)
REPORT: Final = re.compile(
    r"(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4})"
    r"(?: (\d{1,2}):(\d\d)(?::(\d\d))? ?([AP]M)?)?(?: (?:GMT|UTC)?([+-]\d{4})?)?",
    re.IGNORECASE,
)
"""`18 Nov 2024 04:42PM GMT-0600`, the form of reports and scan downloads."""
OWN: Final = re.compile(r"[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
"""What is as it shall be already: nearly each date of the API, so it is not taken apart."""
MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
NOON: Final = 12


@lru_cache(maxsize=65_536)
def to_utc_text(text: str) -> str | None:
    """Read a date in any known form.

    Dates repeat a lot (a scan's findings all carry the scan's date), hence the cache.

    Args:
        text: ISO 8601 with or without fraction and offset (no offset is UTC), or a report's form.

    Returns:
        The moment as `YYYY-MM-DDTHH:MM:SSZ`; None for an empty text and for zero dates (before
        1971, when nothing was scanned).

    Raises:
        ValueError: for anything else.
    """
    if OWN.fullmatch(text) and _is_moment(text):
        return text
    stripped = text.strip()
    if not stripped or stripped.startswith(("0000", "0001-")):
        return None
    moment = _iso(stripped) or _report(stripped)
    if moment is None:
        msg = f"not a date: {stripped[:40]!r}"
        raise ValueError(msg)
    utc = moment.astimezone(timezone.utc)
    if utc < EARLIEST:
        return None
    return f"{utc:%Y-%m-%dT%H:%M:%S}Z"


EARLIEST: Final = datetime(1971, 1, 1, tzinfo=timezone.utc)


def _is_moment(text: str) -> bool:
    """Tell whether a text of the form `OWN` is a moment of the calendar."""
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return True


def _iso(text: str) -> datetime | None:
    match = ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    # A leap second is the last moment of its minute here.
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(match[7]))


def _report(text: str) -> datetime | None:
    match = REPORT.fullmatch(text)
    if match is None or match[2].lower() not in MONTHS:
        return None
    hour = int(match[4] or 0)
    if match[7]:
        hour = hour % NOON + (NOON if match[7].upper() == "PM" else 0)
    return datetime(
        int(match[3]),
        MONTHS.index(match[2].lower()) + 1,
        int(match[1]),
        hour,
        int(match[5] or 0),
        int(match[6] or 0),
        tzinfo=_zone(match[8]),
    )


def _zone(text: str | None) -> timezone:
    if text is None or text.upper() in {"Z", "UTC", "GMT"}:
        return timezone.utc
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def from_text(text: str) -> datetime:
    """Read a date of our own form, or of any other known one, as an aware moment in UTC.

    Raises:
        ValueError: when it is no date, or a zero date.
    """
    normal = to_utc_text(text)
    if normal is None:
        msg = f"no date: {text!r}"
        raise ValueError(msg)
    return datetime.strptime(normal, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def to_text(moment: datetime) -> str:
    """Write an aware moment in our form, rounded down to the second."""
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}Z"


def from_header(text: str | None) -> datetime | None:
    """Read the `Date` header of an answer; None when there is none that can be read."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)
