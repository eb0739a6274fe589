"""Long walks are cut into ranges of about equal count, by four counts at most."""

from __future__ import annotations

from bisect import bisect_right
from random import Random
from typing import TYPE_CHECKING

import pytest

from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.ranges import MAX_COUNTS, split

if TYPE_CHECKING:
    from collections.abc import Callable


def clustered(random: Random, number: int) -> list[int]:
    """Ids as they grow in reality: bursts of scans with gaps between."""
    ids: list[int] = []
    at = 10_000_000
    while len(ids) < number:
        at += random.randint(1, 500_000)
        for _ in range(min(random.randint(1, 4000), number - len(ids))):
            at += random.choice((1, 2, 2, 2, 8))
            ids.append(at)
    return ids


SHAPES: dict[str, Callable[[Random], list[int]]] = {
    "even": lambda _: list(range(500_000, 600_000, 2)),
    "dense": lambda _: list(range(1, 50_001)),
    "clustered": lambda random: clustered(random, 50_000),
    "sparse tail": lambda _: [*range(40_000), *range(1_000_000, 2_000_000_000, 199_900)],
    "sparse head": lambda _: [
        *range(0, 2_000_000_000, 199_900),
        *range(2_000_000_000, 2_000_040_000),
    ],
}


@pytest.mark.parametrize("parts", [2, 3, 8])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_ranges_hold_every_row_once_and_are_of_like_size(shape: str, parts: int, seed: int) -> None:
    ids = SHAPES[shape](Random(seed))
    page, left = ids[:1000], ids[1000:]
    calls = 0

    def count_above(bound: int) -> int:
        nonlocal calls
        calls += 1
        return len(ids) - bisect_right(ids, bound)

    ranges = split(
        IdRange(after=page[-1]),
        rows=len(left),
        density=len(page) / (page[-1] - page[0]),
        parts=parts,
        count_above=count_above,
    )

    held = [sum(id_range.holds(row) for row in left) for id_range in ranges]
    assert sum(held) == len(left)
    assert all(
        sum(id_range.holds(row) for id_range in ranges) == 1 for row in left[:: len(left) // 97]
    )
    assert calls <= MAX_COUNTS
    assert len(ranges) <= parts
    if shape in {"even", "dense"}:
        assert len(ranges) == parts
        assert max(held) < 1.5 * len(left) / parts
    if shape == "clustered" and parts <= 3:
        assert max(held) < 0.8 * len(left)


@pytest.mark.parametrize(
    ("id_range", "parts", "rows"),
    [
        (IdRange(), 2, 9),
        (IdRange(1, 9), 2, 9),
        (IdRange(1), 1, 9),
        (IdRange(1), 2, 1),
        (IdRange(before=9), 2, 9),
    ],
)
def test_what_cannot_be_cut_stays_whole(id_range: IdRange, parts: int, rows: int) -> None:
    def count_above(bound: int) -> int:
        raise AssertionError(bound)

    assert split(id_range, rows=rows, density=1.0, parts=parts, count_above=count_above) == [
        id_range
    ]
