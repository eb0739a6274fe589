"""Walking by id: each row once, an end for every ending, never a circle."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tap_qualyswas.errors import PagingStuck
from tap_qualyswas.search.pages import IdRange, PageSize, check_page

FIRST = IdRange()


def test_the_next_page_begins_after_the_last_row() -> None:
    step = check_page(FIRST, [7001, 7002], more=True, last_id=7002, limit=2)

    assert step.rest == (IdRange(after=7002),)
    assert [(c.field, c.operator, c.value) for c in IdRange(7002).criteria()] == [
        ("id", "GREATER", "7002")
    ]


def test_both_bounds_of_a_range_are_asked_for() -> None:
    assert [(c.operator, c.value) for c in IdRange(5, 9).criteria()] == [
        ("GREATER", "5"),
        ("LESSER", "9"),
    ]


@pytest.mark.parametrize(
    ("ids", "more", "limit", "goes_on"),
    [
        ([1, 2], False, 2, False),
        ([1, 2], True, 2, True),
        ([1], True, 2, True),
        ([1], True, 1, True),
        ([1, 2], None, 2, True),
        ([1], None, 2, False),
        ([], None, 2, False),
        ([], False, 2, False),
    ],
)
def test_every_ending(ids: list[int], more: bool | None, limit: int, goes_on: bool) -> None:
    step = check_page(FIRST, ids, more=more, last_id=None, limit=limit)

    assert bool(step.rest) is goes_on


@pytest.mark.parametrize(("last_id", "goes_on"), [(7002, True), (None, False)])
def test_a_last_id_says_that_there_is_more_where_nothing_else_does(
    last_id: int | None, goes_on: bool
) -> None:
    step = check_page(FIRST, [7001, 7002], more=None, last_id=last_id, limit=9)

    assert step.rest == ((IdRange(after=7002),) if goes_on else ())


@pytest.mark.parametrize(
    ("ids", "last_id"), [([], None), ([], 7002), ([7002], 7002), ([7001, 7002], None)]
)
def test_more_without_anything_new_is_an_error(ids: list[int], last_id: int | None) -> None:
    with pytest.raises(PagingStuck, match="brought nothing new"):
        check_page(IdRange(7002), ids, more=True, last_id=last_id, limit=2)


def test_rows_at_or_below_the_cursor_are_duplicates() -> None:
    step = check_page(IdRange(7002), [7002, 7003], more=False, last_id=None, limit=2)

    assert step.fresh == (False, True)


def test_a_row_that_comes_twice_in_a_page_is_a_duplicate() -> None:
    assert check_page(FIRST, [1, 2, 2], more=False, last_id=None, limit=9).fresh == (
        True,
        True,
        False,
    )


def test_a_last_page_may_come_in_any_order() -> None:
    assert check_page(FIRST, [3, 1, 2], more=False, last_id=None, limit=9).fresh == (True,) * 3


def test_descending_rows_are_walked_downwards() -> None:
    step = check_page(FIRST, [9, 7, 5], more=True, last_id=5, limit=3)

    assert step.rest == (IdRange(before=5),)


def test_a_first_page_of_one_row_tells_no_direction_so_both_are_walked() -> None:
    step = check_page(FIRST, [5], more=True, last_id=5, limit=1)

    assert step.rest == (IdRange(after=5), IdRange(before=5))


def test_a_later_page_of_one_row_goes_on_as_the_walk_began() -> None:
    assert check_page(IdRange(5), [7], more=True, last_id=7, limit=1).rest == (IdRange(after=7),)
    assert check_page(IdRange(5, 90), [7], more=True, last_id=7, limit=1).rest == (IdRange(7, 90),)
    assert check_page(IdRange(None, 5), [3], more=True, last_id=3, limit=1).rest == (
        IdRange(before=3),
    )


def test_rows_without_order_cannot_be_walked() -> None:
    with pytest.raises(PagingStuck, match="not in the order of their ids"):
        check_page(FIRST, [5, 9, 7], more=True, last_id=7, limit=3)


def test_only_the_servers_cursor_passes_a_last_row_without_id() -> None:
    assert check_page(FIRST, [5, None], more=True, last_id=6, limit=2).rest == (IdRange(after=6),)
    assert check_page(FIRST, [None, None], more=True, last_id=6, limit=2).rest == (
        IdRange(after=6),
    )


def test_the_servers_cursor_cannot_skip_rows() -> None:
    assert check_page(FIRST, [5, 6], more=True, last_id=900, limit=2).rest == (IdRange(after=6),)


def test_a_row_without_id_is_kept_to_be_counted() -> None:
    assert check_page(FIRST, [None], more=False, last_id=None, limit=2).fresh == (True,)


@pytest.mark.parametrize("value", [[None, None], [5, None], [None, 9], [5, 9]])
def test_a_span_survives_the_state(value: list[int | None]) -> None:
    assert IdRange.from_state(value).as_state() == value


@pytest.mark.parametrize(
    "value", [None, [], [1], [1, 2, 3], ["1", None], [True, None], {}, 5, [-1, 5], [5, 2**63]]
)
def test_a_damaged_span_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not a range"):
        IdRange.from_state(value)


IDS = st.sets(st.integers(1, 2**62), max_size=60)


@given(
    ids=IDS,
    limit=st.integers(1, 9),
    descending=st.booleans(),
    tells_more=st.booleans(),
    tells_last=st.booleans(),
    repeats=st.booleans(),
)
def test_a_walk_gives_each_row_once_and_ends(
    *,
    ids: set[int],
    limit: int,
    descending: bool,
    tells_more: bool,
    tells_last: bool,
    repeats: bool,
) -> None:
    """The server as documented, with all that it may leave out or do in addition."""
    # A full page of old rows that does not tell of more is an endless loop, or an end: who knows.
    assume(limit > 1 or tells_more or not repeats)
    todo: list[IdRange] = [FIRST]
    ranges: list[IdRange] = []
    found: list[int] = []
    while todo:
        id_range = todo.pop()
        ranges.append(id_range)
        left = sorted((i for i in ids if id_range.holds(i)), reverse=descending)
        rows = left[:limit]
        more = len(left) > len(rows)
        shown = [*found[-1:], *rows] if repeats else rows
        step = check_page(
            id_range,
            shown,
            more=more if tells_more else None,
            last_id=rows[-1] if tells_last and more else None,
            limit=limit,
        )
        found += [row for row, fresh in zip(shown, step.fresh, strict=True) if fresh]
        todo += step.rest

    assert sorted(found) == sorted(ids)
    assert all(before != after for before, after in pairwise(ranges))


def test_pages_shrink_when_they_are_slow_and_grow_back() -> None:
    size = PageSize(1000)

    for expected in (500, 250, 125, 62, 31, 15, 7, 3, 1):
        assert size.shrink()
        assert size.rows == expected
    assert not size.shrink()
    for _ in range(3):
        size.succeed()

    assert size.rows == 2
    for _ in range(60):
        size.succeed()
    assert size.rows == 1000


@pytest.mark.parametrize("largest", [1, 2, 4, 15, 1000])
def test_a_page_shrinks_to_one_row_and_never_to_nothing(largest: int) -> None:
    size = PageSize(largest)

    for _ in range(20):
        size.shrink()

    assert size.rows == 1
