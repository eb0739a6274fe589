"""Scans: those of the window, and those that have not ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.dates import parse, to_text
from tap_qualyswas.qualys.request_bodies import greater, one_of
from tap_qualyswas.records.scan_status import has_report
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.search.sweeps import WEBAPP_ID, Sweep
from tap_qualyswas.sync.cursors import GREATEST, frame_of, greatest_in
from tap_qualyswas.sync.scope import IDS_PER_CRITERION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.bookmarks import Bookmarks, UnendedScans
    from tap_qualyswas.sync.pending_reports import PendingReports
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

BOOKMARK: Final = "launchedDate"


def read_scans(
    reader: Reader,
    scope: Scope,
    settings: Settings,
    bookmarks: Bookmarks,
    pending_reports: PendingReports,
) -> Iterator[Sequence[Record]]:
    """Read the scans of the window, by pages, then move their bookmark.

    Qualys is asked for the first page from now on.

    Raises:
        QualysError: when the read cannot go on.
    """
    window_start = bookmarks.window_start("scans", BOOKMARK)
    window = () if window_start is None else (greater(BOOKMARK, window_start),)
    sweeps = [
        Sweep(
            key=f"wasscan/{number}",
            kind="wasscan",
            criteria=(*criteria, *window),
            read=read_scan,
            page_size=settings.verbose_page_size,
            verbose=True,
            spares=("verbose", *spared_dates(window, settings)),
        )
        for number, criteria in enumerate(scope.criteria(WEBAPP_ID))
    ]
    collector = ScanCollector(bookmarks.unended_scans, keep_reported=pending_reports.wanted)
    frame = replace(frame_of(settings, scope, window_start), reports=pending_reports.wanted)
    pages = reader.begun("scans", sweeps, frame, collector)

    def add_hidden() -> None:
        _add_hidden(reader, settings, bookmarks.unended_scans)

    return _read(pages, collector, bookmarks, pending_reports, add_hidden)


def _read(
    pages: Iterator[Sequence[Record]],
    collector: ScanCollector,
    bookmarks: Bookmarks,
    pending_reports: PendingReports,
    add_hidden: Callable[[], None],
) -> Iterator[Sequence[Record]]:
    yield from pages
    add_hidden()
    bookmarks.move("scans", BOOKMARK, collector.greatest)
    if bookmarks.has_inherited("scans"):
        # Scans launched since the interrupted run lie behind the cursor: ask for those that run.
        bookmarks.unended_scans.forget()
    pending_reports.add(collector.reported)


def spared_dates(window: Sequence[Criterion], settings: Settings) -> tuple[str, ...]:
    """Give the dates that a window can do without: then older rows come too, which do no harm.

    Those before a start date are not wanted, though.
    """
    return () if settings.filters.start_date else tuple(each.field for each in window)


def find_unended_scans(
    reader: Reader, scope: Scope, settings: Settings, unended_scans: UnendedScans
) -> None:
    """Ask for the scans that have not ended, where the scans stream has not read them.

    Raises:
        QualysError: when Qualys cannot be asked.
    """
    since = greater("launchedDate", to_text(unended_scans.earliest()))
    sweeps = [
        Sweep(
            key=f"unended/{number}",
            kind="wasscan",
            criteria=(*criteria, since),
            read=read_scan,
            page_size=settings.page_size,
            verbose=False,
            spares=(since.field,),  # looked at in each scan, too
        )
        for number, criteria in enumerate(scope.criteria(WEBAPP_ID))
    ]
    unended_scans.set_from(reader.look_up(sweeps))
    _add_hidden(reader, settings, unended_scans)


def _add_hidden(reader: Reader, settings: Settings, unended_scans: UnendedScans) -> None:
    """Ask for scans that web applications name as running and that no search by date has brought.

    A scan that runs can lack its launch, as one client of Qualys has met it.
    """
    ids = unended_scans.hidden
    sweeps = [
        Sweep(
            key=f"hidden/{at}",
            kind="wasscan",
            criteria=(one_of("id", ids[at : at + IDS_PER_CRITERION]),),
            read=read_scan,
            page_size=settings.page_size,
            verbose=False,
        )
        for at in range(0, len(ids), IDS_PER_CRITERION)
    ]
    for scan in reader.look_up(sweeps):
        unended_scans.note(scan)


class ScanCollector:
    """Learns the greatest launch, the scans that have not ended, and those that have a report.

    Args:
        unended_scans: gets those that have not ended.
        keep_reported: whether a cursor names the scans that have a report.
    """

    def __init__(self, unended_scans: UnendedScans, *, keep_reported: bool) -> None:
        self._unended_scans = unended_scans
        self._keep_reported = keep_reported
        self.greatest: str | None = None
        self.reported: list[int] = []
        unended_scans.begin()

    def take(self, records: Sequence[Record]) -> None:
        """Look at a page of scans."""
        for scan in records:
            launched = scan["launchedDate"]
            if isinstance(launched, str):
                self.greatest = max(launched, self.greatest or launched)
            self._unended_scans.note(scan)
            if has_report(scan) and isinstance(scan["id"], int):
                self.reported.append(scan["id"])

    def carried(self) -> dict[str, Any]:
        """Give what an interrupted run hands on."""
        return {
            GREATEST: self.greatest,
            "unended": [to_text(launch) for launch in self._unended_scans.launches],
            "finished": self.reported if self._keep_reported else [],
        }

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over what an interrupted run handed on."""
        self.greatest = greatest_in(carried)
        finished = carried.get("finished")
        if isinstance(finished, list):
            self.reported += [scan_id for scan_id in finished if isinstance(scan_id, int)]
        unended = carried.get("unended")
        if isinstance(unended, list):
            launches = (parse(value) for value in unended if isinstance(value, str))
            self._unended_scans.add(launch for launch in launches if launch is not None)
