"""Cutting a long walk into id ranges of about equal count, by few count calls.

Ids are not evenly spread, but evenly enough within stretches: between two ids whose ranks are
known, the id of a rank in between is guessed by a straight line, and a count tells its true rank.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tap_qualyswas.paging import Span

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS_WORTH_CUTTING: Final = 20_000
MAX_COUNTS: Final = 4
TOLERANCE: Final = 0.15
"""How far, as a share of the whole, a cut may lie beside where it was wanted."""

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
    bottom = span.after
    points: list[Point] = [(bottom, 0)]
    guess_of_top = bottom + max(int(rows / max(density, 1e-9)), parts)
    calls = 0
    cuts: list[int] = []
    for part in range(1, parts):
        wanted = rows * part // parts
        while calls < MAX_COUNTS and _misses(points, wanted, rows):
            guess = _guess(points, wanted, rows, guess_of_top)
            if any(guess == known for known, _ in points):
                break
            calls += 1
            points = sorted([*points, (guess, rows - count_above(guess))])
        cuts.append(_best(points, wanted, rows, guess_of_top))
    return _spans(span, sorted(set(cuts)))


def _misses(points: list[Point], wanted: int, rows: int) -> bool:
    return all(abs(rank - wanted) > TOLERANCE * rows for _, rank in points)


def _best(points: list[Point], wanted: int, rows: int, top: int) -> int:
    near = min(points, key=lambda point: abs(point[1] - wanted))
    if abs(near[1] - wanted) <= TOLERANCE * rows:
        return near[0]
    return _guess(points, wanted, rows, top)


def _guess(points: list[Point], wanted: int, rows: int, top: int) -> int:
    """Give the id at which the `wanted`-th row is thought to lie."""
    low = max((point for point in points if point[1] <= wanted), key=lambda point: point[1])
    above = [point for point in points if point[1] > wanted]
    if above:
        high = min(above, key=lambda point: (point[1], point[0]))
    elif low[0] < top:
        high = (top, rows)
    else:
        # The guess of the highest id was too low: go on as steeply as so far.
        first = points[0]
        steep = (low[0] - first[0]) / max(low[1] - first[1], 1)
        high = (low[0] + max(int(steep * (rows - low[1])), 1), rows)
    share = (wanted - low[1]) / max(high[1] - low[1], 1)
    return low[0] + max(int((high[0] - low[0]) * share), 1)


def _spans(span: Span, cuts: list[int]) -> list[Span]:
    """Give the ranges between the cuts; a cut belongs to the range below it."""
    inner = [at for at in cuts if span.holds(at)]
    if not inner:
        return [span]
    spans = [replace(span, before=inner[0] + 1)]
    spans += [Span(low, high + 1) for low, high in pairwise(inner)]
    return [*spans, Span(inner[-1], span.before)]
