"""The report of a load, filled from what the stages counted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from target_ciscovm.cvm.connector import COUNTERS
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.report.accounting import (
    filter_counts,
    note_counts,
    rejection_counts,
    stream_counts,
)
from target_ciscovm.report.model import (
    Changes,
    Closing,
    ConnectorInfo,
    FileInfo,
    Proof,
    Reconciliation,
    Report,
    RunInfo,
    SeverityCount,
    SourceInfo,
    Times,
    WebApp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.apply.loading import Load
    from target_ciscovm.cvm.connector import ConnectorRun

SEVERITIES: Final = range(1, 6)
LEDGER_NAME: Final = (
    "SELECT e.webapp_id, COALESCE(MAX(CASE WHEN INSTR(a.webapp_ids, ',') = 0 THEN a.application "
    "END), ''), COUNT(*) FROM ledger.entry e LEFT JOIN ledger.asset a ON a.key = e.asset WHERE "
    "e.webapp_id IS NOT NULL GROUP BY 1 ORDER BY 1"
)
"""An asset that several share has the name of one of them, and tells nothing of the others."""


def summarise(load: Load, report: Report) -> None:
    """Write all that is known of a load into its report; what it did not come to stays empty."""
    report.run_id = load.folder.run_id
    report.data_model = load.settings.data_model
    report.destination = load.settings.destination
    report.proof = Proof(proven=load.verdict.proven, reasons=list(load.verdict.reasons))
    report.warnings = list(load.warnings)
    report.notes = note_counts(load.counts)
    _source(load, report)
    _connector(load, report)
    _reconciliation(load, report)
    if load.plan is not None:
        _built(load, report)
    times = report.times = Times(phases=load.stages.phases, seconds=load.stages.seconds)
    if load.now is not None:
        times.started = to_text(load.now)
        times.finished = to_text(load.now + timedelta(seconds=times.seconds))
    elif load.sync is not None:
        times.started = load.sync.started_at


def _source(load: Load, report: Report) -> None:
    sync = load.sync
    if sync is None:
        return
    report.mode = "full" if sync.mode == "full" else "incremental"
    report.source = SourceInfo(
        api_url=sync.api_url,
        subscription=sync.subscription,
        sync_id=sync.sync_id,
        started=sync.started_at,
        finished=sync.finished_at,
    )


def _connector(load: Load, report: Report) -> None:
    if load.api is not None and load.opening is not None:
        found = load.opening.connector
        report.connector = ConnectorInfo(id=found.id, name=found.name, api_url=load.api.api_url)
    if load.run is not None:
        report.run = run_info(load.run)
    elif load.run_id is not None:
        report.run = RunInfo(id=load.run_id)


def run_info(run: ConnectorRun) -> RunInfo:
    """Give a run of CVM with its counters as the report has them."""
    return RunInfo(
        id=run.id,
        started=to_text(run.start_time) if run.start_time else None,
        ended=to_text(run.end_time) if run.end_time else None,
        success=run.success,
        counters={name: max(getattr(run, name), 0) for name in COUNTERS},
    )


def _reconciliation(load: Load, report: Report) -> None:
    counts, sync = load.counts, load.sync
    told = {part.stream: (part.counted, part.emitted) for part in (sync.streams if sync else ())}
    report.streams = stream_counts(counts, told)
    counted, fetched = told.get(FINDINGS, (None, None))
    way = report.reconciliation = Reconciliation(
        counted=counted,
        fetched=fetched,
        received=counts.received[FINDINGS],
        filtered=sum(counts.filtered.values()),
        filtered_by=filter_counts(counts),
        rejected=counts.rejected[FINDINGS],
        rejected_by=rejection_counts(counts),
        superseded=counts.superseded(FINDINGS),
        mapped=counts.mapped,
    )
    if load.uploaded:
        way.uploaded = counts.mapped
    run = load.run
    if run is not None:
        way.processed = run.processed_scanner_vuln_count
        way.failed = run.failed_payload_count
        way.created = run.created_scanner_vuln_count
        way.closed = run.closed_scanner_vuln_count + run.autoclosed_scanner_vuln_count
        way.reopened = run.reopened_scanner_vuln_count


def _built(load: Load, report: Report) -> None:
    absent = load.absent
    report.assets = sum(part.assets for part in load.parts)
    report.severities = _severities(load)
    report.files = _files(load)
    after = None
    if load.open_before is not None:
        after = load.open_before - absent.total - load.closed_by_name + load.opened
    report.closing = Closing(
        fixed=load.closed_by_name,
        gone=absent.gone,
        filtered=sum(absent.by_filter.values()),
        deleted_webapps=absent.deleted,
        open_before=load.open_before,
        open_after=None if after is None else max(after, 0),
    )
    if load.settings.destination == "dry_run":
        closed = load.closed_by_name + absent.total
        report.changes = Changes(new_assets=load.new_assets, opened=load.opened, closed=closed)
    report.webapps_gone = list(_webapps_gone(load))
    report.webapps_not_proven = list(_not_proven(load))


def _severities(load: Load) -> list[SeverityCount]:
    found = {severity: SeverityCount(severity=severity) for severity in SEVERITIES}
    for severity, is_open, count in load.spool.execute(
        "SELECT severity, is_open, COUNT(*) FROM sent GROUP BY 1, 2"
    ):
        if severity not in found:
            continue
        if is_open:
            found[severity].open += count
        else:
            found[severity].closed += count
    return list(found.values())


def _files(load: Load) -> list[FileInfo]:
    numbers = {part.path: number for part, number in load.uploaded}
    return [
        FileInfo(
            name=part.path.name,
            bytes=part.bytes,
            assets=part.assets,
            findings=part.findings,
            skip_autoclose=part.group.skip_autoclose,
            data_file=numbers.get(part.path),
        )
        for part in load.parts
    ]


def _webapps_gone(load: Load) -> Iterator[WebApp]:
    """Give the web applications that something is open of and that Qualys no longer has."""
    plan = load.plan
    if plan is None or not load.verdict.valid or not load.has_ledger:
        return
    for number, name, count in load.spool.execute(LEDGER_NAME):
        if plan.read.is_deleted(number):
            yield WebApp(id=number, name=name, open=count)


def _not_proven(load: Load) -> Iterator[WebApp]:
    plan = load.plan
    for number in load.sync.not_proven if load.sync else ():
        app = plan.sources.webapps.get(number) if plan else None
        yield WebApp(id=number, name=(app.name if app else None) or "")
