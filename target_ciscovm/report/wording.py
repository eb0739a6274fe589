"""Numbers, times and texts of a report, as people read them."""

from __future__ import annotations

import unicodedata
from typing import Final

KILO: Final = 1000.0
UNKNOWN: Final = "unknown"

STEERING: Final = frozenset({"Cc", "Cs"})
"""Unicode categories of characters that control a terminal or cannot be encoded."""

TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reverse the order of what follows, so that a text reads differently."""

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


def cut(text: str, limit: int) -> str:
    """Give `text` in one line of at most `limit` characters; a cut text ends in `…`."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clean(text: str) -> str:
    """Replace characters that control terminals or cannot be written as UTF-8; keep line ends."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if letter in TURNING or (unicodedata.category(letter) in STEERING and letter not in "\n\t")
        else letter
        for letter in text
    )


def clean_all(value: object) -> object:
    """Clean every text in nested lists and dicts."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_all(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(name)): clean_all(item) for name, item in value.items()}
    return value
