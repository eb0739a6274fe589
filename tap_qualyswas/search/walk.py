"""Walks through searches, several at a time: pages of records, with what is left to read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import AnswerTooLarge, InvalidRequest, TemporaryError
from tap_qualyswas.qualys.request_bodies import greater, service_request
from tap_qualyswas.search.ahead import together
from tap_qualyswas.search.page_records import Page, read_page
from tap_qualyswas.search.pages import IdRange, PageSize
from tap_qualyswas.search.ranges import ROWS_WORTH_SPLITTING, split
from tap_qualyswas.search.short_pages import ShortPages
from tap_qualyswas.search.sweeps import Sweep, kept_criteria
from tap_qualyswas.search.workers import WorkerPool, in_parallel

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

    from tap_qualyswas.qualys.answers import ServiceAnswer
    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Record


UNCOUNTED: Final = (InvalidRequest, TemporaryError)
"""What a count may end with. Rows can be read without it, but nothing is proven then."""
LAG_SECONDS: Final = (5, 30)
"""A count may lag behind: so long is waited before it is asked for again."""


@dataclass(frozen=True, slots=True)
class _Task:
    sweep: Sweep
    id_range: IdRange


class Walk:
    """Walk sweeps to their ends.

    Args:
        client: asked for pages and, to split long sweeps, for counts.
        sweeps: what is walked.
    """

    def __init__(self, client: QualysClient, sweeps: Sequence[Sweep]) -> None:
        self._client = client
        self._sweeps = {sweep.key: sweep for sweep in sweeps}
        self._short_pages = ShortPages()
        self._accepted: set[str] = set()
        self.expected: Mapping[str, int] = {}
        """Rows of each sweep that was counted; only those can be split into ranges."""

    def pages(self, todo: Mapping[str, Sequence[IdRange]]) -> Iterator[Page]:
        """Give the pages of what is to be read, by sweep, in the order in which they come.

        Raises:
            QualysError: the first error of a walk; no further pages come then.
        """
        tasks = [
            _Task(self._sweeps[key], id_range)
            for key, ranges in todo.items()
            for id_range in ranges
        ]
        is_long = any(rows > ROWS_WORTH_SPLITTING for rows in self.expected.values())
        workers = self._client.workers if is_long else min(self._client.workers, len(tasks))
        return in_parallel(tasks, self._work, max(workers, 1))

    def records(self) -> Iterator[Record]:
        """Give the records of all sweeps, from the first row of each to its last.

        Raises:
            QualysError: the first error of a walk; no further records come then.
        """
        pages = self.pages({key: [IdRange()] for key in self._sweeps})
        return (record for page in pages for record in page.records)

    def _work(self, task: _Task, pool: WorkerPool[_Task, Page]) -> Iterator[Page]:
        size = PageSize(task.sweep.page_size)
        whole = task.id_range == IdRange()
        left: list[IdRange] = [task.id_range]
        while left:
            page = self._page(task.sweep, left[0], size, pool.stop)
            left = list(page.rest)
            if whole and len(left) == 1:
                left = self._split(task.sweep, page, left[0])
                page = replace(page, rest=tuple(left))
            whole = False
            # The reader must know of the ranges before their pages can reach it.
            yield page
            for id_range in left[1:]:
                pool.submit(_Task(task.sweep, id_range))

    def _page(self, sweep: Sweep, id_range: IdRange, size: PageSize, stop: threading.Event) -> Page:
        asked = size.rows
        omitted = self._client.omitted(sweep.kind)

        def body() -> bytes:
            nonlocal asked
            asked = size.rows
            return _request(sweep, id_range, asked, omitted)

        def read(answer: ServiceAnswer) -> Page:
            return read_page(sweep, id_range, answer, asked, self._short_pages)

        try:
            page = self._client.search(
                sweep.kind,
                body,
                read,
                take_rows=sweep.take_rows,
                on_too_slow=size.shrink,
                stop=stop,
            )
        except InvalidRequest as refused:
            self._omit(sweep, omitted, refused)
            return self._page(sweep, id_range, size, stop)
        except AnswerTooLarge as error:
            if asked > 1:
                raise
            msg = f"The first {sweep.kind} {id_range.described()} is too large: {error}"
            raise AnswerTooLarge(msg) from None
        self._accepted.add(sweep.kind)
        size.succeed()
        return page

    def _omit(self, sweep: Sweep, omitted: frozenset[str], refused: InvalidRequest) -> None:
        """Ask without something that the search can spare; what was accepted before is not it.

        Raises:
            InvalidRequest: when there is nothing to spare.
        """
        if omitted != self._client.omitted(sweep.kind):
            return  # another worker was refused the same meanwhile
        spares = [name for name in sweep.spares if name not in omitted]
        if not spares or sweep.kind in self._accepted:
            raise refused
        named = next((name for name in spares if name in refused.reason), spares[0])
        self._client.omit(sweep.kind, named, refused)

    def _split(self, sweep: Sweep, page: Page, rest: IdRange) -> list[IdRange]:
        expected = self.expected.get(sweep.key, 0)
        parts = self._client.workers
        if expected <= ROWS_WORTH_SPLITTING or parts == 1 or page.ids is None:
            return [rest]

        def count_above(bound: int) -> int:
            return self._client.count(sweep.kind, [*sweep.criteria, greater("id", bound)])

        low, high = page.ids
        density = page.rows / max(high - low, 1)
        rows = max(expected - page.rows, 0)
        try:
            return split(rest, rows=rows, density=density, parts=parts, count_above=count_above)
        except UNCOUNTED:
            return [rest]


def _request(sweep: Sweep, id_range: IdRange, limit: int, omitted: frozenset[str]) -> bytes:
    criteria = [*kept_criteria(sweep, omitted), *id_range.criteria()]
    verbose = sweep.verbose and "verbose" not in omitted
    return service_request(criteria, limit=limit, verbose=verbose)


def count_all(client: QualysClient, asked: Sequence[tuple[str, Sequence[Criterion]]]) -> list[int]:
    """Count the rows of several searches, each given by its kind and criteria.

    Raises:
        QualysError: when one of them cannot be counted.
    """
    calls = [partial(client.count, kind, criteria) for kind, criteria in asked]
    if client.answered and client.workers > 1:
        return together(calls)
    # What a first call does wrong is not done twice at once: that may lock the account.
    return [call() for call in calls]
