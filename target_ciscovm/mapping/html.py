"""HTML as plain text. Pure."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Final

from lxml import etree

from target_ciscovm.mapping.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAGRAPHS: Final = (
    *("p", "div", "ul", "ol", "dl", "table", "pre", "blockquote"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
)
LINES: Final = ("br", "tr", "dt", "dd", "hr")
CELLS: Final = ("td", "th")
BEFORE: Final = (
    dict.fromkeys(PARAGRAPHS, "\n\n")
    | dict.fromkeys(LINES, "\n")
    | dict.fromkeys(CELLS, " ")
    | {"li": "\n- "}
)
AFTER: Final = dict.fromkeys(PARAGRAPHS, "\n\n") | dict.fromkeys(CELLS, " ")
"""What comes before and after the text of an element."""
HIDDEN: Final = frozenset({"script", "style", "head", "title"})

BLANKS: Final = re.compile(r"[\t\xa0][ \t\xa0]*| [ \t\xa0]+")
"""What becomes one blank: not each blank that stands alone, as there are many."""
EMPTY_LINES: Final = re.compile(r"\n{3,}")
KEPT: Final = "\ue000"
"""Stands for a blank of a PRE until the others have been tidied."""
TAB: Final = 4
TAG: Final = re.compile(r"<[A-Za-z/!?][^>]*>?")
LOOKS_LIKE_HTML: Final = re.compile(r"<[A-Za-z/!]|&[#A-Za-z]")

_parser: Final = etree.HTMLParser(
    encoding="utf-8", huge_tree=True, no_network=True, remove_comments=True, remove_pis=True
)


def from_html(text: str | None) -> str | None:
    """Give HTML as text: entities decoded once, paragraphs and lists kept as lines, PRE as it is.

    Qualys's texts are old HTML with tags that are never closed (recorded knowledge base answers: P,
    A, BR, LI, B, OL, UL). A text without any mark-up keeps its lines. None for a text that is empty
    or nothing but mark-up.
    """
    if not text or not text.strip():
        return None
    text = plain(text).replace(KEPT, " ")
    if LOOKS_LIKE_HTML.search(text):
        # If the parser gives up, as on thousands of nested tags, the tags are just cut out.
        text = _read(text) or unescape(TAG.sub(" ", text))
    text = _without_blank_ends(BLANKS.sub(" ", plain(text))).replace("\n ", "\n")
    text = EMPTY_LINES.sub("\n\n", text).strip().replace(KEPT, " ")
    return _without_blank_ends(text).rstrip() if text.strip() else None


def _without_blank_ends(text: str) -> str:
    return "\n".join([line.rstrip(" \t") for line in text.split("\n")])


def _read(text: str) -> str:
    try:
        root = etree.fromstring(text.encode(), _parser)
    except etree.XMLSyntaxError:
        return ""
    # A text of nothing but comments has no element.
    found = "" if root is None else "".join(_walk(root))
    return found if found.strip() else ""


def _walk(root: etree._Element) -> Iterator[str]:
    walker = etree.iterwalk(root, events=("start", "end"))
    preformatted = 0
    for event, element in walker:
        tag = element.tag
        hidden = tag in HIDDEN
        if event == "start":
            if hidden:
                walker.skip_subtree()
                continue
            preformatted += tag == "pre"
            yield BEFORE.get(tag, "")
            yield _shown(element.text, preformatted)
        else:
            preformatted -= tag == "pre"
            if not hidden:
                yield _target(element) if tag == "a" else AFTER.get(tag, "")
            if element is not root:
                yield _shown(element.tail, preformatted)


def _shown(text: str | None, preformatted: int) -> str:
    if not text or not preformatted:
        return text or ""
    return text.expandtabs(TAB).replace(" ", KEPT)


def _target(element: etree._Element) -> str:
    """Give where a link leads, unless that is its text."""
    target = (element.get("href") or "").strip()
    shown = str(element.xpath("string()")).strip()
    return f" ({target})" if target and target != shown else ""
