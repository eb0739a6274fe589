"""The geometry of the report's bar charts; the template draws them as SVG.

Lengths are in units of the picture's own view box. Something that is not nothing is always drawn,
however small its share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.wording import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR_WIDTH: Final = 460.0
BAR_ROW: Final = 44.0
BAR_HEIGHT: Final = 14.0
LABEL_LETTERS: Final = 36
LEAST: Final = 2.0
"""Width of what would be drawn as nothing."""

Piece = tuple[float, float, str]
"""Start, width and kind of a part of a bar."""


class Bar(msgspec.Struct, frozen=True):
    """One row of a bar chart.

    Attributes:
        parts: start and width of each part, with its kind.
    """

    label: str
    value: str
    y: float
    parts: list[Piece]


class Bars(msgspec.Struct, frozen=True):
    """A chart of horizontal bars with the text above each."""

    width: float
    height: float
    bar_height: float
    rows: list[Bar]


def draw_bars(rows: Sequence[tuple[str, str, Sequence[tuple[int, str]]]]) -> Bars:
    """Draw rows of a label, a text for the value, and counts of some kinds one after the other."""
    most = max([sum(count for count, _ in parts) for _, _, parts in rows], default=0) or 1
    drawn = []
    for label, value, parts in rows:
        pieces: list[Piece] = []
        start = 0
        for count, kind in parts:
            pieces += part(start, count, most, kind)
            start += count
        drawn.append((label, value, pieces))
    return chart(drawn)


def part(start: int, count: int, most: int, kind: str) -> list[Piece]:
    """Give a part of a bar as drawn, none for nothing.

    Args:
        start: where it begins.
        count: how long it is.
        most: length of the whole width.
        kind: its colour.
    """
    if count <= 0:
        return []
    x = min(BAR_WIDTH * start / most, BAR_WIDTH - LEAST)
    return [(x, max(LEAST, min(BAR_WIDTH * count / most, BAR_WIDTH - x)), kind)]


def chart(rows: Sequence[tuple[str, str, list[Piece]]]) -> Bars:
    """Give a chart of rows of a label, a text for the value, and parts."""
    drawn = [
        Bar(cut(label, LABEL_LETTERS), value, BAR_ROW * at, parts)
        for at, (label, value, parts) in enumerate(rows)
    ]
    return Bars(BAR_WIDTH, BAR_ROW * len(rows), BAR_HEIGHT, drawn)
