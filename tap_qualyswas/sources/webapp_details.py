"""Details of single web applications, where a search does not tell them: a call for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from qualyswas_ciscovm.wording import counted
from tap_qualyswas.errors import BrokenAnswer, cause_of
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.shapes import row_id
from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.workers import WorkerPool, in_parallel
from tap_qualyswas.sources.in_a_row import InARow
from tap_qualyswas.sources.report_downloads import OF_ANY, OF_ONE_REPORT
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_qualyswas.errors import QualysError
    from tap_qualyswas.qualys.answers import ServiceAnswer
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.reader import Reader

COST: Final = (
    "webapp_details is on, which takes %s to Qualys: one for each web application. Switch it off "
    "if the search tells what you need."
)
GIVEN_UP: Final = (
    "webapps: %s in a row could not be read on their own (%s). Going on without their details."
)


class Detailed(NamedTuple):
    """The details of one web application, or why they could not be had."""

    number: int
    details: Record | None
    notes: Notes
    error: QualysError | None = None


class WebappDetails:
    """Completes the rows of each page by the web applications' own records.

    A row whose details cannot be had stays as the search gave it.

    Args:
        reader: what they are read with.
        total: gives the number of web applications.
    """

    def __init__(self, reader: Reader, total: Callable[[], int]) -> None:
        self._reader = reader
        self._total = total
        self._is_told = False
        self._failed = 0
        self._in_a_row = InARow()
        self._is_over = False
        self._notes = Notes()

    def take(self, records: Sequence[Record]) -> None:
        """Complete the records of a page, several at a time.

        Raises:
            QualysError: an error that is not about single web applications.
        """
        by_id = {number: row for row in records if isinstance(number := row["id"], int)}
        if self._is_over or not by_id:
            return
        if not self._is_told:
            self._is_told = True
            self._reader.logger.warning(COST, counted(self._total(), "call"))
        workers = max(min(self._reader.client.workers, len(by_id)), 1)
        for found in in_parallel(list(by_id), self._read, workers):
            self._notes.add(found.notes)
            if found.details is not None:
                self._in_a_row.end()
                by_id[found.number] |= {
                    name: value for name, value in found.details.items() if value is not None
                }
                continue
            self._failed += 1
            if not isinstance(found.error, OF_ANY):
                self._in_a_row.end()
            elif self._in_a_row.is_about_all():
                self._is_over = True
                listed = counted(self._in_a_row.failures, "web application")
                self._reader.logger.warning(GIVEN_UP, listed, cause_of(found.error))
                return

    def tell(self) -> None:
        """Say how many details are missing, and what was odd in the others."""
        if self._failed and not self._is_over:
            missing = counted(self._failed, "web application")
            self._reader.logger.warning("webapps: the details of %s could not be read.", missing)
        log_notes(self._notes, "webapps", self._reader.logger)

    def _read(self, number: int, _pool: WorkerPool[int, Detailed]) -> Iterator[Detailed]:
        notes = Notes()  # of this call alone: several are made at a time

        def read(answer: ServiceAnswer) -> Record | None:
            row = next(iter(answer.rows), None)
            if row is None:
                return None
            if row_id(row) != number:
                msg = f"Qualys sent something else in place of web application {number}."
                raise BrokenAnswer(msg)
            return WEBAPP(row, notes)

        try:
            yield Detailed(number, self._reader.client.webapp(number, read), notes)
        except (*OF_ONE_REPORT, *OF_ANY) as error:
            yield Detailed(number, None, notes, error)
