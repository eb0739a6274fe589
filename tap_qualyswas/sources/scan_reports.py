"""Findings from the report of each web application's latest successful scan.

The hosted connector's own way. A report knows nothing of status, history or ignores: what it lists
is there, and what it lacks need not be fixed. A web application without such a scan is not proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.wording import counted
from tap_qualyswas.qualys.request_bodies import equals, greater
from tap_qualyswas.records.report_findings import as_finding
from tap_qualyswas.records.scan_results import parse_report
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.progress import Progress
from tap_qualyswas.search.walk import Sweep
from tap_qualyswas.sources.report_downloads import CompletedPrefix, download_reports
from tap_qualyswas.sources.webapps import compare_webapps
from tap_qualyswas.sync.cursors import Cursor, frame_of
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.scan_results import Report
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.bookmarks import Bookmarks
    from tap_qualyswas.sync.cursors import Frame
    from tap_qualyswas.sync.qids import Qids
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

BOOKMARK: Final = "lastDetectedDate"
REPORTS: Final = "reports"


def read_findings(
    reader: Reader, scope: Scope, settings: Settings, bookmarks: Bookmarks, qids: Qids
) -> Iterator[Record]:
    """Read the findings from the latest reports, then move their bookmark and keep their QIDs.

    Raises:
        QualysError: when the read cannot go on.
    """
    window_start = bookmarks.window_start("findings", BOOKMARK)
    latest = _latest_scans(reader, scope, settings, window_start)
    coverage = reader.coverage
    if window_start is None:
        scanned = {scan.webapp_id for scan in latest.values()}
        coverage.leave_out(_webapp_ids(reader, scope, settings) - scanned)
    frame = frame_of(settings, scope, window_start)
    reading = _ReportReading(reader, frame, qids, settings.filters.finding_types)
    yield from reading.records(latest)
    compare_webapps(reader, scope, settings)
    if coverage.not_proven:
        reader.logger.warning(
            "Nothing is proven for %s without a report of a successful scan.",
            counted(len(coverage.not_proven), "web application"),
        )
    bookmarks.move("findings", BOOKMARK, reading.greatest)
    qids.keep()


@dataclass(frozen=True, slots=True)
class _LatestScan:
    scan_id: int
    launched: str
    webapp: Mapping[str, Json]

    @property
    def webapp_id(self) -> int:
        return int(str(self.webapp["id"]))


def _latest_scans(
    reader: Reader, scope: Scope, settings: Settings, window_start: str | None
) -> dict[int, _LatestScan]:
    """Give the latest successful vulnerability scan of each web application, by scan id."""
    window = () if window_start is None else (greater("launchedDate", window_start),)
    sweeps = [
        Sweep(
            key=f"wasscan/{number}",
            kind="wasscan",
            criteria=(
                equals("type", "VULNERABILITY"),
                equals("status", "FINISHED"),
                equals("resultsStatus", "SUCCESSFUL"),
                *window,
                *criteria,
            ),
            read=read_scan,
            page_size=settings.page_size,
            verbose=False,
        )
        for number, criteria in enumerate(scope.criteria("webApp.id"))
    ]
    by_webapp: dict[int, _LatestScan] = {}
    for scan in reader.look_up(sweeps):
        webapp, launched = scan["webApp"], scan["launchedDate"]
        if not isinstance(webapp, dict) or not webapp["id"] or not isinstance(launched, str):
            continue
        found = _LatestScan(int(str(scan["id"])), launched, webapp)
        known = by_webapp.setdefault(found.webapp_id, found)
        if (launched, found.scan_id) > (known.launched, known.scan_id):
            by_webapp[found.webapp_id] = found
    return {found.scan_id: found for found in by_webapp.values()}


def _webapp_ids(reader: Reader, scope: Scope, settings: Settings) -> set[int]:
    if scope.webapp_ids is not None:
        return set(scope.webapp_ids)
    sweep = Sweep("webapp/0", "webapp", (), WEBAPP, settings.page_size, verbose=False)
    return {int(str(webapp["id"])) for webapp in reader.look_up([sweep])}


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

    def records(self, latest: Mapping[int, _LatestScan]) -> Iterator[Record]:
        """Give the findings of the reports, by scan id."""
        after = self._resume()
        scan_ids = sorted(scan_id for scan_id in latest if scan_id > after)
        progress = Progress("findings: reports", len(scan_ids), self._reader.logger)
        completed = CompletedPrefix(scan_ids)
        downloads = download_reports(self._reader.client, scan_ids, parse_report)
        for done, (scan_id, report) in enumerate(downloads, 1):
            scan = latest[scan_id]
            if report is None:
                self._reader.coverage.leave_out([scan.webapp_id])
            else:
                yield from self._findings(report, scan)
            self._keep_cursor(completed.finish(scan_id))
            progress.update(done)
        self._reader.cursors.clear("findings")
        progress.update(len(scan_ids), ended=True)
        log_notes(self._tally.notes, "findings", self._reader.logger)

    def _findings(self, report: Report, scan: _LatestScan) -> list[Record]:
        self._tally.notes.add(report.notes)
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
        kept = cursor.carried.get("greatest")
        self.greatest = kept if isinstance(kept, str) else None
        return cursor.ranges[REPORTS][0].after or 0

    def _keep_cursor(self, after: int | None) -> None:
        carried: dict[str, Any] = {"greatest": self.greatest, "qids": self._qids.as_state()}
        cursor = Cursor({REPORTS: [IdRange(after)]}, carried)
        self._reader.cursors.keep("findings", self._frame, cursor)
