"""What XML does not allow in a text: wrong bytes, control characters, and references to nothing.

Qualys's texts come from the scanned sites, and some answers name HTML's entities without declaring
them. Each search here moves forward only, so the time grows with the document and no faster.
"""

from __future__ import annotations

import re
from html.entities import html5
from typing import Final
from xml.sax.saxutils import escape

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REFERENCE: Final = re.compile(
    r"&(?:(?:#x([0-9A-Fa-f]+)|#([0-9]+)|([A-Za-z][0-9A-Za-z]*));)?", re.ASCII
)
"""A reference, or an ampersand that begins none."""
VERBATIM: Final = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
"""How the parts begin and end in which nothing is a reference."""
VERBATIM_BEGIN: Final = re.compile("|".join(map(re.escape, VERBATIM)))
OF_XML: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
AMPERSAND: Final = "&amp;"
QUOTES: Final = {'"': "&quot;", "'": "&apos;"}
MAX_CODE_POINT: Final = 0x10FFFF
MAX_DIGITS: Final = 8
MOST_CLEANED: Final = 1 << 28
"""The largest document that is cleaned, which takes several times its size in memory."""


def clean(document: bytes, encoding: str = "utf-8") -> tuple[bytes, int]:
    """Replace what XML does not allow, and read the entities of HTML by their names.

    Text in CDATA that only looks like a reference stays as it is.

    Args:
        document: from its root element on.
        encoding: its encoding.

    Returns:
        The document in UTF-8, and how many characters were replaced: an ampersand that begins no
        reference by one that does, all else by U+FFFD.
    """
    text = document.decode(encoding, "replace")
    replaced = max(text.count(REPLACEMENT) - document.count(REPLACEMENT.encode()), 0)
    text, illegal = ILLEGAL.subn(REPLACEMENT, text)
    text, references = _without_references(text)
    return (text.encode(), replaced + illegal + references)


def _without_references(text: str) -> tuple[str, int]:
    replaced = 0

    def character(match: re.Match[str]) -> str:
        nonlocal replaced
        found = _character(match)
        if found is None:
            replaced += 1
            return AMPERSAND if match[0] == "&" else REPLACEMENT
        return found

    parts: list[str] = []
    at = 0
    while (begin := VERBATIM_BEGIN.search(text, at)) is not None:
        parts.append(REFERENCE.sub(character, text[at : begin.start()]))
        end = text.find(VERBATIM[begin[0]], begin.end())
        # What never ends reaches to the end of the document; the parser refuses it.
        at = len(text) if end < 0 else end
        parts.append(text[begin.start() : at])
    parts.append(REFERENCE.sub(character, text[at:]))
    return ("".join(parts), replaced)


def _character(match: re.Match[str]) -> str | None:
    """Give the XML for a reference, None where it leads to no character."""
    hexadecimal, decimal, name = match.groups()
    if match[0] == "&":
        return None
    if name is not None:
        if name in OF_XML:
            return match[0]
        found = html5.get(f"{name};")
        return None if found is None else escape(found, QUOTES)
    digits = (hexadecimal or decimal).lstrip("0")
    if len(digits) > MAX_DIGITS:
        return None
    point = int(digits or "0", 16 if hexadecimal else 10)
    legal = point <= MAX_CODE_POINT and not ILLEGAL.match(chr(point))
    return match[0] if legal else None
