"""Dates in any form that Qualys and others write, as one: `YYYY-MM-DDTHH:MM:SSZ`.

UTC, whole seconds, rounded down, so they compare as text. A date without a zone is UTC.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

OWN: Final = re.compile(
    r"[2-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ",
    re.ASCII,
)
"""The form that we write. Almost every date has it already and needs no parsing."""
ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?:[.,]\d+)?\s?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
SPELLED: Final = re.compile(
    r"(?:[a-z]{3}, )?(\d{1,2}) "
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* (\d{4})"
    r"(?: (\d{1,2}):(\d\d)(?::(\d\d))? ?([ap]m)?)?(?: (GMT|UTC)?([+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
"""`18 Nov 2024 04:42PM GMT-0600` in reports of the portal, `Mon, 18 Nov 2024 16:42:00 GMT` in mail
and HTTP."""
DAY: Final = slice(8, 10)
SHORTEST_MONTH: Final = "28"
"""A day up to this is in each month."""
MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
NOON: Final = 12
LEAP_SECOND: Final = 60
FIRST_YEAR: Final = 1971
"""Earlier years are what "no date" looks like in some systems: year 0, 1 or 1970."""


def to_text(moment: datetime) -> str:
    """Write an aware moment in our form."""
    return f"{moment.astimezone(timezone.utc).isoformat(timespec='seconds')[:19]}Z"


# A scan's findings all carry the scan's date, so dates repeat a lot.
@lru_cache(maxsize=65_536)
def to_utc_strict(text: str) -> str | None:
    """Write a date of any known form in ours.

    Returns:
        None for an empty text and for a zero date (before 1971, when nothing was scanned).

    Raises:
        ValueError: for anything else.
    """
    return _to_utc(text)


@lru_cache(maxsize=16_384)
def to_utc(text: str | None) -> str | None:
    """Write a date of any known form in ours; None when there is none."""
    try:
        return _to_utc(text) if text else None
    except ValueError:
        return None


def parse_strict(text: str) -> datetime:
    """Read a date of any known form as an aware moment in UTC.

    Raises:
        ValueError: for anything else, also an empty text or a zero date.
    """
    moment = _parse(text)
    if moment is None:
        msg = f"no date: {text!r}"
        raise ValueError(msg)
    return moment


def parse(text: str | None) -> datetime | None:
    """Read a date of any known form as an aware moment in UTC; None when there is none."""
    try:
        return _parse(text) if text else None
    except ValueError:
        return None


def from_header(text: str | None) -> datetime | None:
    """Read the `Date` header of an answer; None when there is none that can be read."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def days_before(moment: datetime, days: float) -> datetime:
    """Give the moment that many days earlier."""
    return moment - timedelta(days=days)


def _to_utc(text: str) -> str | None:
    if OWN.fullmatch(text) and (text[DAY] <= SHORTEST_MONTH or _is_moment(text)):
        return text
    moment = _parse(text)
    return None if moment is None else to_text(moment)


def _is_moment(text: str) -> bool:
    """Tell whether a text of the form `OWN` is in the calendar."""
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return True


def _parse(text: str) -> datetime | None:
    stripped = text.strip()
    if not stripped:
        return None
    parts = _iso_parts(stripped) or _spelled_parts(stripped)
    if parts is None:
        msg = f"not a date: {stripped[:40]!r}"
        raise ValueError(msg)
    (year, month, day, hour, minute, second), zone = parts
    if year < FIRST_YEAR - 1:  # also year 0, and zero for a month, of which there is no datetime
        return None
    second -= second == LEAP_SECOND  # the last moment of its minute here
    local = datetime(year, month, day, hour, minute, second, tzinfo=_zone(zone))
    try:
        moment = local.astimezone(timezone.utc)
    except OverflowError:
        msg = f"not a date: {stripped[:40]!r}"
        raise ValueError(msg) from None
    return moment if moment.year >= FIRST_YEAR else None


def _iso_parts(text: str) -> tuple[list[int], str | None] | None:
    match = ISO.fullmatch(text)
    if match is None:
        return None
    return ([int(part or 0) for part in match.groups()[:6]], match[7])


def _spelled_parts(text: str) -> tuple[list[int], str | None] | None:
    match = SPELLED.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second, half, _, zone = match.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= NOON:
            return None
        hours = hours % NOON + (NOON if half.lower() == "pm" else 0)
    rest = [hours, int(minute or 0), int(second or 0)]
    return ([int(year), MONTHS.index(month.lower()) + 1, int(day), *rest], zone)


def _zone(text: str | None) -> timezone:
    if text is None or text.isalpha():
        return timezone.utc
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
