"""What each finished scan reported, from its download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.scan_results import digest, identity, parse_report
from tap_qualyswas.sources.report_downloads import download_reports
from tap_qualyswas.sync.tallies import tell_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.run import Run

STATES_AT_MOST: Final = 200
"""States that are written while reports are read; each names the scans that are open."""


def read_scan_results(run: Run) -> Iterator[Record]:
    """Read the reports of the finished scans of this sync, and of those left open before.

    Raises:
        QualysError: when the read cannot go on; the scans not read yet stay in the state.
    """
    notes = run.tallies["scan_results"].notes
    pending = run.state.pending("scan_results")
    scan_ids = [value for value in pending or () if isinstance(value, int)]
    open_ids = set(scan_ids)
    # Each state holds what is open: written for each of few reports, now and then for many.
    every = len(scan_ids) // STATES_AT_MOST + 1
    gone = 0
    for done, (scan_id, report) in enumerate(download_reports(run.api, scan_ids, parse_report), 1):
        gone += report is None
        if report is not None:
            notes.add(report.notes)
            yield from _rows(run, scan_id, report.entries)
        open_ids.discard(scan_id)
        if done % every == 0:
            run.state.set_pending("scan_results", sorted(open_ids))
            run.save_state()
    run.state.set_pending("scan_results", [])
    if gone:
        run.logger.warning("scan_results: %d scans have no report (any more)", gone)
    tell_notes(notes, "scan_results", run.logger)


def _rows(run: Run, scan_id: int, entries: Sequence[Record]) -> Iterator[Record]:
    run.tallies["scan_results"].fetched += len(entries)
    for entry in entries:
        yield {"resultId": digest(scan_id, *identity(entry)), "scanId": scan_id, **entry}
