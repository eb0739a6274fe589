"""Walks through searches, several at a time: pages of records, with what is left to read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import cut
from tap_qualyswas.errors import (
    AnswerTooLarge,
    BrokenAnswer,
    InvalidRequest,
    PagingStuck,
    TemporaryError,
)
from tap_qualyswas.qualys.request_bodies import greater, service_request
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.shapes import Rejected, row_id, webapp_of
from tap_qualyswas.search.ahead import together
from tap_qualyswas.search.pages import IdRange, PageSize, check_page
from tap_qualyswas.search.ranges import ROWS_WORTH_SPLITTING, split
from tap_qualyswas.search.workers import WorkerPool, in_parallel

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_qualyswas.qualys.answers import ServiceAnswer
    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.parsing import Element


UNCOUNTED: Final = (InvalidRequest, TemporaryError)
"""What a count may end with. Rows can be read without it, but nothing is proven then."""
ROWS: Final = {"webapp": "WebApp", "wasscan": "WasScan", "finding": "Finding", "tag": "Tag"}
"""What the rows of a search are called, by its kind."""
LAG_SECONDS: Final = (5, 30)
"""A count may lag behind: so long is waited before it is asked for again."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One search, walked from its first row to its last.

    Attributes:
        key: its name within the stream, the same in each run.
        kind: `webapp`, `wasscan`, `finding` or `tag`.
        criteria: what is asked for, paging aside.
        read: makes a record of a row.
        page_size: rows of a page.
        verbose: whether rows come with details.
        row_type: what `type` must be in each row, None for any or none.
        spares: what it is asked without where Qualys refuses it: `verbose`, or fields of criteria.
    """

    key: str
    kind: str
    criteria: tuple[Criterion, ...]
    read: Callable[[Element, Notes], Record]
    page_size: int
    verbose: bool
    row_type: str | None = None
    spares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one page.

    Attributes:
        sweep: key of the sweep.
        id_range: what was asked for.
        rest: what is still to be read of it; nothing at its end, several ranges after a split.
        records: its records.
        rows: rows that came for the first time, rejected ones too.
        duplicates: rows that had come before and were dropped.
        notes: what was odd.
        ids: lowest and highest id of the page; None for a page without one.
    """

    sweep: str
    id_range: IdRange
    rest: tuple[IdRange, ...]
    records: list[Record]
    rows: int
    duplicates: int
    notes: Notes
    ids: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Task:
    sweep: Sweep
    id_range: IdRange


class ShortPages:
    """Pages with fewer rows than were asked for, though the answer says that there are more.

    A server with a limit of its own sends as many again; a page that was cut does not. So it is
    with pages that hold nothing at all, not even how many rows they have, and with those that a
    walk cannot go on from.
    """

    def __init__(self) -> None:
        self._bare: set[tuple[str, IdRange]] = set()
        self._stuck: set[tuple[str, IdRange]] = set()
        self._limits: dict[str, int] = {}
        self._last: dict[tuple[str, IdRange], int] = {}

    def check(self, sweep: Sweep, id_range: IdRange, rows: int, asked: int) -> None:
        """Let a full page pass, and a short one that came twice with as many rows.

        Raises:
            BrokenAnswer: when a short page came for the first time.
        """
        if rows >= asked or self._limits.get(sweep.kind) == rows:
            return
        if self._last.get((sweep.key, id_range)) == rows:
            self._limits[sweep.kind] = rows
            return
        self._last[sweep.key, id_range] = rows
        msg = f"Qualys sent {rows:,} of {asked:,} rows, and says that there are more."
        raise BrokenAnswer(msg)

    def check_bare(self, sweep: Sweep, id_range: IdRange) -> None:
        """Let a page that holds nothing pass when it comes again.

        Raises:
            BrokenAnswer: when it came for the first time.
        """
        if (sweep.key, id_range) not in self._bare:
            self._bare.add((sweep.key, id_range))
            msg = "Qualys sent a page without rows that does not say that there are none."
            raise BrokenAnswer(msg)

    def check_stuck(self, sweep: Sweep, id_range: IdRange) -> None:
        """Let a page end a walk that cannot go on from it, when it comes again.

        Raises:
            BrokenAnswer: when it came for the first time.
        """
        if (sweep.key, id_range) not in self._stuck:
            self._stuck.add((sweep.key, id_range))
            msg = f"Qualys sent a page {id_range.described()} that no other can follow."
            raise BrokenAnswer(msg)


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
            page = self._client.search(sweep.kind, body, read, on_too_slow=size.shrink, stop=stop)
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


def kept_criteria(sweep: Sweep, omitted: frozenset[str]) -> list[Criterion]:
    """Give the criteria of a search that are asked for, where Qualys has refused others."""
    return [each for each in sweep.criteria if each.field not in omitted & {*sweep.spares}]


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


def read_page(
    sweep: Sweep, id_range: IdRange, answer: ServiceAnswer, asked: int, short_pages: ShortPages
) -> Page:
    """Make records of the rows of an answer.

    Args:
        sweep: what is walked.
        id_range: what was asked for.
        answer: a page.
        asked: rows that were asked for.
        short_pages: those that came before; changed here.

    Raises:
        BrokenAnswer: when the rows are missing, or not of the type that was asked for.
        PagingStuck: when the walk does not advance.
    """
    rows = list(answer.rows)
    if not rows and (answer.more or answer.count):
        # To go on after `lastId` would skip rows that have not been read.
        msg = "Qualys announced rows in a page that holds none."
        raise BrokenAnswer(msg)
    if not rows and answer.count is None:
        short_pages.check_bare(sweep, id_range)
    _check_kind(sweep, rows)
    notes = Notes(replaced=answer.replaced)
    records, ids = _read_rows(sweep, rows, notes)
    _check_answer(answer, ids)
    _check_place(answer, id_range, ids)
    if answer.more:
        short_pages.check(sweep, id_range, len(ids), asked)
    try:
        step = check_page(id_range, ids, more=answer.more, last_id=answer.last_id, limit=asked)
    except PagingStuck:
        short_pages.check_stuck(sweep, id_range)
        raise
    if not all(step.fresh):  # what is odd in duplicates has been noted before
        notes = Notes(replaced=answer.replaced)
        records, _ = _read_rows(sweep, compress(rows, step.fresh), notes)
    _check_last_id(answer, ids)
    known = [row_id for row_id in ids if row_id is not None]
    return Page(
        sweep=sweep.key,
        id_range=id_range,
        rest=step.rest,
        records=records,
        rows=sum(step.fresh),
        duplicates=len(rows) - sum(step.fresh),
        notes=notes,
        ids=(min(known), max(known)) if known else None,
    )


def _check_kind(sweep: Sweep, rows: Sequence[Element]) -> None:
    """Refuse the page of another search, such as a proxy that mixes answers up may send.

    Raises:
        BrokenAnswer: when a row is of another kind.
    """
    name = ROWS[sweep.kind]
    foreign = next((str(row.tag) for row in rows if row.tag != name), None)
    if foreign is not None:
        msg = f"Qualys sent a row {cut(foreign, 40)} in a search for {name}."
        raise BrokenAnswer(msg)


def _read_rows(
    sweep: Sweep, rows: Iterable[Element], notes: Notes
) -> tuple[list[Record], list[int | None]]:
    """Give the records of rows, and the id of each row; None where it has no readable one."""
    records: list[Record] = []
    ids: list[int | None] = []
    for row in rows:
        try:
            record = sweep.read(row, notes)
            _check_type(record, sweep)
        except Rejected as rejected:
            ids.append(row_id(row))
            notes.reject(str(rejected), webapp_of(row))
            continue
        known = number if isinstance(number := record["id"], int) and number > 0 else None
        ids.append(known)
        if known is None:
            notes.reject(f"a row of {sweep.key} has no id", webapp_of(row))
        else:
            records.append(record)
    return (records, ids)


def _check_answer(answer: ServiceAnswer, ids: Sequence[int | None]) -> None:
    """Hold what a page says of itself against its rows: one that was cut off in between lies.

    Raises:
        BrokenAnswer: when they do not agree.
    """
    if answer.count is not None and answer.count != len(ids):
        msg = f"Qualys sent {len(ids):,} rows in a page that says it has {answer.count:,}."
        raise BrokenAnswer(msg)


def _check_place(answer: ServiceAnswer, id_range: IdRange, ids: Sequence[int | None]) -> None:
    """Refuse a last page from elsewhere, with which the walk would end before its end.

    Raises:
        BrokenAnswer: when no row is of those that were asked for, as in a page that came before.
    """
    known = {row_id for row_id in ids if row_id is not None}
    is_elsewhere = not any(map(id_range.holds, known)) and not id_range.is_bound_by(known)
    if known and not answer.more and is_elsewhere:
        msg = f"Qualys sent rows up to id {max(known)} in place of those {id_range.described()}."
        raise BrokenAnswer(msg)


def _check_last_id(answer: ServiceAnswer, ids: Sequence[int | None]) -> None:
    known = [row_id for row_id in ids if row_id is not None]
    # Rows ascend as far as was ever seen; in a page that descends the last id is the lowest.
    if answer.last_id is not None and known and answer.last_id not in (max(known), ids[-1]):
        msg = f"Qualys names {answer.last_id} as the last id of a page that ends with {known[-1]}."
        raise BrokenAnswer(msg)


def _check_type(record: Record, sweep: Sweep) -> None:
    """Refuse a row without a type, whose id says nothing, and a page of another type.

    Raises:
        BrokenAnswer: when the row is of another type.
        Rejected: when it does not tell its type.
    """
    if sweep.row_type is None or (found := record["type"]) == sweep.row_type:
        return
    if found is None:
        msg = f"{sweep.kind} {record['id']}: it has no type"
        raise Rejected(msg)
    msg = f"Qualys sent a row of type {str(found)[:40]} in a search for {sweep.row_type}."
    raise BrokenAnswer(msg)
