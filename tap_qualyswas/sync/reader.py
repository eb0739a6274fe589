"""Reading the searches of one stream: counted, resumed where they broke off, checked at the end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from qualyswas_ciscovm.wording import counted
from tap_qualyswas.errors import TemporaryError, TrialLicence
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.search.ahead import Ahead
from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.progress import Progress
from tap_qualyswas.search.walk import UNCOUNTED, Walk, count_all
from tap_qualyswas.sync.cursors import Cursor
from tap_qualyswas.sync.tallies import counts_agree, log_notes

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_qualyswas.errors import QualysError
    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.search.page_records import Page
    from tap_qualyswas.search.sweeps import Sweep
    from tap_qualyswas.sync.coverage import Coverage
    from tap_qualyswas.sync.cursors import Cursors, Frame
    from tap_qualyswas.sync.plan import Planner
    from tap_qualyswas.sync.tallies import Tally


FINDINGS: Final = "findings"
EMPTY_SECONDS: Final = 30
"""So long is waited before a search is made again that returned nothing of what is counted."""


def _nothing() -> None:
    """Begin nothing."""


class Collector(Protocol):
    """Learns from the rows of a stream while they are passed on."""

    def take(self, records: Sequence[Record]) -> None:
        """Look at the records of a page, before they are passed on."""

    def carried(self) -> dict[str, Any]:
        """Give what it has learned, for the cursor."""

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over what an interrupted run has learned."""


class NothingToLearn:
    """The collector for rows that are only passed on."""

    def take(self, records: Sequence[Record]) -> None:
        """Look at nothing."""

    def carried(self) -> dict[str, Any]:
        """Give nothing."""
        return {}

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over nothing."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What it takes to read a stream in one run.

    Attributes:
        client: asked for pages, counts and reports.
        planner: knows whether everything is read.
        cursors: where interrupted walks go on.
        tallies: the numbers of each selected stream.
        coverage: what nothing is proven for.
        logger: gets progress, and what was odd.
    """

    client: QualysClient
    planner: Planner
    cursors: Cursors
    tallies: Mapping[str, Tally]
    coverage: Coverage
    logger: logging.Logger

    def pages(
        self,
        stream: str,
        sweeps: Sequence[Sweep],
        frame: Frame,
        collector: Collector | None = None,
        *,
        meanwhile: Callable[[], None] = _nothing,
    ) -> Iterator[Sequence[Record]]:
        """Read the searches of a stream, and keep the state up with them page by page.

        A page must have been written when the next one is asked for.

        Args:
            stream: its name.
            sweeps: its searches.
            frame: what they read.
            collector: learns from the rows.
            meanwhile: begins what can be read at the same time, once Qualys has answered.

        Raises:
            TrialLicence: when rows are counted but none are returned.
            QualysError: when the read cannot go on.
        """
        reading = _Reading(self, stream, sweeps, frame, collector or NothingToLearn())
        reading.meanwhile = meanwhile
        return reading.pages()

    def begun(
        self, stream: str, sweeps: Sequence[Sweep], frame: Frame, collector: Collector
    ) -> Iterator[Sequence[Record]]:
        """Read as `pages` does, but count and ask for the first page from now on.

        Raises:
            QualysError: when the read cannot go on; from the first page on.
        """
        reading = _Reading(self, stream, sweeps, frame, collector)
        reading.begin()
        return reading.pages()

    def further_pages(self, stream: str, sweeps: Sequence[Sweep]) -> Iterator[Sequence[Record]]:
        """Give the pages of further searches of a stream, which no cursor keeps.

        Raises:
            QualysError: when the read cannot go on.
        """
        notes = Notes()
        for page in Walk(self.client, sweeps).pages({sweep.key: [IdRange()] for sweep in sweeps}):
            self.tallies[stream].add(page)
            notes.add(page.notes)
            yield page.records
        log_notes(notes, stream, self.logger)

    def look_up(self, sweeps: Sequence[Sweep]) -> Iterator[Record]:
        """Give the records of searches that belong to no stream.

        Raises:
            QualysError: when the read cannot go on.
        """
        return Walk(self.client, sweeps).records()


class _Reading:
    def __init__(
        self,
        reader: Reader,
        stream: str,
        sweeps: Sequence[Sweep],
        frame: Frame,
        collector: Collector,
    ) -> None:
        self._reader = reader
        self._stream = stream
        self._sweeps = sweeps
        self._frame = frame
        self._collector = collector
        self._tally = reader.tallies[stream]
        self._tally.window_start = frame.window_start
        self._walk = Walk(reader.client, sweeps)
        self._todo: dict[str, list[IdRange]] = {sweep.key: [IdRange()] for sweep in sweeps}
        self._progress = Progress(stream, None, reader.logger)
        self._is_resumed = False
        self.meanwhile = _nothing
        self._begun: Ahead[Iterator[Page]] | None = None

    def begin(self) -> None:
        self._begun = Ahead(self._with_first_page)

    def pages(self) -> Iterator[Sequence[Record]]:
        with self._progress:
            for pages in self._walks():
                for page in pages:
                    self._collector.take(page.records)
                    yield page.records
                    # It has been written when the next one is asked for: the cursor is right.
                    self._settle(page)
        self._finish()

    def _walks(self) -> Iterator[Iterator[Page]]:
        """Give the pages; and once more where none had a row, though rows are counted.

        Also an index that is being made anew returns nothing for a moment.
        """
        yield self._pages() if self._begun is None else self._begun.result()
        if self._tally.counted and not self._tally.fetched:
            self._reader.client.sleep(EMPTY_SECONDS)
            self._todo.update({sweep.key: [IdRange()] for sweep in self._sweeps})
            yield self._walk.pages(self._todo)

    def _with_first_page(self) -> Iterator[Page]:
        pages = self._pages()
        return chain(list(islice(pages, 1)), pages)

    def _pages(self) -> Iterator[Page]:
        self._resume()
        # Without the server's time, full or incremental may not be known yet; then the first page,
        # which is the same in both, comes before the count.
        if self._reader.planner.is_ready:
            self._count()
            if self._reader.client.answered:
                self.meanwhile()
            return self._walk.pages(self._todo)
        pages = self._walk.pages(self._todo)
        first = next(pages, None)
        self._count()
        return pages if first is None else chain([first], pages)

    def _resume(self) -> None:
        cursor = self._reader.cursors.find(self._stream, self._frame)
        if cursor is None:
            return
        self._is_resumed = True
        self._todo.update(
            {key: ranges for key, ranges in cursor.ranges.items() if key in self._todo}
        )
        self._collector.restore(cursor.carried)

    def _count(self) -> None:
        if self._reader.planner.plan.mode != "full" or self._is_resumed:
            return
        try:
            counts = dict(zip(self._todo, self._ask_counts(), strict=True))
        except UNCOUNTED as error:
            self._go_on_without(error)
            return
        self._walk.expected = self._tally.counted_by = counts
        self._tally.counted = self._progress.total = sum(counts.values())

    def _go_on_without(self, error: QualysError) -> None:
        """Go on without a count, unless nothing has ever been answered."""
        if isinstance(error, TemporaryError) and not self._reader.client.answered:
            raise error
        self._tally.note_uncounted(self._stream, error, self._reader.logger)

    def _ask_counts(self) -> list[int]:
        return count_all(self._reader.client, [(each.kind, each.criteria) for each in self._sweeps])

    def _settle(self, page: Page) -> None:
        self._tally.add(page)
        ranges = self._todo[page.sweep]
        at = ranges.index(page.id_range)
        ranges[at : at + 1] = page.rest
        cursor = Cursor(self._todo, self._collector.carried())
        self._reader.cursors.keep(self._stream, self._frame, cursor)
        self._progress.update(self._tally.fetched)

    def _finish(self) -> None:
        tally = self._tally
        # Findings are counted by their type and web application, when all have been read.
        if not counts_agree(tally) and not (self._stream == FINDINGS and tally.fetched):
            try:
                tally.recounted = sum(self._ask_counts())
            except UNCOUNTED as error:
                self._go_on_without(error)
            if not tally.fetched and tally.recounted:
                raise TrialLicence(self._stream, tally.recounted)
        self._reader.cursors.clear(self._stream)
        self._progress.update(tally.fetched, ended=True)
        logger = self._reader.logger
        if tally.duplicates:
            duplicates = counted(tally.duplicates, "duplicate row")
            logger.info("%s: dropped %s", self._stream, duplicates)
        log_notes(tally.notes, self._stream, logger)
