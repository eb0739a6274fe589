"""The outline of a row: its own characters, with a hole for the text of each field.

Why rows can be read by it is told in `outlines`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import Kept, Leaf
from tap_qualyswas.records.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_qualyswas.records.fields import Json, Record

    Field = tuple[str, Callable[[str], Json], int]

TEXT: Final = ("", "[^<>&]*", "")
SECTION: Final = (r"<!\[CDATA\[", r"[^]]*(?:](?!]>)[^]]*){0,99}", "]]>")
"""A whole one, if it has few brackets: many would take long."""
_INSIDE: Final = "|".join(f"{before}({inside}){after}" for before, inside, after in (TEXT, SECTION))
TOKEN: Final = re.compile(rf"<([A-Za-z]\w*)>(?:{_INSIDE})</\1>|<(/?)([A-Za-z]\w*)>|\s+", re.ASCII)
"""An element with a text and nothing else, a tag of another one without attributes, or blanks."""
LONGEST_KEPT: Final = 500
"""Characters of a part of a row that is kept with what it stands for."""
MOST_KEPT: Final = 512
"""So many of each kind: rows of a web application mostly come together."""


class Unfit(Exception):  # noqa: N818 - it is an outcome of a row
    """Something that no outline can be made of, or that is no row."""


@dataclass
class _Hole:
    """Where texts differ.

    Attributes:
        name: of the property that is read there; empty for a run of several.
        read: makes its value of the text; of a run a record, which is kept.
        before: pattern of what stands before it.
        inside: pattern of the text.
        after: pattern of what stands behind it, up to the next hole.
        together: whether its value mostly comes with those beside it.
    """

    name: str
    read: Callable[[str], Json] | Kept[Record]
    before: str
    inside: str
    after: str
    together: bool = False

    @property
    def pattern(self) -> str:
        return self.before + self.inside + self.after


class _Element:
    """An element with others in it, as it stands in a row.

    Attributes:
        shape: of its record.
        name: of the property that it is.
        begin: pattern of what stands before the first hole.
        holes: what is read, each property once.
    """

    def __init__(self, shape: Shape, name: str = "") -> None:
        self.shape = shape
        self.name = name
        self.begin = ""
        self.holes: list[_Hole] = []

    def add_literal(self, text: str) -> None:
        if self.holes:
            self.holes[-1].after += re.escape(text)
        else:
            self.begin += re.escape(text)

    def add_field(self, tag: str, *, is_section: bool) -> None:
        name, read = self._reader(tag)
        if not isinstance(read, Leaf):
            raise Unfit
        before, inside, after = SECTION if is_section else TEXT
        before, after = f"<{tag}>{before}", f"{after}</{tag}>"
        self.holes.append(_Hole(name, read.value, before, inside, after, read.together))

    def element(self, tag: str) -> _Element:
        name, read = self._reader(tag)
        if not isinstance(read, Shape):
            raise Unfit
        return _Element(read, name)

    def _reader(self, tag: str) -> tuple[str, object]:
        found = self.shape.reader(tag)
        if found is None or any(hole.name == found[0] for hole in self.holes):
            raise Unfit
        return found


class Outline:
    """What rows, or parts of rows, have in common that differ in their texts only.

    Args:
        begin: pattern of what stands before the first hole.
        holes: what is read.
        blank: what a record begins with.

    Attributes:
        fit: matches what it fits.
    """

    def __init__(self, begin: str, holes: Iterable[_Hole], blank: Record) -> None:
        pattern = begin
        self._blank = blank
        self._runs: list[tuple[Kept[Record], int]] = []
        self._fields: list[Field] = []
        for number, hole in enumerate(holes):
            pattern += f"{hole.before}({hole.inside}){hole.after}"
            if isinstance(hole.read, Kept):
                self._runs.append((hole.read, number))
            else:
                self._fields.append((hole.name, hole.read, number))
        self.fit: Final = re.compile(pattern).fullmatch

    def read(self, text: str) -> Record | None:
        """Make a record of a text; None where the outline does not fit.

        Raises:
            ValueError: when a value cannot be read, or is to be cut.
        """
        match = self.fit(text)
        if match is None:
            return None
        texts = match.groups()
        record = self._blank.copy()
        for run, hole in self._runs:
            record.update(run[texts[hole]])
        for name, value, hole in self._fields:
            record[name] = value(texts[hole])
        return record


class OutlineMaker:
    """Makes outlines of rows.

    Most rows are of a QID and of a web application that others were of, too. So what is made of a
    run of fields beside one another is kept by its text, and so is an element within the row.

    Args:
        shape: of the rows.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._kept: dict[tuple[Shape, str], Kept[Record]] = {}

    def outline(self, row: str) -> Outline:
        """Make an outline of a row, which is well-formed, up to its end tag.

        Raises:
            Unfit: when there is more in the row than an outline can hold.
        """
        element = outer = _Element(self._shape)
        at, is_open = 0, False
        while at < len(row):
            token = TOKEN.match(row, at)
            if token is None:
                raise Unfit
            at = token.end()
            leaf, _, section, end, tag = token.groups()
            if leaf is not None:
                element.add_field(leaf, is_section=section is not None)
                continue
            if is_open and tag and not end:
                if element is not outer:
                    raise Unfit
                element = outer.element(tag)
            element.add_literal(token[0])
            is_open = is_open or tag is not None
            if end:
                outer.holes.append(self._of_element(element))
                element = outer
        return Outline(outer.begin, self._with_runs(outer.holes), self._shape.blank())

    def _of_element(self, element: _Element) -> _Hole:
        blank = element.shape.blank()
        pattern, kept = self._keep(element.shape, element.begin, element.holes, blank)
        return _Hole(element.name, lambda text: kept[text].copy(), "", pattern, "")

    def _with_runs(self, holes: Sequence[_Hole]) -> Iterator[_Hole]:
        for together, beside in groupby(holes, attrgetter("together")):
            run = [*beside]
            if together and len(run) > 1:
                pattern, kept = self._keep(self._shape, "", run, {})
                yield _Hole("", kept, "", pattern, "")
            else:
                yield from run

    def _keep(
        self, shape: Shape, begin: str, holes: Sequence[_Hole], blank: Record
    ) -> tuple[str, Kept[Record]]:
        pattern = begin + "".join(hole.pattern for hole in holes)
        if (shape, pattern) not in self._kept:
            read = Outline(begin, holes, blank).read
            # It fits, as it is a part of a row that does.
            kept = Kept(lambda text: read(text) or {}, LONGEST_KEPT, MOST_KEPT)
            self._kept[shape, pattern] = kept
        return (pattern, self._kept[shape, pattern])
