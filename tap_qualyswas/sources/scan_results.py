"""The reports of finished scans, one record for each entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import counted
from tap_qualyswas.errors import TemporaryError
from tap_qualyswas.records.scan_results import digest, identity, parse_report
from tap_qualyswas.sources.report_downloads import OF_ANY, MissingReports, download_reports
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.pending_reports import PendingReports
    from tap_qualyswas.sync.reader import Reader

STATES_AT_MOST: Final = 200
"""The most states that are written while reports are read; each names the scans still to read."""


def read_scan_results(reader: Reader, pending_reports: PendingReports) -> Iterator[Record]:
    """Read the reports of the finished scans of this sync, and of those left from before.

    One that is refused is passed over, and asked for once more next time; one that did not come in
    time is asked for until it comes.

    Raises:
        QualysError: when the read cannot go on; the scans not read yet stay in the state.
    """
    tally = reader.tallies["scan_results"]
    scan_ids = pending_reports.scan_ids()
    if scan_ids:
        reader.logger.warning(
            "scan_results is selected, which takes %s to Qualys: one for the report of each "
            "finished scan. Leave it out of the selected streams if you do not need it.",
            counted(len(scan_ids), "call"),
        )
    open_ids = set(scan_ids)
    # Each state names the scans still to read: it is written after each of a few reports, but only
    # now and then for many.
    every = len(scan_ids) // STATES_AT_MOST + 1
    missing = MissingReports("scan_results", reader.logger)
    again: list[int] = []
    # Should so many be refused that it is not about single reports, these were not either.
    refused: list[int] = []
    downloads = download_reports(reader.client, scan_ids, parse_report)
    for done, download in enumerate(downloads, 1):
        scan_id, report = download.scan_id, download.report
        if report is not None:
            tally.notes.add(report.notes)
            tally.fetched += len(report.entries)
            for entry in report.entries:
                result_id = digest(scan_id, *identity(entry))
                yield {"resultId": result_id, "scanId": scan_id, **entry}
        elif download.error is not None:
            missing.tell(f"scan {scan_id}", download.error)
        if isinstance(download.error, TemporaryError):
            again.append(scan_id)
        elif isinstance(download.error, OF_ANY):
            refused.append(scan_id)
        open_ids.discard(scan_id)
        if done % every == 0:
            pending_reports.keep([*open_ids, *again, *refused])
            pending_reports.write()
    pending_reports.keep([*again, *pending_reports.keep_refused(refused)])
    missing.tell_all()
    log_notes(tally.notes, "scan_results", reader.logger)
