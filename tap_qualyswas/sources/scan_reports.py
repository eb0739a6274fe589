"""Findings from the report of each web application's latest successful scan.

The hosted connector's own way. A report knows nothing of status, history or ignores: what it lists
is there, what it lacks is not told to be fixed. An application without such a scan is not proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tap_qualyswas.progress import Progress
from tap_qualyswas.qualys.request_bodies import equals, greater
from tap_qualyswas.records.report_findings import as_finding
from tap_qualyswas.records.scan_results import parse_report
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.pages import Span
from tap_qualyswas.search.walk import Sweep, Walk
from tap_qualyswas.sources.report_downloads import Ahead, download_reports
from tap_qualyswas.sync.tallies import tell_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.records.scan_results import Report
    from tap_qualyswas.sync.run import Run
    from tap_qualyswas.sync.state import Frame

BOOKMARK: Final = "lastDetectedDate"
REPORTS: Final = "reports"


@dataclass(frozen=True, slots=True)
class _Latest:
    scan_id: int
    launched: str
    webapp: Mapping[str, Json]


class _Reading:
    """Read the reports of one run."""

    def __init__(self, run: Run, window_start: str | None) -> None:
        self._run = run
        self._frame: Frame = run.frame(window_start)
        self._tally = run.tallies["findings"]
        self._tally.window_start = window_start
        self._progress = Progress("findings: reports", None, run.logger)
        self.greatest: str | None = None

    def records(self, latest: Mapping[int, _Latest]) -> Iterator[Record]:
        """Give the findings of the reports, by scan id."""
        after = self._resume()
        scan_ids = sorted(scan_id for scan_id in latest if scan_id > after)
        self._progress.total = len(scan_ids)
        ahead = Ahead(scan_ids)
        for done, (scan_id, report) in enumerate(self._download(scan_ids), 1):
            found = latest[scan_id]
            if report is None:
                self._run.not_proven.append(int(str(found.webapp["id"])))
            else:
                yield from self._findings(report, found)
            self._settle(ahead.finish(scan_id))
            self._progress.tell(done)
        self._run.state.clear_mark("findings")
        self._progress.tell(len(scan_ids), ended=True)
        tell_notes(self._tally.notes, "findings", self._run.logger)

    def _download(self, scan_ids: Sequence[int]) -> Iterator[tuple[int, Report | None]]:
        return download_reports(self._run.api, scan_ids, parse_report)

    def _findings(self, report: Report, found: _Latest) -> Iterator[Record]:
        self._tally.notes.add(report.notes)
        wanted = self._run.settings.filters.finding_types
        records = [
            as_finding(entry, found.webapp, found.launched)
            for entry in report.entries
            if entry["kind"] in wanted
        ]
        self._tally.fetched += len(records)
        self._run.qids.note(records)
        self.greatest = max(found.launched, self.greatest or found.launched)
        return iter(records)

    def _resume(self) -> int:
        mark = self._run.resume_mark("findings", self._frame)
        if mark is None or not mark.spans.get(REPORTS):
            return 0
        self._run.qids.restore(mark.carried.get("qids"))
        kept = mark.carried.get("greatest")
        self.greatest = kept if isinstance(kept, str) else None
        return mark.spans[REPORTS][0].after or 0

    def _settle(self, after: int | None) -> None:
        carried: dict[str, Any] = {"greatest": self.greatest, "qids": self._run.qids.as_state()}
        self._run.keep_mark("findings", self._frame, {REPORTS: [Span(after)]}, carried)


def read_findings(run: Run) -> Iterator[Record]:
    """Read the findings of a run from the latest reports, then move the bookmark.

    Raises:
        QualysError: when the read cannot go on.
    """
    window_start = run.window_start("findings", BOOKMARK)
    latest = _latest_scans(run, window_start)
    if window_start is None:
        scanned = {int(str(found.webapp["id"])) for found in latest.values()}
        run.not_proven = sorted(_webapp_ids(run) - scanned)
    reading = _Reading(run, window_start)
    yield from reading.records(latest)
    if run.not_proven:
        run.logger.warning(
            "%d web applications have no report of a successful scan: nothing is proven for them.",
            len(run.not_proven),
        )
    run.move_bookmark("findings", BOOKMARK, reading.greatest)
    run.keep_qids()


def _latest_scans(run: Run, window_start: str | None) -> dict[int, _Latest]:
    """Give the latest successful vulnerability scan of each web application, by scan id."""
    fixed: tuple[Criterion, ...] = (
        equals("type", "VULNERABILITY"),
        equals("status", "FINISHED"),
        equals("resultsStatus", "SUCCESSFUL"),
    )
    if window_start is not None:
        fixed = (*fixed, greater("launchedDate", window_start))
    by_webapp: dict[Json, _Latest] = {}
    for scan in _walk(
        run, "wasscan", read_scan, [(*fixed, *each) for each in run.scopes("webApp.id")]
    ):
        webapp, launched = scan["webApp"], scan["launchedDate"]
        if not isinstance(webapp, dict) or not webapp["id"] or not isinstance(launched, str):
            continue
        found = _Latest(int(str(scan["id"])), launched, webapp)
        known = by_webapp.setdefault(webapp["id"], found)
        if (launched, found.scan_id) > (known.launched, known.scan_id):
            by_webapp[webapp["id"]] = found
    return {found.scan_id: found for found in by_webapp.values()}


def _webapp_ids(run: Run) -> set[int]:
    if run.webapp_ids is not None:
        return set(run.webapp_ids)
    return {int(str(webapp["id"])) for webapp in _walk(run, "webapp", WEBAPP, [()])}


def _walk(
    run: Run,
    kind: str,
    read: Callable[[Element, Notes], Record],
    searches: Sequence[tuple[Criterion, ...]],
) -> Iterator[Record]:
    sweeps = [
        Sweep(f"{kind}/{at}", kind, criteria, read, run.settings.page_size, verbose=False)
        for at, criteria in enumerate(searches)
    ]
    pages = Walk(run.api, sweeps).pages({sweep.key: [Span()] for sweep in sweeps})
    return (record for page in pages for record in page.records)
