"""A long walk, split into id ranges of about equal count by few count calls.

Ids are not evenly spread, but evenly enough within stretches: between two ids whose ranks are known
the id of another rank is interpolated, and a count gives its true rank.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tap_qualyswas.search.pages import IdRange

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS_WORTH_SPLITTING: Final = 20_000
MAX_COUNTS: Final = 4
TOLERANCE: Final = 0.3
"""How far a bound may lie from where it was wanted, as a share of one range."""

Point = tuple[int, int]
"""An id, and how many of the rows still to be read lie at or below it."""


def split(
    id_range: IdRange, *, rows: int, density: float, parts: int, count_above: Callable[[int], int]
) -> list[IdRange]:
    """Split what is still to be read.

    Args:
        id_range: the ids still to be read; has a lower bound, no upper one.
        rows: how many rows lie in it.
        density: rows for each id, as seen on the page before.
        parts: how many ranges are wanted.
        count_above: counts the rows of the walk above an id; called four times at most.

    Returns:
        At most `parts` ranges that together are `id_range`.
    """
    if id_range.after is None or id_range.before is not None or parts < 2 or rows < parts:  # noqa: PLR2004
        return [id_range]
    ranks = _Ranks(id_range.after, rows, density)
    wanted = [rows * part // parts for part in range(1, parts)]
    for _ in range(MAX_COUNTS):
        farthest = max(wanted, key=ranks.distance)
        guess = ranks.guess(farthest)
        if ranks.distance(farthest) <= TOLERANCE * rows / parts or ranks.knows(guess):
            break
        ranks.learn(guess, rows - count_above(guess))
    bounds = {ranks.best(rank, TOLERANCE * rows / parts) for rank in wanted}
    return _between(id_range, sorted(bounds))


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
        """Add the result of a count."""
        self._points.append((at, rank))
        self._points.sort()

    def knows(self, at: int) -> bool:
        """Tell whether an id has been counted."""
        return any(at == known for known, _ in self._points)

    def distance(self, rank: int) -> int:
        """Give the number of rows between a rank and the nearest known one."""
        return min(abs(known - rank) for _, known in self._points)

    def best(self, rank: int, tolerance: float) -> int:
        """Give the id of a rank: one that was counted where it is near enough, else a guess."""
        at, known = min(self._points, key=lambda point: abs(point[1] - rank))
        return at if abs(known - rank) <= tolerance else self.guess(rank)

    def guess(self, rank: int) -> int:
        """Give the id that a rank probably has."""
        low = max((point for point in self._points if point[1] <= rank), key=lambda p: p[::-1])
        above = [point for point in self._points if point[1] > rank]
        high = min(above) if above else self._top(low)
        share = (rank - low[1]) / max(high[1] - low[1], 1)
        return low[0] + max(int((high[0] - low[0]) * share), 1)

    def _top(self, low: Point) -> Point:
        """Guess the highest id: the ids go on from `low` as densely as they came up to it."""
        bottom = self._points[0][0]
        steep = self._ids_per_row if low[1] == 0 else (low[0] - bottom) / low[1]
        if low[1] == 0 and low[0] > bottom:
            steep = (low[0] - bottom) * 2.0  # a wide gap: go on in large steps
        return (low[0] + max(int(steep * (self._rows - low[1])), 1), self._rows)


def _between(id_range: IdRange, bounds: list[int]) -> list[IdRange]:
    """Give the ranges between the bounds; a bound belongs to the range below it."""
    inner = [at for at in bounds if id_range.holds(at)]
    if not inner:
        return [id_range]
    ranges = [replace(id_range, before=inner[0] + 1)]
    ranges += [IdRange(low, high + 1) for low, high in pairwise(inner)]
    return [*ranges, IdRange(inner[-1], id_range.before)]
