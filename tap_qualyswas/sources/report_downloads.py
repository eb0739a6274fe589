"""Downloads of scan reports, several at a time, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from qualyswas_ciscovm.wording import counted
from tap_qualyswas.errors import (
    ApiAccessMissing,
    BrokenAnswer,
    CodedRefusal,
    HtmlAnswer,
    InvalidRequest,
    NotFound,
    QualysError,
    ReportsMissing,
    ReportTooLarge,
    TimedOut,
    Unavailable,
    WasMissing,
)
from tap_qualyswas.search.workers import WorkerPool, in_parallel
from tap_qualyswas.sources.in_a_row import InARow

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from tap_qualyswas.qualys.client import QualysClient

T = TypeVar("T")

OF_ONE_REPORT: Final = (NotFound, InvalidRequest, ReportTooLarge)
"""Errors that say something about the report that was asked for, however many follow another."""
OF_ANY: Final = (ApiAccessMissing, WasMissing, BrokenAnswer, HtmlAnswer, TimedOut, Unavailable)
"""Errors that can be about one report, or about all."""
NAMED_AT_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Download(Generic[T]):
    """The report of a scan, or why it could not be had."""

    scan_id: int
    report: T | None
    error: QualysError | None = None


def download_reports(
    client: QualysClient, scan_ids: Sequence[int], read: Callable[[IO[bytes]], T]
) -> Iterator[Download[T]]:
    """Download the reports of scans. One that cannot be had does not end the rest.

    Args:
        client: the session to Qualys.
        scan_ids: whose reports.
        read: makes something of one document.

    Raises:
        QualysError: the first error that is not about one report.
    """

    def work(scan_id: int, _pool: WorkerPool[int, Download[T]]) -> Iterator[Download[T]]:
        try:
            yield Download(scan_id, client.download_scan(scan_id, read))
        except (*OF_ONE_REPORT, *OF_ANY) as error:
            yield Download(scan_id, None, error)

    in_a_row = InARow()
    for download in in_parallel(scan_ids, work, max(min(client.workers, len(scan_ids)), 1)):
        error = download.error
        if not isinstance(error, OF_ANY):
            in_a_row.end()
        elif in_a_row.is_about_all():
            if isinstance(error, CodedRefusal):
                raise ReportsMissing(error.place, error.code)
            raise error
        yield download


class MissingReports:
    """Tells which reports could not be had: the first ones by name, then how many.

    Args:
        stream: that needs them.
        logger: gets the lines.
    """

    def __init__(self, stream: str, logger: logging.Logger) -> None:
        self._stream = stream
        self._logger = logger
        self._missing = 0

    def tell(self, of_what: str, error: QualysError) -> None:
        """Note one."""
        self._missing += 1
        if self._missing <= NAMED_AT_MOST:
            self._logger.warning(
                "%s: passed over the report of %s. %s", self._stream, of_what, error
            )

    def tell_all(self) -> None:
        """Say how many there were."""
        if self._missing:
            reports = counted(self._missing, "report")
            self._logger.warning("%s: %s could not be read", self._stream, reports)


class CompletedPrefix:
    """Knows up to which of some ascending ids all are done, while they are done in any order.

    Args:
        ids: ascending.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids
        self._at = 0
        self._done: set[int] = set()

    def finish(self, done_id: int) -> int | None:
        """Note an id that is done; give the last one up to which all are done, None for none."""
        self._done.add(done_id)
        while self._at < len(self._ids) and self._ids[self._at] in self._done:
            self._done.discard(self._ids[self._at])
            self._at += 1
        return self._ids[self._at - 1] if self._at else None
