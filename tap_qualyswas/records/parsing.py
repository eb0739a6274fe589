"""XML in bytes, read strictly: a page that is cut or damaged is refused, never repaired.

No DTD is loaded, no entity is resolved, nothing is fetched. `recover=True` is never used, as it
makes half a page look like a whole one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING, Final, TypeVar

from lxml import etree

from tap_qualyswas.errors import BrokenAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type of its elements

DOCTYPE: Final = re.compile(rb"<!DOCTYPE\s+[^\s\[>]+[^\[>]*>")
"""A DOCTYPE without an internal subset, the place where entities are declared."""
DECLARED: Final = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
EVALUATION: Final = re.compile(rb"<!--(?:(?!-->).)*?evaluation version", re.DOTALL)
"""The comment in answers to evaluation accounts; looked for outside the root only."""

REFERENCE: Final = re.compile(r"<!\[CDATA\[.*?\]\]>|&#(?:x([0-9a-fA-F]+)|([0-9]+));", re.DOTALL)
ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
MAX_CODE_POINT: Final = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed answer.

    Attributes:
        root: the root element, without comments and processing instructions.
        replaced: illegal characters that were replaced by U+FFFD.
        evaluation: whether a comment beside the root says that the account is an evaluation.
    """

    root: Element
    replaced: int
    evaluation: bool


def _parser() -> etree.XMLParser:
    # huge_tree lifts libxml2's limit of 10 MB for a text, which real evidence exceeds. The size of
    # an answer is limited where it is received, and entities have been refused before.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )


def parse(body: bytes) -> Document:
    """Read one answer.

    Raises:
        BrokenAnswer: when it is empty, not XML, cut, or declares entities.
    """
    start, root_at = _prolog(body)
    if root_at < 0:
        msg = "Qualys sent an answer that is empty or not XML."
        raise BrokenAnswer(msg)
    # Long calls put keep-alive comments before the declaration, where XML does not allow them.
    document = body[start:] if start else body
    evaluation = bool(
        EVALUATION.search(body, 0, root_at) or EVALUATION.search(body, max(body.rfind(b"</"), 0))
    )
    try:
        return Document(etree.fromstring(document, _parser()), 0, evaluation)
    except etree.XMLSyntaxError as error:
        cleaned, replaced = clean(document)
        if not replaced:
            raise _broken(error) from None
    try:
        return Document(etree.fromstring(cleaned, _parser()), replaced, evaluation)
    except etree.XMLSyntaxError as error:
        raise _broken(error) from None


def _broken(error: etree.XMLSyntaxError) -> BrokenAnswer:
    return BrokenAnswer(f"Qualys sent XML that is cut or damaged (line {error.lineno}).")


def _prolog(body: bytes) -> tuple[int, int]:
    """Give where the document and its root element begin; -1 for a root that is not there."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00")):
        msg = "Qualys sent an answer that is not in UTF-8."
        raise BrokenAnswer(msg)
    at = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    start = 0
    while True:
        at = _skip_blanks(body, at)
        if body.startswith(b"<!--", at):
            end = body.find(b"-->", at + 4)
            at = end + 3
        elif body.startswith(b"<?", at):
            if body.startswith(b"<?xml", at):
                start = at
            end = body.find(b"?>", at + 2)
            at = end + 2
        elif body[at : at + 9].upper() == b"<!DOCTYPE":
            end = _doctype_end(body, at)
            at = end
        else:
            return (start, at if body.startswith(b"<", at) else -1)
        if end < 0:
            return (start, -1)


def _skip_blanks(body: bytes, at: int) -> int:
    while body[at : at + 1].isspace():
        at += 1
    return at


def _doctype_end(body: bytes, at: int) -> int:
    match = DOCTYPE.match(body, at)
    if match is None:
        msg = "Qualys sent an answer that declares entities of its own. It was not read."
        raise BrokenAnswer(msg)
    return match.end()


def clean(document: bytes) -> tuple[bytes, int]:
    """Replace what XML does not allow: wrong bytes, control characters, and references to them.

    Text in CDATA that only looks like a reference stays as it is.

    Returns:
        The document in UTF-8, and how many characters were replaced.
    """
    declared = DECLARED.match(document)
    encoding = declared[1].decode() if declared else "utf-8"
    try:
        text = document.decode(encoding, "replace")
    except LookupError:
        text = document.decode("utf-8", "replace")
    replaced = text.count(REPLACEMENT) - document.count(REPLACEMENT.encode())
    text, illegal = ILLEGAL.subn(REPLACEMENT, text)
    references = 0

    def legal(match: re.Match[str]) -> str:
        nonlocal references
        if match[1] is None and match[2] is None:
            return match[0]
        point = int(match[1], 16) if match[1] else int(match[2])
        if point <= MAX_CODE_POINT and not ILLEGAL.match(chr(point)):
            return match[0]
        references += 1
        return REPLACEMENT

    text = REFERENCE.sub(legal, text)
    if declared:
        text = re.sub(r"^<\?xml.*?\?>", '<?xml version="1.0" encoding="UTF-8"?>', text, count=1)
    return (text.encode(), max(replaced, 0) + illegal + references)


ROOT_NAME: Final = re.compile(rb"<([A-Za-z_][\w.-]*)")
HEAD_BYTES: Final = 65_536
"""The root of a large document must begin within these."""


def root_name(head: bytes) -> str:
    """Give the name of the root element from the beginning of a document.

    Raises:
        BrokenAnswer: when it is empty, not XML, or declares entities.
    """
    _, root_at = _prolog(head)
    match = ROOT_NAME.match(head, root_at) if root_at >= 0 else None
    if match is None:
        msg = "Qualys sent an answer that is empty or not XML."
        raise BrokenAnswer(msg)
    return match[1].decode()


def read_large(
    source: IO[bytes], tags: Sequence[str], read: Callable[[Element], T]
) -> tuple[list[T], int]:
    """Read a document that is too large for a tree: `read` each element of `tags`, then drop it.

    Nothing is returned before the whole document has proved well-formed.

    Args:
        source: the document, open for reading in bytes, able to seek.
        tags: names of the elements to read; none of them lies within another.
        read: makes something of one element.

    Returns:
        What was made, in the order of the document; and how many characters were replaced.

    Raises:
        BrokenAnswer: as `parse` does.
    """
    source.seek(0)
    start, root_at = _prolog(source.read(HEAD_BYTES))
    if root_at < 0:
        # Entities could be declared behind it.
        msg = f"Qualys sent a document whose root does not begin within {HEAD_BYTES:,} bytes."
        raise BrokenAnswer(msg)
    source.seek(start)
    try:
        return ([read(element) for element in _elements(source, tags)], 0)
    except etree.XMLSyntaxError as error:
        source.seek(start)
        cleaned, replaced = clean(source.read())
        if not replaced:
            raise _broken(error) from None
    try:
        return ([read(element) for element in _elements(BytesIO(cleaned), tags)], replaced)
    except etree.XMLSyntaxError as error:
        raise _broken(error) from None


def _elements(source: IO[bytes], tags: Sequence[str]) -> Iterator[Element]:
    walk = etree.iterparse(
        source,
        events=("end",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    for _, element in walk:
        yield element
        element.clear()
        parent = element.getparent()
        while parent is not None and (before := element.getprevious()) is not None:
            parent.remove(before)
