"""Cutting a long walk into id ranges of about equal count, by few count calls.

Ids are not evenly spread, but evenly enough within stretches: between two ids whose ranks are
known, the id of a rank in between is guessed by a straight line, and a count tells its true rank.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tap_qualyswas.search.pages import Span

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS_WORTH_CUTTING: Final = 20_000
MAX_COUNTS: Final = 4
TOLERANCE: Final = 0.3
"""How far, as a share of one range, a cut may lie beside where it was wanted."""

Point = tuple[int, int]
"""An id, and how many of the rows still to be read lie at or below it."""


def cut(
    span: Span, *, rows: int, density: float, parts: int, count_above: Callable[[int], int]
) -> list[Span]:
    """Cut what is still to be read.

    Args:
        span: the ids still to be read; has a lower bound, no upper one.
        rows: how many rows lie in it.
        density: rows for each id, as the page before showed it.
        parts: how many ranges are wanted.
        count_above: counts the rows of the walk above an id; called four times at most.

    Returns:
        At most `parts` ranges which together are `span`.
    """
    if span.after is None or span.before is not None or parts < 2 or rows < parts:  # noqa: PLR2004
        return [span]
    ranks = _Ranks(span.after, rows, density)
    wanted = [rows * part // parts for part in range(1, parts)]
    for _ in range(MAX_COUNTS):
        farthest = max(wanted, key=ranks.distance)
        guess = ranks.guess(farthest)
        if ranks.distance(farthest) <= TOLERANCE * rows / parts or ranks.knows(guess):
            break
        ranks.learn(guess, rows - count_above(guess))
    return _spans(span, sorted({ranks.best(rank, TOLERANCE * rows / parts) for rank in wanted}))


class _Ranks:
    """What is known of the ranks of ids.

    Args:
        bottom: the id below the first row.
        rows: how many rows there are.
        density: rows for each id, as first guessed.
    """

    def __init__(self, bottom: int, rows: int, density: float) -> None:
        self._rows = rows
        self._ids_per_row = 1 / max(density, 1e-9)
        self._points: list[Point] = [(bottom, 0)]

    def learn(self, at: int, rank: int) -> None:
        """Add what a count told."""
        self._points.append((at, rank))
        self._points.sort()

    def knows(self, at: int) -> bool:
        """Tell whether an id was counted already."""
        return any(at == known for known, _ in self._points)

    def distance(self, rank: int) -> int:
        """Give how many rows lie between a rank and the nearest one that is known."""
        return min(abs(known - rank) for _, known in self._points)

    def best(self, rank: int, tolerance: float) -> int:
        """Give the id to cut at for a rank: one that was counted where one is near enough."""
        at, known = min(self._points, key=lambda point: abs(point[1] - rank))
        return at if abs(known - rank) <= tolerance else self.guess(rank)

    def guess(self, rank: int) -> int:
        """Give the id at which the row of a rank is thought to lie."""
        low = max((point for point in self._points if point[1] <= rank), key=lambda p: p[::-1])
        above = [point for point in self._points if point[1] > rank]
        high = min(above) if above else self._top(low)
        share = (rank - low[1]) / max(high[1] - low[1], 1)
        return low[0] + max(int((high[0] - low[0]) * share), 1)

    def _top(self, low: Point) -> Point:
        """Give the guess of the highest id: on from `low` as steeply as it came up to there."""
        bottom = self._points[0][0]
        steep = self._ids_per_row if low[1] == 0 else (low[0] - bottom) / low[1]
        if low[1] == 0 and low[0] > bottom:
            steep = (low[0] - bottom) * 2.0  # a wide gap: go on in great steps
        return (low[0] + max(int(steep * (self._rows - low[1])), 1), self._rows)


def _spans(span: Span, cuts: list[int]) -> list[Span]:
    """Give the ranges between the cuts; a cut belongs to the range below it."""
    inner = [at for at in cuts if span.holds(at)]
    if not inner:
        return [span]
    spans = [replace(span, before=inner[0] + 1)]
    spans += [Span(low, high + 1) for low, high in pairwise(inner)]
    return [*spans, Span(inner[-1], span.before)]
