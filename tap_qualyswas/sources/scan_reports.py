"""Findings from the report of each web application's latest scan that has worked.

The hosted connector's own way. A report knows nothing of status, history or ignores: what it lists
is there, and what it lacks need not be fixed. So all reports are read each time, and a web
application without a report is not proven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.wording import counted, first_few
from tap_qualyswas.errors import BrokenAnswer
from tap_qualyswas.records.report_findings import as_finding
from tap_qualyswas.records.scan_results import parse_report
from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.progress import Progress
from tap_qualyswas.search.sweeps import Sweep
from tap_qualyswas.sources.latest_scans import find_latest_scans
from tap_qualyswas.sources.report_downloads import (
    CompletedPrefix,
    MissingReports,
    download_reports,
)
from tap_qualyswas.sources.webapps import compare_webapps
from tap_qualyswas.sync.cursors import GREATEST, Cursor, frame_of, greatest_in
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.scan_results import Report
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sources.latest_scans import WorkedScan
    from tap_qualyswas.sync.bookmarks import Bookmarks
    from tap_qualyswas.sync.cursors import Frame
    from tap_qualyswas.sync.qids import Qids
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

BOOKMARK: Final = "lastDetectedDate"
REPORTS: Final = "reports"


def read_findings(
    reader: Reader, scope: Scope, settings: Settings, bookmarks: Bookmarks, qids: Qids
) -> Iterator[Sequence[Record]]:
    """Read the findings of the latest reports, scan by scan, then move their bookmark.

    Raises:
        QualysError: when the read cannot go on.
    """
    window_start = bookmarks.window_start("findings", BOOKMARK)
    latest = find_latest_scans(reader, scope, settings, window_start)
    # One that either of the two walks has lost is there all the same.
    existing = _webapp_ids(reader, scope, settings) | reader.coverage.read
    # Scans outlive their web application.
    scans = {number: scan for number, scan in latest.by_id.items() if scan.webapp_id in existing}
    reader.coverage.leave_out(existing - {scan.webapp_id for scan in scans.values()})
    _tell_unsure(reader, existing & latest.unsure)
    _tell_nameless(reader, latest.nameless, existing & latest.maybe_theirs)
    _tell_progressive(reader, existing & latest.progressive)
    _tell_outdated(reader, existing.intersection(latest.outdated))
    frame = frame_of(settings, scope, window_start)
    reading = _ReportReading(reader, frame, qids, settings.filters.finding_types)
    yield from reading.findings(scans)
    compare_webapps(reader, scope, settings)
    if reader.coverage.not_proven:
        reader.logger.warning(
            "Nothing is proven for %s without a whole report of a scan that worked.",
            counted(len(reader.coverage.not_proven), "web application"),
        )
    bookmarks.move("findings", BOOKMARK, reading.greatest)
    qids.keep()


def _webapp_ids(reader: Reader, scope: Scope, settings: Settings) -> set[int]:
    if scope.webapp_ids is not None:
        return set(scope.webapp_ids)
    sweep = Sweep("webapp/0", "webapp", (), WEBAPP, settings.page_size, verbose=False)
    return {int(str(webapp["id"])) for webapp in reader.look_up([sweep])}


def _tell_unsure(reader: Reader, webapp_ids: Collection[int]) -> None:
    reader.coverage.leave_out(webapp_ids)
    if webapp_ids:
        reader.logger.warning(
            "A scan of %s (ids %s) cannot be read and may be later than the one whose report is "
            "read. Nothing of them is called gone.",
            counted(len(webapp_ids), "web application"),
            first_few(webapp_ids),
        )


def _tell_nameless(reader: Reader, scans: int, webapp_ids: Collection[int]) -> None:
    reader.coverage.leave_out(webapp_ids)
    if not scans:
        return
    told = (
        "1 scan does not name a web application, so its report is"
        if scans == 1
        else f"{scans:,} scans do not name a web application, so their reports are"
    )
    theirs = (
        f" {counted(len(webapp_ids), 'web application')} (ids {first_few(webapp_ids)}) may be "
        "concerned, as no later scan is known. Nothing of them is called gone."
    )
    reader.logger.warning("%s not read.%s", told, theirs if webapp_ids else "")


def _tell_progressive(reader: Reader, webapp_ids: Collection[int]) -> None:
    reader.coverage.leave_out(webapp_ids)
    if webapp_ids:
        reader.logger.warning(
            "The latest scan of %s (ids %s) is a progressive one, which tests what the scan before "
            "it had left. Nothing of them is called gone. Set source to api, which tells what is "
            "fixed.",
            counted(len(webapp_ids), "web application"),
            first_few(webapp_ids),
        )


def _tell_outdated(reader: Reader, webapp_ids: Collection[int]) -> None:
    if not webapp_ids:
        return
    reader.logger.warning(
        "The latest scan could not log in to %s (ids %s): the report of an earlier scan that "
        "could is read. Check their authentication records in Qualys.",
        counted(len(webapp_ids), "web application"),
        first_few(webapp_ids),
    )


class _ReportReading:
    """Reads the reports of one run."""

    def __init__(
        self, reader: Reader, frame: Frame, qids: Qids, finding_types: Collection[str]
    ) -> None:
        self._reader = reader
        self._frame = frame
        self._qids = qids
        self._finding_types = finding_types
        self._tally = reader.tallies["findings"]
        self._tally.window_start = frame.window_start
        self.greatest: str | None = None

    def findings(self, scans: Mapping[int, WorkedScan]) -> Iterator[Sequence[Record]]:
        """Give the findings of the reports, by scan id."""
        after = self._resume()
        scan_ids = sorted(scan_id for scan_id in scans if scan_id > after)
        progress = Progress("findings: reports", len(scan_ids), self._reader.logger)
        completed = CompletedPrefix(scan_ids)
        downloads = download_reports(self._reader.client, scan_ids, parse_report)
        missing = MissingReports("findings", self._reader.logger)
        for done, download in enumerate(downloads, 1):
            scan = scans[download.scan_id]
            report, error = download.report, download.error
            if report is not None and report.webapp not in {None, scan.webapp_id}:
                error = BrokenAnswer(f"It is of web application {report.webapp}.")
            if error is not None:
                self._reader.coverage.leave_out([scan.webapp_id])
                of_what = f"scan {scan.scan_id} (web application {scan.webapp_id})"
                missing.tell(of_what, error)
            elif report is not None:
                yield self._findings(report, scan)
            self._keep_cursor(completed.finish(scan.scan_id))
            progress.update(done)
        missing.tell_all()
        # What is missing is so in web applications that are left out.
        self._tally.settled = True
        self._reader.cursors.clear("findings")
        progress.update(len(scan_ids), ended=True)
        log_notes(self._tally.notes, "findings", self._reader.logger)

    def _findings(self, report: Report, scan: WorkedScan) -> list[Record]:
        self._tally.notes.add(report.notes)
        if report.notes.rejected or not report.untold.isdisjoint(self._finding_types):
            self._reader.coverage.leave_out([scan.webapp_id])
        records = [
            as_finding(entry, scan.webapp, scan.launched)
            for entry in report.entries
            if entry["kind"] in self._finding_types
        ]
        self._tally.fetched += len(records)
        self._qids.add(records)
        self.greatest = max(scan.launched, self.greatest or scan.launched)
        return records

    def _resume(self) -> int:
        cursor = self._reader.cursors.find("findings", self._frame)
        if cursor is None or not cursor.ranges.get(REPORTS):
            return 0
        self._qids.restore(cursor.carried.get("qids"))
        self._qids.restore_groups(cursor.carried.get("groups"))
        self.greatest = greatest_in(cursor.carried)
        return cursor.ranges[REPORTS][0].after or 0

    def _keep_cursor(self, after: int | None) -> None:
        carried: dict[str, Any] = {
            GREATEST: self.greatest,
            "qids": self._qids.as_state(),
            "groups": self._qids.groups(),
        }
        cursor = Cursor({REPORTS: [IdRange(after)]}, carried)
        self._reader.cursors.keep("findings", self._frame, cursor)
