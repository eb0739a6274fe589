"""The report of a load, filled from what its stages have found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from target_ciscovm.cvm.api_url import tidy_api_url
from target_ciscovm.cvm.connector import COUNTERS
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.plan import decisions
from target_ciscovm.report.accounting import (
    filter_counts,
    note_counts,
    rejection_counts,
    stream_counts,
)
from target_ciscovm.report.model import (
    CauseCount,
    ConnectorInfo,
    FileInfo,
    Proof,
    Reconciliation,
    RunInfo,
    SourceInfo,
    Times,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.mapping.records import SyncStream
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.plan.plan import Plan
    from target_ciscovm.report.facts import Facts
    from target_ciscovm.report.model import Report

LISTS: Final = ("changes.csv", "changes.jsonl", "rejected.jsonl")
"""Files of the run's folder, beside the KDI files and the report."""


def summarise(facts: Facts, report: Report) -> None:
    """Write all that is known of a load into its report; what it did not come to stays empty."""
    settings, counts, plan = facts.settings, facts.counts, facts.plan
    report.run_id = facts.folder.run_id if facts.folder else ""
    report.data_model = settings.data_model
    report.destination = settings.destination
    report.warnings = list(facts.warnings)
    report.notes = note_counts(counts)
    report.verification = facts.verification
    report.other_files = _other_files(facts.folder)
    _source(facts, report)
    _connector(facts, report)
    _reconciliation(facts, report)
    if plan is not None:
        _planned(facts, plan, report)
    times = report.times = Times(phases=facts.stages.phases, seconds=facts.stages.seconds)
    now = facts.tenant.now
    if now is not None:
        times.started = to_text(now)
        times.finished = to_text(now + timedelta(seconds=times.seconds))
    elif facts.sync is not None:
        times.started = facts.sync.started_at


def _other_files(folder: RunFolder | None) -> list[str]:
    return [name for name in LISTS if folder is not None and folder.file(name).exists()]


def _source(facts: Facts, report: Report) -> None:
    sync = facts.sync
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


def _connector(facts: Facts, report: Report) -> None:
    if facts.opening is not None:
        found = facts.opening.connector
        report.connector = ConnectorInfo(id=found.id, name=found.name, api_url=facts.api_url)
    elif login := facts.settings.login:  # whoever watches has to know which load was refused
        report.connector = ConnectorInfo(id=login.connector_id, api_url=tidy_api_url(login.api_url))
    if facts.delivered is not None:
        report.run = run_info(facts.delivered.run)
    elif facts.run_number is not None:
        report.run = RunInfo(id=facts.run_number)


def run_info(run: ConnectorRun) -> RunInfo:
    """Give a run of CVM with the counters that it told as the report has them."""
    told = {name: getattr(run, name) for name in COUNTERS}
    return RunInfo(
        id=run.id,
        started=to_text(run.start_time) if run.start_time else None,
        ended=to_text(run.end_time) if run.end_time else None,
        success=run.success,
        counters={name: max(value, 0) for name, value in told.items() if value is not None},
    )


def _reconciliation(facts: Facts, report: Report) -> None:
    counts, sync = facts.counts, facts.sync
    told = {part.stream: part for part in (sync.streams if sync else ())}
    read = {name: (part.counted, _rows(part)) for name, part in told.items()}
    report.streams = stream_counts(counts, read)
    part = told.get(FINDINGS)
    way = report.reconciliation = Reconciliation(
        counted=part.counted if part else None,
        fetched=_rows(part) if part else None,
        received=counts.received[FINDINGS],
        dropped_by_maps=counts.dropped_by_maps,
        filtered=sum(counts.filtered.values()),
        filtered_by=filter_counts(counts),
        nothing_to_do=sum(counts.nothing_to_do.values()),
        nothing_to_do_by=_causes(counts.nothing_to_do),
        rejected=counts.rejected[FINDINGS],
        rejected_by=rejection_counts(counts),
        superseded=counts.superseded(FINDINGS),
        mapped=counts.mapped,
    )
    plan = facts.plan
    if plan is not None:
        others = {name: count for name, count in plan.closings.items() if name != decisions.FIXED}
        way.closings = sum(others.values())
        way.closings_by = _causes(others)
        way.entries = plan.count("open") + plan.count("close")
    if facts.uploaded:
        way.uploaded = sum(part.findings for part, _ in facts.uploaded)
    if facts.delivered is not None:
        run = facts.delivered.run
        way.processed = run.processed_scanner_vuln_count
        way.failed = run.failed_payload_count
        way.created = run.created_scanner_vuln_count
        way.closed = _sum(run.closed_scanner_vuln_count, run.autoclosed_scanner_vuln_count)
        way.reopened = run.reopened_scanner_vuln_count


def _sum(*told: int | None) -> int | None:
    found = [value for value in told if value is not None]
    return sum(found) if found else None


def _causes(counts: Mapping[str, int]) -> list[CauseCount]:
    return [CauseCount(cause=cause, count=count) for cause, count in counts.items()]


def _rows(part: SyncStream) -> int | None:
    """Give how many rows the tap took from Qualys, else how many it wrote."""
    return part.emitted if part.read is None else part.read


def _planned(facts: Facts, plan: Plan, report: Report) -> None:
    report.proof = Proof(proven=plan.coverage.proven, reasons=list(plan.reasons))
    report.assets = sum(part.assets for part in facts.parts)
    report.files = _files(facts)
    report.gap = plan.gap
    found = facts.planned
    if found is None:
        return
    report.severities = list(found.severities)
    report.closing = found.closing
    report.coverage = found.coverage
    report.changes = found.changes
    report.webapps = list(found.webapps.rows)
    report.webapps_left_out = found.webapps.left_out
    report.webapps_gone = list(found.webapps_gone)
    report.webapps_not_proven = list(found.webapps_not_proven)
    report.webapps_not_covered = list(found.webapps_not_covered)
    report.webapps_renamed = list(found.webapps_renamed)
    report.tags_dropped = list(found.tags_dropped)


def _files(facts: Facts) -> list[FileInfo]:
    numbers = {part.path: number for part, number in facts.uploaded}
    parts = [part for part, _ in facts.uploaded] or facts.parts
    return [
        FileInfo(
            name=part.path.name,
            bytes=part.bytes,
            assets=part.assets,
            findings=part.findings,
            data_file=numbers.get(part.path),
        )
        for part in parts
    ]
