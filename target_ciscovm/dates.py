"""Dates of every form that sources send, as KDI wants them: UTC, `YYYY-MM-DDTHH:MM:SSZ`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

# Fractions are read over: Python 3.10 takes neither a `Z` nor fractions of any length. Programs in
# Ruby write `2020-01-01 00:00:00 UTC`.
ISO: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[Tt ](?P<time>\d\d:\d\d)(?P<seconds>:\d\d)?(?:[.,]\d+)?"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII | re.IGNORECASE,
)
# Portal reports write `18 Nov 2024 04:42PM GMT-0600`. The zone is spelled out here, because `%Z`
# also takes the names of the machine's own zone, and drops them.
TEXT_FORMS: Final = (
    "%d %b %Y %I:%M%p GMT%z",
    "%d %b %Y %I:%M%p GMT",
    "%d %b %Y %I:%M%p",
    "%d %b %Y",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a, %d %b %Y %H:%M:%S %z",
)
OWN: Final = re.compile(r"[2-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
"""What is as KDI wants it already: nearly each date, so it is not taken apart."""
FIRST_YEAR: Final = 1971
"""Years before it are what "no date" looks like in some systems: year 0, 1 or 1970."""


@lru_cache(maxsize=16384)
def to_utc(text: str | None) -> str | None:
    """Give a date as `YYYY-MM-DDTHH:MM:SSZ`, fractions cut off.

    A date without a zone is taken for UTC, as Qualys writes it. None for an empty text, a zero
    date, and anything that is no date.
    """
    if text and OWN.fullmatch(text) and _is_moment(text):
        return text
    moment = parse(text)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_moment(text: str) -> bool:
    """Tell whether a text of the form `OWN` is a moment of the calendar."""
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return False
    return True


def parse(text: str | None) -> datetime | None:
    """Give a date of any known form as an aware moment in UTC, None when there is none."""
    if not text or not (text := text.strip()):
        return None
    moment = _iso(text) or _spelled_out(text)
    if moment is None:
        return None
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:
        return None
    return moment.replace(microsecond=0) if moment.year >= FIRST_YEAR else None


def to_text(moment: datetime) -> str:
    """Write an aware moment as KDI wants it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def days_before(moment: datetime, days: float) -> datetime:
    """Give the moment so many days earlier."""
    return moment - timedelta(days=days)


def _iso(text: str) -> datetime | None:
    match = ISO.fullmatch(text)
    if match is None:
        return None
    time, seconds = match["time"] or "00:00", match["seconds"] or ":00"
    digits = (match["zone"] or "Z").replace(":", "")
    zone = "+00:00" if digits.isalpha() else f"{digits[:3]}:{digits[3:] or '00'}"
    try:
        return datetime.fromisoformat(f"{match['day']}T{time}{seconds}{zone}")
    except ValueError:
        return None


def _spelled_out(text: str) -> datetime | None:
    found = (_with_form(text, form) for form in TEXT_FORMS)
    return next((moment for moment in found if moment), None)


def _with_form(text: str, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(text, form)  # noqa: DTZ007 - a missing zone is set below
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
