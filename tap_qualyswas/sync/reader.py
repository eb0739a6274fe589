"""Reading the searches of one stream: counted, resumed where they broke off, checked at the end."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from tap_qualyswas.errors import TrialLicence
from tap_qualyswas.progress import Progress
from tap_qualyswas.search.pages import Span
from tap_qualyswas.search.walk import Walk
from tap_qualyswas.sync.tallies import counts_agree, tell_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.search.walk import Page, Sweep
    from tap_qualyswas.sync.run import Run
    from tap_qualyswas.sync.state import Frame


class Collector(Protocol):
    """What a stream wants to know of its rows, beside passing them on."""

    def take(self, records: Sequence[Record]) -> None:
        """Look at the records of a page, before they are passed on."""

    def carried(self) -> dict[str, Any]:
        """Give what the rows so far have left to be known, for the state."""

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over what an interrupted run knew."""


class Reading:
    """Read the searches of one stream in one run.

    Args:
        run: the run.
        name: of the stream.
        sweeps: its searches.
        frame: what they read.
        collector: looks at the rows.
    """

    def __init__(
        self, run: Run, name: str, sweeps: Sequence[Sweep], frame: Frame, collector: Collector
    ) -> None:
        self._run = run
        self._name = name
        self._sweeps = sweeps
        self._frame = frame
        self._collector = collector
        self._tally = run.tallies[name]
        self._tally.window_start = frame.window_start
        self._walk = Walk(run.api, sweeps)
        self._todo: dict[str, list[Span]] = {sweep.key: [Span()] for sweep in sweeps}
        self._progress = Progress(name, None, run.logger)
        self._is_resumed = False

    def records(self) -> Iterator[Record]:
        """Give every record, and keep the state up with them page by page.

        Raises:
            TrialLicence: when rows are counted but none are returned.
            QualysError: when the read cannot go on.
        """
        self._resume()
        with self._progress:
            for page in self._pages():
                self._collector.take(page.records)
                yield from page.records
                # The rows have been written when the next is asked for, and so may be the mark.
                self._settle(page)
        self._finish()

    def _pages(self) -> Iterator[Page]:
        # Without knowing the server's time, full or incremental may not be known yet; then the
        # first page, which is the same in both, comes before the count.
        if self._run.can_plan:
            self._count()
            return self._walk.pages(self._todo)
        pages = self._walk.pages(self._todo)
        first = next(pages, None)
        self._count()
        return pages if first is None else chain([first], pages)

    def _resume(self) -> None:
        mark = self._run.resume_mark(self._name, self._frame)
        if mark is None:
            return
        self._is_resumed = True
        self._todo.update({key: spans for key, spans in mark.spans.items() if key in self._todo})
        self._collector.restore(mark.carried)

    def _count(self) -> None:
        if self._run.plan.mode != "full" or self._is_resumed:
            return
        counts = {sweep.key: self._ask_count(sweep) for sweep in self._sweeps}
        self._walk.expected = counts
        self._tally.counted = self._progress.total = sum(counts.values())

    def _ask_count(self, sweep: Sweep) -> int:
        return self._run.api.count(sweep.kind, sweep.criteria)

    def _settle(self, page: Page) -> None:
        tally = self._tally
        tally.fetched += page.rows
        tally.duplicates += page.duplicates
        tally.notes.add(page.notes)
        spans = self._todo[page.sweep]
        at = spans.index(page.span)
        spans[at : at + 1] = page.rest
        self._run.keep_mark(self._name, self._frame, self._todo, self._collector.carried())
        self._progress.tell(tally.fetched)

    def _finish(self) -> None:
        tally = self._tally
        if not counts_agree(tally):
            tally.recounted = sum(self._ask_count(sweep) for sweep in self._sweeps)
            if not tally.fetched and tally.recounted:
                raise TrialLicence(self._name, tally.recounted)
        self._run.state.clear_mark(self._name)
        self._progress.tell(tally.fetched, ended=True)
        if tally.duplicates:
            self._run.logger.info(
                "%s: %d rows came twice and were dropped", self._name, tally.duplicates
            )
        tell_notes(tally.notes, self._name, self._run.logger)
