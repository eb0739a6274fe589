"""XML in bytes, read strictly: a page that is cut or damaged is refused, never repaired.

No DTD is loaded, no entity is resolved, nothing is fetched. `recover=True` is never used, as it
makes half a page look like a whole one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import IO, TYPE_CHECKING, Final, TypeVar

from lxml import etree

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.characters import MOST_CLEANED, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

Element = etree._Element  # noqa: SLF001 - lxml has no public name for the type of its elements

DECLARED: Final = re.compile(rb"""\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
ENCODINGS: Final = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})
"""Those in which an answer is read. Where another one is declared it is read as UTF-8."""
EVALUATION: Final = b"evaluation version"
"""Words of the comment in answers to evaluation accounts; looked for outside the root only."""


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


@dataclass(frozen=True, slots=True)
class Prolog:
    """What stands before the root element.

    Attributes:
        root_at: where the root element begins; -1 where there is none.
        encoding: of the document.
        evaluation: whether a comment says that the account is an evaluation.
    """

    root_at: int
    encoding: str
    evaluation: bool


def parser_of(encoding: str) -> etree.XMLParser:
    """Give a strict parser of one encoding."""
    # huge_tree lifts libxml2's limit of 10 MB for a text, which real evidence exceeds. The size of
    # an answer is limited where it is received, and entities have been refused before. Without
    # strip_cdata the blanks around a CDATA section would become part of its text.
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
        strip_cdata=False,
    )


def parse(body: bytes) -> Document:
    """Read one answer.

    Raises:
        BrokenAnswer: when it is empty, not XML, cut, or declares entities.
    """
    prolog = read_prolog(body)
    if prolog.root_at < 0:
        msg = "Qualys sent an answer that is empty or not XML."
        raise BrokenAnswer(msg)
    # Without what stands before it: a DOCTYPE would make the parser pass over entities, and long
    # calls put keep-alive comments before the declaration, where XML does not allow them.
    document = body[prolog.root_at :]
    evaluation = prolog.evaluation or _says_evaluation(body, max(body.rfind(b"</"), 0))
    try:
        return Document(etree.fromstring(document, parser_of(prolog.encoding)), 0, evaluation)
    except etree.XMLSyntaxError as error:
        cleaned, replaced = clean(document, prolog.encoding)
        if cleaned == document:
            raise _broken(error, body[: prolog.root_at]) from None
    try:
        return Document(etree.fromstring(cleaned, parser_of("utf-8")), replaced, evaluation)
    except etree.XMLSyntaxError as error:
        raise _broken(error, body[: prolog.root_at]) from None


def _broken(error: etree.XMLSyntaxError, before: bytes) -> BrokenAnswer:
    line = (error.lineno or 1) + before.count(b"\n")
    return BrokenAnswer(f"Qualys sent XML that is cut or damaged (line {line}).")


def read_prolog(body: bytes) -> Prolog:
    """Read what stands before the root element.

    Raises:
        BrokenAnswer: when it is not in UTF-8, or declares entities.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00")):
        msg = "Qualys sent an answer that is not in UTF-8."
        raise BrokenAnswer(msg)
    at = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    encoding, evaluation = "utf-8", False
    while True:
        at = _skip_blanks(body, at)
        if body.startswith(b"<!--", at):
            end = _behind(body, b"-->", at + 4)
            evaluation = evaluation or EVALUATION in body[at:end]
        elif body.startswith(b"<?", at):
            end = _behind(body, b"?>", at + 2)
            if body.startswith(b"<?xml", at):
                encoding = _declared_encoding(body[at:end])
        elif body[at : at + 9].upper() == b"<!DOCTYPE":
            end = _doctype_end(body, at)
        else:
            root_at = at if body.startswith(b"<", at) else -1
            return Prolog(root_at, encoding, evaluation)
        if end < 0:
            return Prolog(-1, encoding, evaluation)
        at = end


def _behind(body: bytes, mark: bytes, at: int) -> int:
    """Give the place behind the next mark; -1 where there is none."""
    found = body.find(mark, at)
    return -1 if found < 0 else found + len(mark)


def _skip_blanks(body: bytes, at: int) -> int:
    while body[at : at + 1].isspace():
        at += 1
    return at


def _declared_encoding(declaration: bytes) -> str:
    match = DECLARED.search(declaration)
    name = match[1].decode().lower() if match else "utf-8"
    return name if name in ENCODINGS else "utf-8"


def _doctype_end(body: bytes, at: int) -> int:
    """Give where a DOCTYPE ends, -1 where it does not.

    Raises:
        BrokenAnswer: when it has an internal subset, the place where entities are declared.
    """
    end = _behind(body, b">", at)
    if b"[" in body[at:end] or not body[at + 9 : at + 10].isspace():
        msg = "Qualys sent an answer that declares entities of its own. It was not read."
        raise BrokenAnswer(msg)
    return end


def _says_evaluation(body: bytes, at: int) -> bool:
    """Tell whether a comment from a place on says that the account is an evaluation."""
    while (begin := body.find(b"<!--", at)) >= 0:
        at = _behind(body, b"-->", begin + 4)
        if at < 0:
            return False
        if EVALUATION in body[begin:at]:
            return True
    return False


ROOT_NAME: Final = re.compile(rb"<([A-Za-z_][\w.-]*)")
HEAD_BYTES: Final = 65_536
"""The root of a large document must begin within these."""


def root_name(head: bytes) -> str:
    """Give the name of the root element from the beginning of a document.

    Raises:
        BrokenAnswer: when it is empty, not XML, or declares entities.
    """
    root_at = read_prolog(head).root_at
    match = ROOT_NAME.match(head, root_at) if root_at >= 0 else None
    if match is None:
        msg = "Qualys sent an answer that is empty or not XML."
        raise BrokenAnswer(msg)
    return match[1].decode()


def read_large(
    source: IO[bytes],
    tags: Sequence[str],
    begin: Callable[[], Callable[[Element], T]],
    *,
    most_cleaned: int = MOST_CLEANED,
) -> tuple[list[T], int]:
    """Read a document that is too large for a tree: each element of `tags`, which is then dropped.

    Nothing is returned before the whole document has proved well-formed.

    Args:
        source: the document, open for reading in bytes, able to seek.
        tags: names of the elements to read. What lies within another one is read first, and is
            gone when the other one is read.
        begin: gives what makes something of one element; called again where the document is read
            from its beginning again, so that nothing of the first time is kept.
        most_cleaned: bytes of the largest document whose illegal characters are replaced.

    Returns:
        What was made, in the order of the document; and how many characters were replaced.

    Raises:
        BrokenAnswer: as `parse` does.
    """
    source.seek(0)
    head = source.read(HEAD_BYTES)
    prolog = read_prolog(head)
    if prolog.root_at < 0:
        # Entities could be declared behind it.
        msg = f"Qualys sent a document whose root does not begin within {HEAD_BYTES:,} bytes."
        raise BrokenAnswer(msg)
    before = head[: prolog.root_at]
    source.seek(prolog.root_at)
    try:
        return ([*map(begin(), _elements(source, tags, prolog.encoding))], 0)
    except etree.XMLSyntaxError as error:
        if source.seek(0, SEEK_END) > most_cleaned:
            raise _broken(error, before) from None
        source.seek(prolog.root_at)
        document = source.read()
        cleaned, replaced = clean(document, prolog.encoding)
        if cleaned == document:
            raise _broken(error, before) from None
    try:
        return ([*map(begin(), _elements(BytesIO(cleaned), tags, "utf-8"))], replaced)
    except etree.XMLSyntaxError as error:
        raise _broken(error, before) from None


def _elements(source: IO[bytes], tags: Sequence[str], encoding: str) -> Iterator[Element]:
    for element in ended_elements(source, tags, encoding):
        yield element
        drop(element)


class _Unnamed:
    """A document without a name. The parser would take that for an address, and wants it in UTF-8.

    Args:
        source: the document.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self.read = source.read
        self.close = source.close


def ended_elements(source: IO[bytes], tags: Sequence[str], encoding: str) -> Iterator[Element]:
    """Give each element of some names as soon as it has ended; the others stay in the tree.

    Raises:
        XMLSyntaxError: where the document is not well-formed.
    """
    walk = etree.iterparse(
        _Unnamed(source),
        events=("end",),
        tag=tags,
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
        strip_cdata=False,
    )
    for _, element in walk:
        yield element


def drop(element: Element) -> None:
    """Take an element that has been read, and all before it, out of the tree."""
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        parent.remove(before)
