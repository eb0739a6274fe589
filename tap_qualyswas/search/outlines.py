"""Rows of a page, read without a tree where they differ from one that was parsed in texts only.

Most rows of a search have the same elements in the same order, and half of the time of a sync would
go into their trees. So a row that lxml has parsed may become an outline: its own characters, with
a hole for the text of each element that holds nothing else. Why it is safe to read others by it:

- A hole takes what has no `<`, `>` or `&`, or one whole CDATA section where the first row had one.
  So a row that fits has the very tags of the one that was parsed: it is well-formed too, and its
  texts are what stands in the holes, to the letter. (What XML forbids or alters in texts, control
  characters and carriage returns, is nowhere in a page that is read here.)
- A row that fits no outline, or has a value that cannot be read, is parsed by lxml on its own.
- A row after a row, each well-formed, may stand wherever an element may. So the rest of the page is
  parsed with a mark in their place: where the mark is all that `data` holds, they are its rows.
- What makes a row depend on others, or on what holds it, is nowhere in a page that is read here:
  attributes of `xml:`, and depth. (A prefix that is declared elsewhere is refused in a row.)
- Where any of this does not hold, the page is parsed as a whole, as if there were no outlines.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from lxml import etree

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.qualys.answers import MARK, MARK_TAG
from tap_qualyswas.records.fields import Leaf
from tap_qualyswas.records.parsing import parser_of, read_prolog
from tap_qualyswas.records.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_qualyswas.qualys.answers import Row
    from tap_qualyswas.records.fields import Json, Record

    Field = tuple[str, Callable[[str], Json], int]

TEXT: Final = "([^<>&]*)"
CDATA: Final = r"<!\[CDATA\[([^]]*(?:](?!]>)[^]]*){0,99})]]>"
"""A whole section, if it has few brackets: many would take long."""
TOKEN: Final = re.compile(
    rf"<([A-Za-z]\w*)>(?:{TEXT}|{CDATA})</\1>|<(/?)([A-Za-z]\w*)>|\s+", re.ASCII
)
"""An element with a text and nothing else, a tag of another one without attributes, or blanks."""
PLAIN: Final = bytes([*b"\t\n", *range(0x20, 0x100)])
NONCHARACTERS: Final = ("\ufffe", "\uffff")
"""What XML forbids besides; in UTF-8 there can be no other."""
DATA: Final = b"<data>"
OF_XML: Final = b"xml:"
"""Begins the attributes that reach beyond their row: `xml:space` those within, `xml:id` others."""
MARK_NAME: Final = MARK_TAG.encode()
LONGEST: Final = 14_000
"""Bytes of a row. A longer one could nest elements deeper than lxml reads within a page, 2,048, and
take long to compare with outlines."""
MISSES_A_LESSON: Final = 17
"""To make an outline takes about as long as to parse so many rows. A prime, as rows may alternate
between those that can become one and those that cannot."""
MOST_OUTLINES: Final = 64
MOST_MISSED: Final = 256
"""So many more rows may fit none than fit one, before pages are parsed as a whole for good."""


class _Part:
    """An element that has others: what its record is made of.

    Attributes:
        shape: of the record.
        holder: place of the record that holds it, among the parts of the row.
        name: of the property there.
        fields: property, its reader, and the hole with its text.
    """

    def __init__(self, shape: Shape, holder: int, name: str) -> None:
        self.shape = shape
        self.blank = shape.blank()
        self.holder = holder
        self.name = name
        self.fields: list[Field] = []


class _Unfit(Exception):  # noqa: N818 - it is an outcome of a row
    """Something that no outline can be made of, or that is no row."""


class Outline:
    """What rows have in common that differ in their texts only.

    Args:
        row: one of them, well-formed, up to its end tag.
        shape: of the rows.

    Raises:
        _Unfit: when there is more in the row than an outline can hold.
    """

    def __init__(self, row: str, shape: Shape) -> None:
        self._shape = shape
        self._parts: list[_Part] = []
        self._open: list[int] = []
        pattern, at, hole = "", 0, 0
        while at < len(row):
            token = TOKEN.match(row, at)
            if token is None:
                raise _Unfit
            at = token.end()
            leaf, _, section, end, name = token.groups()
            if leaf is not None:
                self._add_field(leaf, hole)
                pattern += f"<{leaf}>{TEXT if section is None else CDATA}</{leaf}>"
                hole += 1
                continue
            pattern += re.escape(token[0])
            if end:
                self._open.pop()
            elif name is not None:
                self._add_part(name)
        self.fit = re.compile(pattern).fullmatch

    def _add_part(self, name: str) -> None:
        if not self._parts:
            self._open.append(0)
            self._parts.append(_Part(self._shape, 0, ""))
            return
        known, read = self._reader(name)
        if not isinstance(read, Shape):
            raise _Unfit
        self._parts.append(_Part(read, self._open[-1], known))
        self._open.append(len(self._parts) - 1)

    def _add_field(self, name: str, hole: int) -> None:
        known, read = self._reader(name)
        if not isinstance(read, Leaf):
            raise _Unfit
        self._parts[self._open[-1]].fields.append((known, read.value, hole))

    def _reader(self, name: str) -> tuple[str, object]:
        found = self._parts[self._open[-1]].shape.reader(name) if self._open else None
        if found is None:
            raise _Unfit
        return found

    def record(self, texts: tuple[str, ...]) -> Record:
        """Make a record of the texts in the holes.

        Raises:
            ValueError: when one of them cannot be read, or is to be cut.
        """
        records: list[Record] = []
        for part in self._parts:
            record = part.blank.copy()
            for name, value, hole in part.fields:
                record[name] = value(texts[hole])
            if records:
                records[part.holder][part.name] = record
            records.append(record)
        return records[0]


class Outlines:
    """The outlines of the rows of a search, learnt from its pages. For all threads.

    Args:
        shape: of the rows, whose name is that of their element.
        is_whole: whether a record has what no row may lack; one that lacks it is parsed.
        misses_a_lesson: rows that fit no outline, before one of them becomes one.
    """

    def __init__(
        self,
        shape: Shape,
        is_whole: Callable[[Record], bool],
        misses_a_lesson: int = MISSES_A_LESSON,
    ) -> None:
        self._shape = shape
        self._misses_a_lesson = misses_a_lesson
        self._is_whole = is_whole
        self._begin, self._end = f"<{shape.name}".encode(), f"</{shape.name}>".encode()
        self._known: defaultdict[int, list[Outline]] = defaultdict(list)
        self._learnt = self._missed = self._fitted = 0

    def take_rows(self, body: bytes) -> tuple[bytes, Sequence[Row]] | None:
        """Give a page with a mark in place of its rows, and the rows; None where it has other ones.

        Where the mark is not the only element of the page's data, they are not its rows.
        """
        begin, end = body.find(DATA) + len(DATA), body.rfind(self._end) + len(self._end)
        too_many_missed = self._missed > self._fitted + MOST_MISSED
        if too_many_missed or not len(DATA) <= begin < end or not _is_plain(body):
            return None
        before, rows, behind = body[:begin], body[begin:end].split(self._end)[:-1], body[end:]
        longest = max(map(len, rows), default=0)
        if longest > LONGEST or OF_XML in body or MARK_NAME in before + behind:
            return None
        parser = parser_of("utf-8")
        try:
            return (before + MARK + behind, [self._read(row, parser) for row in rows])
        except (_Unfit, UnicodeDecodeError, etree.XMLSyntaxError):
            return None

    def _read(self, row: bytes, parser: etree.XMLParser) -> Row:
        text = row.decode()
        if not text.isascii() and any(one in text for one in NONCHARACTERS):
            raise _Unfit
        for outline in self._known.get(text.count("<"), ()):
            match = outline.fit(text)
            if match is not None:
                try:
                    record = outline.record(match.groups())
                except ValueError:
                    break
                if not self._is_whole(record):
                    break
                self._fitted += 1
                return record
        self._missed += 1
        if not row.lstrip().startswith(self._begin):
            raise _Unfit
        element = etree.fromstring(row + self._end, parser)
        if self._missed % self._misses_a_lesson == 0 and self._learnt < MOST_OUTLINES:
            self._learn(text)
        return element

    def _learn(self, text: str) -> None:
        known = self._known[text.count("<")]
        if any(outline.fit(text) for outline in known):
            return
        try:
            known.append(Outline(text, self._shape))
        except _Unfit:
            return
        self._learnt += 1


def _is_plain(body: bytes) -> bool:
    """Tell whether a page is in UTF-8 and holds no character that XML forbids or alters."""
    try:
        encoding = read_prolog(body).encoding
    except BrokenAnswer:
        return False
    return encoding == "utf-8" and not body.translate(None, PLAIN)
