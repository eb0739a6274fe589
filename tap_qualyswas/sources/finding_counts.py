"""Are the findings that were read all that there are? Counted after the walk, and searched for.

Each type is counted up to the greatest id that was read, so what was created meanwhile takes no
part. Where that is fewer than were counted before the walk, the walk goes on from that id, as its
last page may have lost its end, and all rows of the type are counted: those that never come lie
above. What does not agree, also after a while, is looked for by web application, and those that
differ are read again. What cannot be told: a loss and a purge of equal number among the findings of
one type, while one sync reads them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.qualys.request_bodies import equals, lesser, one_of
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.sweeps import WEBAPP_ID
from tap_qualyswas.search.walk import LAG_SECONDS, UNCOUNTED, Walk, count_all
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_qualyswas.errors import QualysError
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.search.ahead import Ahead
    from tap_qualyswas.search.sweeps import Sweep
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope
    from tap_qualyswas.sync.tallies import Tally

WEBAPPS_PER_COUNT: Final = 500
LEAST_CALLS: Final = 20
SHARE_OF_WALK: Final = 10
"""One call of so many that the walk took may go into the search for what differs."""
NOBODYS: Final = "findings: a row was rejected that does not tell its web application"


class ReadFindings:
    """What was read of the findings of one sync.

    Attributes:
        pages: calls that the walk took.
    """

    def __init__(self) -> None:
        self.pages = 0
        self._rows: Counter[tuple[str, int | None]] = Counter()
        self._ids: dict[str, array[int]] = defaultdict(lambda: array("Q"))

    def add(self, records: Sequence[Record]) -> None:
        """Take note of a page."""
        self.pages += 1
        for record in records:
            kind, number = str(record["type"]), record["id"]
            app = record["webApp"]
            webapp = app.get("id") if isinstance(app, dict) else None
            self._rows[kind, webapp if isinstance(webapp, int) else None] += 1
            if isinstance(number, int):
                self._ids[kind].append(number)

    def greatest(self, kind: str) -> int:
        """Give the greatest id of a type."""
        return max(self._ids[kind], default=0)

    def ids(self, kind: str) -> array[int]:
        """Give the ids of a type, ascending."""
        return array("Q", sorted(self._ids[kind]))

    def rows(self, kind: str, webapps: Sequence[int] | None = None) -> int:
        """Count the rows of a type, of some web applications or of all."""
        if webapps is None:
            return sum(count for (one, _), count in self._rows.items() if one == kind)
        return sum(self._rows[kind, number] for number in webapps)


def settle_counts(
    reader: Reader,
    scope: Scope,
    sweeps: Sequence[Sweep],
    read: ReadFindings,
    comparing: Ahead[None],
) -> Iterator[Record]:
    """Hold what was read of a full sync against the counts, and read again what differs.

    Web applications that cannot be settled are left out of the coverage.

    Args:
        reader: asked for counts and rows.
        scope: of the run.
        sweeps: the searches that were walked.
        read: what they brought.
        comparing: that of the web applications with those that are there now; waited for before
            anything is looked for.

    Yields:
        The findings that had not come before.

    Raises:
        QualysError: when Qualys cannot be asked.
    """
    tally = reader.tallies["findings"]
    if tally.counted is None:
        return
    try:
        search = _Search(reader, scope, read)
        yield from _settled(search, tally, sweeps, comparing, reader.client.sleep)
    except _UncountedError as uncounted:
        tally.note_uncounted("findings", uncounted.cause, reader.logger)


class _UncountedError(Exception):
    """A count does not come. The rows are there all the same, so the sync goes on."""

    def __init__(self, cause: QualysError) -> None:
        super().__init__()
        self.cause = cause


def _settled(
    search: _Search,
    tally: Tally,
    sweeps: Sequence[Sweep],
    comparing: Ahead[None],
    sleep: Callable[[float], None],
) -> Iterator[Record]:
    by_kind = {str(sweep.row_type): sweep for sweep in sweeps}
    search.leave_out_rejected(tally.notes)
    counted = search.counts(list(by_kind))
    comparing.result()
    for kind in by_kind:
        if counted[kind] < _counted_before(tally, kind):
            yield from search.go_on(kind, [one for one in sweeps if one.row_type == kind])
            counted |= search.counts([kind])
    for seconds in LAG_SECONDS:
        if not search.differing(counted):
            break
        sleep(seconds)
        counted |= search.counts(search.differing(counted))
    tally.recounted = sum(counted.values())
    tally.settled = True
    for kind in search.differing(counted):
        yield from search.mend(kind, by_kind[kind], counted[kind])


def _counted_before(tally: Tally, kind: str) -> int:
    counts = tally.counted_by.items()
    return sum(count for key, count in counts if key.partition("/")[0] == kind)


class _Search:
    """Looks for the web applications whose findings differ, within a number of calls."""

    def __init__(self, reader: Reader, scope: Scope, read: ReadFindings) -> None:
        self._reader = reader
        self._scope = scope
        self._read = read
        self._calls_left = max(LEAST_CALLS, read.pages // SHARE_OF_WALK)
        self._walked_on: set[str] = set()

    def leave_out_rejected(self, notes: Notes) -> None:
        """Leave out the web applications of rows that were rejected."""
        self._reader.coverage.leave_out(one for one in notes.rejected_of if one is not None)
        gaps = self._reader.tallies["findings"].gaps
        if None in notes.rejected_of and NOBODYS not in gaps:
            gaps.append(NOBODYS)

    def _name_rejected(self, notes: Notes) -> None:
        """Name rows that were rejected, but for those that have come and been named before."""
        named = self._reader.tallies["findings"].notes
        rows = [row for row in notes.rejected_rows if row not in named.rejected_rows]
        if rows:
            fresh = Notes(rejected=len(rows), rejected_rows=rows)
            named.add(fresh)
            log_notes(fresh, "findings", self._reader.logger)

    def differing(self, counted: Mapping[str, int]) -> list[str]:
        return [kind for kind, count in counted.items() if count != self._read.rows(kind)]

    def counts(self, kinds: Sequence[str]) -> dict[str, int]:
        """Count the rows of types that should have been read."""
        scopes = self._scope.criteria(WEBAPP_ID)
        # Up to no id there are none.
        known = [kind for kind in kinds if kind in self._walked_on or self._read.greatest(kind)]
        asked = [("finding", self._criteria(kind, each)) for kind in known for each in scopes]
        found = iter(self._count_all(asked))
        return dict.fromkeys(kinds, 0) | {kind: sum(islice(found, len(scopes))) for kind in known}

    def go_on(self, kind: str, sweeps: Sequence[Sweep]) -> Iterator[Record]:
        """Read what lies above the greatest id that was read, and count without a bound then."""
        self._walked_on.add(kind)
        after = IdRange(after=self._read.greatest(kind))
        pages = Walk(self._reader.client, sweeps).pages({sweep.key: [after] for sweep in sweeps})
        for page in pages:
            self.leave_out_rejected(page.notes)
            self._name_rejected(page.notes)
            self._read.add(page.records)
            yield from page.records

    def mend(self, kind: str, sweep: Sweep, counted: int) -> Iterator[Record]:
        """Read the web applications again whose findings of a type differ from their count."""
        coverage, ids = self._reader.coverage, self._read.ids(kind)
        known, changed = _groups(coverage.read - coverage.changed), _groups(coverage.changed)
        missing = {group: self._missing(kind, group) for group in (*known, *changed)}
        of_nobody = counted - self._read.rows(kind) - sum(filter(None, missing.values()))
        if of_nobody or None in missing.values():
            gap = f"findings: {kind} rows without a web application may differ from their count"
            self._reader.tallies["findings"].gaps.append(gap)
        groups = [group for group in known if missing[group] != 0]
        while groups:
            group = groups.pop(0)
            lacking = missing[group]
            rows = self._read.rows(kind, group) + (lacking or 0)
            calls = ceil(rows / sweep.page_size) + 1
            if lacking is None or (len(group) == 1 and self._calls_left < calls):
                coverage.leave_out(group)
            elif len(group) == 1:
                yield from self._read_again(kind, group[0], sweep, ids)
            else:
                halves = group[: len(group) // 2], group[len(group) // 2 :]
                missing |= {half: self._missing(kind, half) for half in halves}
                groups += [half for half in halves if missing[half] != 0]

    def _missing(self, kind: str, group: Sequence[int]) -> int | None:
        """Count how many rows of web applications are missing; None when no call is left for it."""
        if self._calls_left <= 0:
            return None
        self._calls_left -= 1
        asked = self._criteria(kind, (one_of(WEBAPP_ID, group),))
        return self._count_all([("finding", asked)])[0] - self._read.rows(kind, group)

    def _read_again(
        self, kind: str, webapp: int, sweep: Sweep, ids: array[int]
    ) -> Iterator[Record]:
        asked = (equals(WEBAPP_ID, webapp),)
        again = replace(
            sweep, key=f"{kind}/again/{webapp}", criteria=(equals("type", kind), *asked)
        )
        found = 0
        try:
            for page in Walk(self._reader.client, [again]).pages({again.key: [IdRange()]}):
                self._calls_left -= 1
                self._name_rejected(page.notes)
                found += len(page.records)
                yield from (record for record in page.records if not _holds(ids, record["id"]))
        except BrokenAnswer as broken:  # such as from a server that knows no such criterion
            self._reader.logger.warning("findings: cannot look for what differs. %s", broken)
            self._calls_left = 0
            self._reader.coverage.leave_out([webapp])
            return
        self._calls_left -= 1
        if self._count_all([("finding", again.criteria)]) != [found]:
            self._reader.coverage.leave_out([webapp])

    def _count_all(self, asked: Sequence[tuple[str, tuple[Criterion, ...]]]) -> list[int]:
        try:
            return count_all(self._reader.client, asked)
        except UNCOUNTED as cause:
            raise _UncountedError(cause) from None

    def _criteria(self, kind: str, asked: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        bound = () if kind in self._walked_on else (lesser("id", self._read.greatest(kind) + 1),)
        return (equals("type", kind), *asked, *bound)


def _groups(webapps: Iterable[int]) -> list[tuple[int, ...]]:
    ids = sorted(webapps)
    return [tuple(ids[at : at + WEBAPPS_PER_COUNT]) for at in range(0, len(ids), WEBAPPS_PER_COUNT)]


def _holds(ids: array[int], number: object) -> bool:
    if not isinstance(number, int):
        return False
    at = bisect_left(ids, number)
    return at < len(ids) and ids[at] == number
