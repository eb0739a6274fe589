"""Numbers with their nouns, and texts from outside, as people read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, overload

if TYPE_CHECKING:
    from collections.abc import Iterable

HARMFUL: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # they control terminals (category Cc)
    r"\ud800-\udfff"  # they cannot be encoded (category Cs)
    r"\u202a-\u202e\u2066-\u2069]"  # they turn round the order of what follows
)
"""Characters that may stand in no text for people. Both categories are fixed for all time."""

LOGIN: Final = re.compile(r"(:\\{0,4}/\\{0,4}/)[^\s/?#\"'<>]*@")
"""What stands before the host in a URL, also in one with the slashes of JSON in JSON."""

ADDRESS: Final = re.compile(r"(?is)((?:[a-z]+://)*)(?:.*(?:@|%(?:25)*40))?([^?#]*)")
"""The scheme of an address, and what follows a login, up to any query."""
SHOWN_OF_ADDRESS: Final = 80
"""Most characters of a wrong address that a message shows."""

NAMED_AT_MOST: Final = 20
"""Numbers that a message lists."""


def counted(value: int, noun: str, plural: str | None = None) -> str:
    """Give a count with its noun: `1 finding`, `2,000 findings`.

    Args:
        value: the count.
        noun: in the singular.
        plural: of the noun, where it is not formed with an s.
    """
    return f"{value:,} {noun if value == 1 else plural or f'{noun}s'}"


def first_few(numbers: Iterable[int]) -> str:
    """Give the first of some numbers in ascending order: `3, 5, 8`, and `…` for the others."""
    listed = sorted(numbers)
    named = ", ".join(map(str, listed[:NAMED_AT_MOST]))
    return f"{named}, …" if len(listed) > NAMED_AT_MOST else named


def one_line(text: str) -> str:
    """Give a text as it may stand in a log, whatever names from outside it holds."""
    return " ".join(clean(text).split())


@overload
def without_logins(text: str) -> str: ...
@overload
def without_logins(text: str | None) -> str | None: ...
def without_logins(text: str | None) -> str | None:
    """Cut user names and passwords from the URLs in a text."""
    return LOGIN.sub(r"\1", text) if text and "@" in text else text


def shown_address(text: str) -> str:
    """Give an address that may be wrong, as a message may show it: short, no login, no query.

    A login that stands in it may hold anything, so all up to the last `@` is left out, also one
    that is encoded.
    """
    parts = ADDRESS.match(text)
    return cut(parts[1] + parts[2] if parts else "", SHOWN_OF_ADDRESS)


def cut(text: str, limit: int) -> str:
    """Give `text` in one line of at most `limit` characters; a cut text ends in `…`."""
    line = one_line(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clean(text: str) -> str:
    """Replace characters that control terminals or cannot be written as UTF-8; keep line ends."""
    if text.isascii() and text.isprintable():
        return text
    return HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)
