"""Texts for CVM: HTML to plain text, and line ends and control characters put right. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lxml import etree, html

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAGRAPHS: Final = frozenset(
    {"p", "div", "ul", "ol", "dl", "table", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
)
LINES: Final = frozenset({"br", "tr", "dt", "dd", "hr"})
CELLS: Final = frozenset({"td", "th"})
HIDDEN: Final = frozenset({"script", "style", "head", "title"})

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
BLANKS: Final = re.compile(r"[ \t\xa0]+")
BLANKS_BEFORE_END: Final = re.compile(r"[ \t]+\n")
EMPTY_LINES: Final = re.compile(r"\n{3,}")
LOOKS_LIKE_HTML: Final = re.compile(r"<[A-Za-z/!]|&[#A-Za-z]")


def plain(text: str) -> str:
    """Give the text with LF line ends and without control characters or lone surrogates."""
    if text.isprintable():
        return text
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def from_html(text: str | None) -> str | None:
    """Give HTML as text: entities decoded once, paragraphs and lists kept as lines.

    Qualys's texts are HTML of the nineties, with tags that are never closed (recorded knowledge
    base answers: P, A, BR, LI, B, OL, UL). A text without any mark-up keeps its lines. None for a
    text that is empty, or nothing but mark-up.
    """
    if not text or not text.strip():
        return None
    text = plain(text)
    if LOOKS_LIKE_HTML.search(text):
        root = _parse(text)
        text = "" if root is None else "".join(_walk(root))
    text = BLANKS_BEFORE_END.sub("\n", BLANKS.sub(" ", text)).replace("\n ", "\n")
    return EMPTY_LINES.sub("\n\n", text).strip() or None


def _parse(text: str) -> html.HtmlElement | None:
    try:
        return html.fragment_fromstring(text, create_parent="div")
    except etree.ParserError:
        return None


def _walk(element: html.HtmlElement) -> Iterator[str]:
    if not isinstance(element.tag, str) or element.tag in HIDDEN:
        return
    before, after = _around(element)
    yield before
    yield element.text or ""
    for child in element:
        yield from _walk(child)
        yield child.tail or ""
    yield after


def _around(element: html.HtmlElement) -> tuple[str, str]:
    """Give what stands before and after an element's own text."""
    tag = element.tag
    if tag in LINES:
        return "\n", ""
    if tag == "li":
        return "\n- ", ""
    if tag in CELLS:
        return " ", " "
    if tag == "a":
        target = (element.get("href") or "").strip()
        shown = "".join(element.itertext()).strip()
        return "", f" ({target})" if target and target != shown else ""
    return ("\n\n", "\n\n") if tag in PARAGRAPHS else ("", "")
