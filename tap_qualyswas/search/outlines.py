"""Rows of a page, read without a tree where they differ from one that was parsed in texts only.

Most rows of a search have the same elements in the same order, and half of the time of a sync would
go into their trees. So a row that lxml has parsed may become an outline: its own characters, with
a hole for the text of each element that holds nothing else. Why it is safe to read others by it:

- A hole takes what has no `<`, `>` or `&`, or one whole CDATA section where the first row had one.
  So a row that fits has the very tags of the one that was parsed: it is well-formed too, and its
  texts are what stands in the holes, to the letter. (What XML forbids or alters in texts, control
  characters and carriage returns, is nowhere in a page that is read here.)
- What is made of a few fields beside one another, or of an element within the row, is kept by its
  text, on which alone it depends.
- A row that fits no outline, or has a value that cannot be read, is parsed by lxml on its own.
- A row after a row, each well-formed, may stand wherever an element may. So the rest of the page is
  parsed with a mark in their place: where the mark is all that `data` holds, they are its rows.
- What makes a row depend on others, or on what holds it, is nowhere around the rows that are read
  here, nor in one that is parsed: attributes of `xml:`, and depth. One that fits an outline has no
  attributes. (A prefix that is declared elsewhere is refused in a row.)
- Where any of this does not hold, the page is parsed as a whole, as if there were no outlines.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lxml import etree

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.qualys.answers import MARK, MARK_TAG
from tap_qualyswas.records.parsing import parser_of, read_prolog
from tap_qualyswas.search.row_outline import OutlineMaker, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_qualyswas.qualys.answers import Row
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.shapes import Shape
    from tap_qualyswas.search.row_outline import Outline

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
MISSES_A_LESSON: Final = 7
"""To make an outline takes about as long as to parse twice as many rows. A prime, as rows may
alternate between those that can become one and those that cannot."""
MOST_OUTLINES: Final = 64
MOST_MISSED: Final = 256
"""So many more rows may fit none than fit one, before pages are parsed as a whole for good."""


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
        self._maker = OutlineMaker(shape)
        self._misses_a_lesson = misses_a_lesson
        self._is_whole = is_whole
        self._begin, self._end = f"<{shape.name}".encode(), f"</{shape.name}>".encode()
        self._known: defaultdict[int, list[Outline]] = defaultdict(list)
        self._learnt: list[Outline] = []
        self._missed = self._fitted = 0

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
        around = before + behind
        if longest > LONGEST or OF_XML in around or MARK_NAME in around:
            return None
        parser = parser_of("utf-8")
        try:
            return (before + MARK + behind, [self._read(row, parser) for row in rows])
        except (Unfit, UnicodeDecodeError, etree.XMLSyntaxError):
            return None

    def _read(self, row: bytes, parser: etree.XMLParser) -> Row:
        text = row.decode()
        if not text.isascii() and any(one in text for one in NONCHARACTERS):
            raise Unfit
        try:
            record = self._record(text)
        except ValueError:
            record = None
        if record is not None and self._is_whole(record):
            self._fitted += 1
            return record
        self._missed += 1
        if not row.lstrip().startswith(self._begin) or OF_XML in row:
            raise Unfit
        element = etree.fromstring(row + self._end, parser)
        if self._missed % self._misses_a_lesson == 0 and len(self._learnt) < MOST_OUTLINES:
            self._learn(text)
        return element

    def _record(self, text: str) -> Record | None:
        known = self._known[text.count("<")]
        for outline in known:
            record = outline.read(text)
            if record is not None:
                return record
        for outline in self._learnt:  # there may be another number of `<` in the texts
            record = outline.read(text)
            if record is not None:
                known.append(outline)
                return record
        return None

    def _learn(self, text: str) -> None:
        if not any(outline.fit(text) for outline in self._learnt):
            with suppress(Unfit):
                self._learnt.append(self._maker.outline(text))


def _is_plain(body: bytes) -> bool:
    """Tell whether a page is in UTF-8 and holds no character that XML forbids or alters."""
    try:
        encoding = read_prolog(body).encoding
    except BrokenAnswer:
        return False
    return encoding == "utf-8" and not body.translate(None, PLAIN)
