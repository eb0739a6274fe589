"""The rows of a page: found by bisection of ids, and by testing each row."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from tests.sandbox.qualys.search.criteria import (
    EQUALS,
    GREATER,
    IN,
    LESSER,
    Criterion,
    Field,
    predicate,
)
from tests.sandbox.world.population import by_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tests.sandbox.qualys.search.service_request import ServiceRequest


class HasId(Protocol):
    """A row that can be found by its id."""

    id: int


Row = TypeVar("Row", bound=HasId)
_LAST: Final = 2**63


@dataclass
class Query(Generic[Row]):
    """The criteria of one request, taken apart: an id window, and tests for the rest."""

    low: int = -_LAST
    high: int = _LAST
    ids: list[int] | None = None
    kinds: frozenset[str] | None = None
    tests: list[Callable[[Row], bool]] = field(default_factory=list)

    def select(self, sources: Mapping[str, Sequence[Row]], *, descending: bool) -> Iterator[Row]:
        """Go through the matching rows of all sources, in order of id."""
        chosen = [
            self._window(rows, descending=descending)
            for kind, rows in sources.items()
            if self.kinds is None or kind in self.kinds
        ]
        rows = chosen[0] if len(chosen) == 1 else merge(*chosen, key=by_id, reverse=descending)
        for row in rows:
            if all(test(row) for test in self.tests):
                yield row

    def count(self, sources: Mapping[str, Sequence[Row]]) -> int:
        """Return how many rows match."""
        if self.tests or self.ids is not None:
            return sum(1 for _ in self.select(sources, descending=False))
        chosen = [rows for kind, rows in sources.items() if not self.kinds or kind in self.kinds]
        return sum(max(0, high - low) for low, high in map(self._bounds, chosen))

    def _bounds(self, rows: Sequence[Row]) -> tuple[int, int]:
        return (
            bisect_right(rows, self.low, key=by_id),
            bisect_left(rows, self.high, key=by_id),
        )

    def _window(self, rows: Sequence[Row], *, descending: bool) -> Iterable[Row]:
        low, high = self._bounds(rows)
        if self.ids is not None:
            found = self._by_ids(rows, low, high)
            return reversed(found) if descending else found
        if descending:
            return (rows[place] for place in range(high - 1, low - 1, -1))
        return islice(_from(rows, low), max(0, high - low))

    def _by_ids(self, rows: Sequence[Row], low: int, high: int) -> list[Row]:
        found: list[Row] = []
        for one in sorted(set(self.ids or ())):
            place = bisect_left(rows, one, key=by_id)
            if low <= place < high and rows[place].id == one:
                found.append(rows[place])
        return found


def _from(rows: Sequence[Row], low: int) -> Iterator[Row]:
    """Go through a long list from a place on, without reading what comes before."""
    return (rows[place] for place in range(low, len(rows)))


def compile_query(
    fields: Mapping[str, Field[Row]],
    request: ServiceRequest,
    *,
    by_type: bool = False,
    bare_dates: bool = True,
) -> Query[Row]:
    """Check every criterion of a request and turn them into a query.

    `by_type` tells that the rows come in one source for each type, as findings do.

    Raises:
        RefusalError: for the first one that Qualys would refuse.
    """
    query: Query[Row] = Query()
    if request.from_id is not None:
        query.low = request.from_id - 1
    for criterion in request.criteria:
        test = predicate(fields, criterion, bare_dates=bare_dates)
        if not _narrow(query, criterion, by_type=by_type):
            query.tests.append(test)
    return query


def _narrow(query: Query[Any], criterion: Criterion, *, by_type: bool) -> bool:
    """Narrow the window by a criterion on `id` or `type`; False if rows must be tested instead."""
    if (by_type and not query.kinds) and (criterion.field, criterion.operator) == ("type", EQUALS):
        query.kinds = frozenset({criterion.value.strip()})
        return True
    if criterion.field != "id" or criterion.operator not in {GREATER, LESSER, EQUALS, IN}:
        return False
    if criterion.operator == GREATER:
        query.low = max(query.low, int(criterion.value))
    elif criterion.operator == LESSER:
        query.high = min(query.high, int(criterion.value))
    elif query.ids is None:
        query.ids = [int(one) for one in criterion.value.split(",")]
    else:
        return False
    return True
