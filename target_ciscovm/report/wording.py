"""Numbers and times of a report, as people read them."""

from __future__ import annotations

from typing import Final

from qualyswas_ciscovm.wording import clean

KILO: Final = 1000.0
UNKNOWN: Final = "unknown"

LARGE: Final = 100_000_000
UNITS: Final = (("trillion", 1e12), ("billion", 1e9), ("million", 1e6))


def number(value: int | None) -> str:
    """Give a count with thousands separators: `48,311`."""
    return UNKNOWN if value is None else f"{value:,}"


def short_number(value: int | None) -> str:
    """Give a count for a narrow place; from 100 million on in words: `9.22 trillion`."""
    if value is None:
        return "\N{EN DASH}"
    unit, scale = next((item for item in UNITS if value >= LARGE and value >= item[1]), ("", 1.0))
    return f"{value / scale:,.2f} {unit}" if unit else f"{value:,}"


def size(value: int) -> str:
    """Give a number of bytes in decimal units: `61.2 MB`."""
    amount = float(value)
    if amount < KILO:
        return f"{value:,} bytes"
    for unit in ("kB", "MB", "GB"):
        amount /= KILO
        if amount < KILO or unit == "GB":
            break
    return f"{amount:,.1f} {unit}"


def moment(text: str | None) -> str:
    """Give a time of a report without the letters of ISO 8601: `2024-05-06 08:00:00 UTC`."""
    if not text:
        return UNKNOWN
    return text.replace("T", " ").replace("Z", " UTC")


def share(part: int, whole: int) -> str:
    """Give a share in percent, which is 0% only for none and 100% only for all."""
    if not whole:
        return ""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "below 1%"
    if part < whole and percent > 99:  # noqa: PLR2004 - it would be rounded to 100
        return "above 99%"
    return f"{percent:.0f}%"


def clean_all(value: object) -> object:
    """Clean every text in nested lists and dicts."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(name)): clean_all(item) for name, item in value.items()}
    return value
