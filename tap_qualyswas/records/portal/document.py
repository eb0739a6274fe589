"""A report file as an XML document: its encoding, its root, and a walk that keeps nothing of it."""

from __future__ import annotations

import codecs
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from lxml import etree

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.characters import MOST_CLEANED, clean
from tap_qualyswas.records.parsing import (
    HEAD_BYTES,
    ROOT_NAME,
    drop,
    ended_elements,
    read_prolog,
)
from tap_qualyswas.records.portal.report import ReportError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from tap_qualyswas.records.parsing import Element

UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CHUNK_BYTES: Final = 1 << 20
MEMORY_BYTES: Final = 1 << 23
"""Above this size a copy goes to a temporary file."""


def open_utf8(path: Path) -> IO[bytes]:
    """Open a file in UTF-8: as it is, or a copy where it says that it is in UTF-16.

    Raises:
        ReportError: when it is not what it says.
        OSError: when it cannot be opened.
    """
    file = path.open("rb")
    is_utf16 = file.read(2).startswith(UTF_16)
    file.seek(0)
    if not is_utf16:
        return file
    with file:
        return _copied(codecs.getreader("utf-16")(file))


def _copied(reader: codecs.StreamReader) -> IO[bytes]:
    # No spooled one: in Python 3.10 it lacks what a reader of text asks of a file.
    copy: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - handed on
    try:
        while text := reader.read(CHUNK_BYTES):
            copy.write(text.encode())
    except UnicodeError:
        copy.close()
        msg = "it begins like UTF-16 and is not"
        raise ReportError(msg) from None
    copy.seek(0)
    return copy


@dataclass(frozen=True, slots=True)
class Document:
    """An XML document.

    Attributes:
        root: name of its root element.
        source: its bytes.
        root_at: where the root element begins in them.
        lines_before: how many lines end before that.
        encoding: of the bytes.
        replaced: how many characters were replaced in them.
    """

    root: str
    source: IO[bytes]
    root_at: int
    lines_before: int
    encoding: str
    replaced: int = 0

    def elements(self, places: Mapping[str, Collection[str]]) -> Iterator[Element]:
        """Give each element of some names as soon as it has ended, and forget it afterwards.

        Args:
            places: by name of the element, the names of the parents that it is looked for in.

        Raises:
            ReportError: where it is not well-formed.
        """
        self.source.seek(self.root_at)
        try:
            for element in ended_elements(self.source, list(places), self.encoding):
                parent = element.getparent()
                if parent is not None and parent.tag in places[element.tag]:
                    yield element
                    drop(element)
        except etree.XMLSyntaxError as error:
            line = (error.lineno or 1) + self.lines_before
            msg = f"line {line:,}: it is not well-formed XML"
            raise ReportError(msg) from None


def open_document(source: IO[bytes]) -> Document:
    """Take a file for an XML document; what lies before its root is looked at, and left out.

    Raises:
        ReportError: when it is empty or not XML, or declares entities.
    """
    source.seek(0)
    head = source.read(HEAD_BYTES)
    try:
        prolog = read_prolog(head)
    except BrokenAnswer:
        msg = "its DOCTYPE declares entities of its own"
        raise ReportError(msg) from None
    match = ROOT_NAME.match(head, prolog.root_at) if prolog.root_at >= 0 else None
    if match is None:
        msg = f"it is empty, or no XML begins within its first {HEAD_BYTES:,} bytes"
        raise ReportError(msg)
    lines = head.count(b"\n", 0, prolog.root_at)
    return Document(match[1].decode(), source, prolog.root_at, lines, prolog.encoding)


@contextmanager
def cleaned(document: Document) -> Iterator[Document | None]:
    """Give a document without what XML does not allow in a text; None when that was not its fault.

    Qualys's texts come from the scanned sites: control characters, wrong bytes, HTML's entities.
    """
    document.source.seek(0, 2)
    if document.source.tell() > MOST_CLEANED:
        yield None
        return
    document.source.seek(document.root_at)
    raw = document.source.read()
    text, replaced = clean(raw, document.encoding)
    if text == raw:
        yield None
        return
    with tempfile.SpooledTemporaryFile(MEMORY_BYTES) as copy:
        copy.write(text)
        yield Document(document.root, copy, 0, document.lines_before, "utf-8", replaced)
