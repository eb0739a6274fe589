"""The pages of a search, walked by id in pure steps.

What is still to be read is an open interval of ids, an `IdRange`. A page shrinks it from below when
its rows ascend (as they always did when seen), from above when they descend; Qualys documents
neither. So the cursor, the bounds of a range and the guard against loops are one and the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import PagingStuck
from tap_qualyswas.qualys.request_bodies import greater, lesser
from tap_qualyswas.records.fields import LARGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_qualyswas.qualys.request_bodies import Criterion

PAGES_BEFORE_GROWING: Final = 3


@dataclass(frozen=True, slots=True)
class IdRange:
    """Ids still to be read: above `after` and below `before`, both exclusive; None is no bound."""

    after: int | None = None
    before: int | None = None

    def criteria(self) -> list[Criterion]:
        """Give the conditions that ask for these ids, in addition to those of the user."""
        bounds: list[Criterion] = []
        if self.after is not None:
            bounds.append(greater("id", self.after))
        if self.before is not None:
            bounds.append(lesser("id", self.before))
        return bounds

    def holds(self, row_id: int) -> bool:
        """Tell whether an id lies in it."""
        return (self.after is None or row_id > self.after) and (
            self.before is None or row_id < self.before
        )

    def is_bound_by(self, row_ids: Collection[int]) -> bool:
        """Tell whether ids are its bounds alone, as a page may begin with one."""
        return {*row_ids} <= {self.after, self.before}

    def described(self) -> str:
        """Tell where it lies, for a message."""
        before = "" if self.before is None else f" and before {self.before}"
        return f"after id {self.after or 0}{before}"

    def as_state(self) -> list[int | None]:
        """Give the form in which the state keeps it."""
        return [self.after, self.before]

    @classmethod
    def from_state(cls, value: object) -> IdRange:
        """Read the form that the state keeps.

        Raises:
            ValueError: when it is not of that form.
        """
        if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004 - after and before
            after, before = value
            if all(
                bound is None or (type(bound) is int and 0 <= bound <= LARGEST) for bound in value
            ):
                return cls(after, before)
        msg = f"not a range of ids: {value!r}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Step:
    """What one page means for the walk.

    Attributes:
        fresh: for each row, whether it is to be kept; the others are duplicates.
        rest: what is still to be read: nothing at the end, two ranges after a first page of one
            row, which does not show whether rows ascend.
    """

    fresh: tuple[bool, ...]
    rest: tuple[IdRange, ...]


def check_page(
    id_range: IdRange,
    ids: Sequence[int | None],
    *,
    more: bool | None,
    last_id: int | None,
    limit: int,
) -> Step:
    """Check one page.

    Args:
        id_range: what was asked for.
        ids: id of each row in the order of the page, None for an unreadable one.
        more: `hasMoreRecords`; when it is missing, a full page means yes, and a `lastId` too.
        last_id: `lastId` of the answer, which only pages have that others follow.
        limit: rows that were asked for.

    Raises:
        PagingStuck: when more rows are announced, but the walk does not advance or cannot know
            where to go on.
    """
    if more is None:
        more = len(ids) >= limit or (last_id is not None and bool(ids))
    return Step(_fresh(id_range, ids), _rest(id_range, ids, last_id) if more else ())


def _fresh(id_range: IdRange, ids: Sequence[int | None]) -> tuple[bool, ...]:
    known = {row_id for row_id in ids if row_id is not None}
    if len(known) == len(ids) > 0 and all(map(id_range.holds, (min(known), max(known)))):
        return (True,) * len(ids)
    seen: set[int] = set()
    fresh: list[bool] = []
    for row_id in ids:
        fresh.append(row_id is None or (row_id not in seen and id_range.holds(row_id)))
        if row_id is not None:
            seen.add(row_id)
    return tuple(fresh)


def _rest(id_range: IdRange, ids: Sequence[int | None], last_id: int | None) -> tuple[IdRange, ...]:
    known = [row_id for row_id in ids if row_id is not None and id_range.holds(row_id)]
    # The id of the last row may be unreadable; then only lastId tells where to go on.
    if last_id is not None and id_range.holds(last_id) and (not known or ids[-1] is None):
        known.append(last_id)
    if not known:
        msg = (
            f"Qualys announces more rows, but the page after id {id_range.after or 0} brought "
            "nothing new. The sync stopped, as it would never end. Start again later."
        )
        raise PagingStuck(msg)
    if id_range == IdRange() and len(ids) == 1 and ids[0] is not None:
        return (IdRange(after=known[0]), IdRange(before=known[0]))
    if known == sorted(known):
        # A page of one row goes on as the walk began: upwards, unless it has come from above.
        downwards = len(known) == 1 and id_range.after is None and id_range.before is not None
        if downwards:
            return (replace(id_range, before=known[0]),)
        return (replace(id_range, after=known[-1]),)
    if known == sorted(known, reverse=True):
        return (replace(id_range, before=known[-1]),)
    msg = (
        f"Qualys sent a page after id {id_range.after or 0} whose rows are not in the order of "
        "their ids, so the next page cannot be asked for. Please report this."
    )
    raise PagingStuck(msg)


class PageSize:
    """Rows to ask for: halved when a page is too slow or too large, then growing back.

    Args:
        largest: rows of a page while all goes well.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._good = 0
        self.rows = largest

    def shrink(self) -> bool:
        """Ask for half from now on; False when one row is asked for already."""
        self._good = 0
        if self.rows == 1:
            return False
        self.rows //= 2
        return True

    def lower(self) -> bool:
        """Ask for half from now on, and never for more again; False for one row."""
        self._largest = max(self.rows // 2, 1)
        return self.shrink()

    def succeed(self) -> None:
        """Note a page that came: after three in a row, twice as many rows are asked for."""
        self._good += 1
        if self._good >= PAGES_BEFORE_GROWING and self.rows < self._largest:
            self.rows = min(self.rows * 2, self._largest)
            self._good = 0
