"""The report of a load, filled from what its stages have found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from target_ciscovm.cvm.connector import COUNTERS
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.plan import decisions
from target_ciscovm.plan.plan import Tenant
from target_ciscovm.plan.webapps import not_covered
from target_ciscovm.report.accounting import (
    filter_counts,
    note_counts,
    rejection_counts,
    stream_counts,
)
from target_ciscovm.report.model import (
    CauseCount,
    Changes,
    Closing,
    ConnectorInfo,
    CoverageInfo,
    FileInfo,
    Proof,
    Reconciliation,
    RenamedWebApp,
    RunInfo,
    SeverityCount,
    SourceInfo,
    Times,
    WebApp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from target_ciscovm.apply.delivery import Delivered
    from target_ciscovm.apply.preflight import Opening
    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.intake.counts import Counts
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi.files import Part
    from target_ciscovm.mapping.records import Sync, SyncStream
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.output.timing import Stages
    from target_ciscovm.plan.plan import Plan
    from target_ciscovm.report.model import Report
    from target_ciscovm.settings.values import Settings

SEVERITIES: Final = range(1, 6)
GONE_WEBAPPS: Final = (
    "SELECT e.webapp, COUNT(*) FROM live e WHERE e.account = ? AND e.webapp IN (SELECT webapp FROM "
    "deleted_webapp) GROUP BY 1 ORDER BY 1"
)
OPEN_OF_WEBAPPS: Final = (
    "SELECT e.webapp, COUNT(*) FROM live e WHERE e.account = ? AND e.webapp IN (SELECT webapp FROM "
    "unsettled_webapp) GROUP BY 1"
)
BY_SEVERITY: Final = (
    "SELECT f.severity, d.action, COUNT(DISTINCT f.rowid) FROM decision d JOIN finding f ON "
    "f.rowid = d.finding WHERE d.action <> 'leave' GROUP BY 1, 2"
)
NEW_ASSETS: Final = (
    "SELECT COUNT(*) FROM load_asset WHERE key NOT IN (SELECT key FROM ledger.asset)"
)


@dataclass(frozen=True)
class Facts:
    """What the stages of a load have found, as far as it has come.

    Attributes:
        parts: files that were written.
        uploaded: files with their ids in CVM.
        run_number: of the run in CVM, as soon as it has begun.
        warnings: sentences for the report.
    """

    settings: Settings
    counts: Counts
    stages: Stages
    folder: RunFolder | None = None
    opening: Opening | None = None
    tenant: Tenant = field(default_factory=Tenant)
    api_url: str = ""
    sync: Sync | None = None
    plan: Plan | None = None
    parts: tuple[Part, ...] = ()
    uploaded: tuple[tuple[Part, int], ...] = ()
    run_number: int | None = None
    delivered: Delivered | None = None
    warnings: tuple[str, ...] = ()

    @property
    def shown_folder(self) -> Path | None:
        """Give the folder of the run."""
        return None if self.folder is None else self.folder.path


def summarise(facts: Facts, spool: Spool, report: Report) -> None:
    """Write all that is known of a load into its report; what it did not come to stays empty."""
    settings, counts, plan = facts.settings, facts.counts, facts.plan
    report.run_id = facts.folder.run_id if facts.folder else ""
    report.data_model = settings.data_model
    report.destination = settings.destination
    report.warnings = list(facts.warnings)
    report.notes = note_counts(counts)
    _source(facts, report)
    _connector(facts, report)
    _reconciliation(facts, report)
    if plan is not None:
        report.proof = Proof(proven=plan.coverage.proven, reasons=list(plan.reasons))
        _planned(facts, plan, spool, report)
    times = report.times = Times(phases=facts.stages.phases, seconds=facts.stages.seconds)
    now = facts.tenant.now
    if now is not None:
        times.started = to_text(now)
        times.finished = to_text(now + timedelta(seconds=times.seconds))
    elif facts.sync is not None:
        times.started = facts.sync.started_at


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


def _planned(facts: Facts, plan: Plan, spool: Spool, report: Report) -> None:
    report.assets = sum(part.assets for part in facts.parts)
    report.severities = _severities(spool)
    report.files = _files(facts)
    report.gap = plan.gap
    before = plan.open_before
    closed = plan.count("close")
    report.closing = Closing(
        fixed=plan.count("close", decisions.FIXED),
        gone=plan.count("close", decisions.GONE),
        moved=plan.count("close", decisions.MOVED_AWAY, decisions.OTHER_MODEL),
        filtered=sum(
            count for cause, count in plan.closings.items() if cause.startswith(decisions.FILTERED)
        ),
        deleted_webapps=plan.count("close", decisions.DELETED_WEBAPP),
        open_before=before,
        open_after=None if before is None else max(before - closed + plan.opened, 0),
    )
    report.coverage = _coverage(plan)
    if facts.settings.destination == "dry_run":
        report.changes = Changes(
            new_assets=spool.number(NEW_ASSETS),
            opened=plan.opened,
            closed=closed,
            reopened=plan.count("open", decisions.AGAIN),
        )
    report.webapps_gone = list(_webapps_gone(plan, spool))
    report.webapps_not_covered = [
        WebApp(id=number, name=_name(plan, number), open=count)
        for number, count in not_covered(spool, plan.coverage).items()
    ]
    report.webapps_renamed = [RenamedWebApp(**one._asdict()) for one in plan.renamed]
    opened = dict(spool.execute(OPEN_OF_WEBAPPS, (plan.coverage.account,)))
    report.webapps_not_proven = [
        WebApp(id=number, name=_name(plan, number), open=opened.get(number, 0))
        for number in sorted(plan.coverage.unsettled)
    ]


def _coverage(plan: Plan) -> CoverageInfo:
    covered = plan.coverage
    left = {one.cause: one.entries - one.findings for one in plan.decided if one.action == "leave"}
    return CoverageInfo(
        source=covered.source,
        finding_types=sorted(covered.types),
        whole_account=covered.whole_account,
        webapps=len(covered.webapps),
        open=plan.covered_open,
        left=[CauseCount(cause=cause, count=count) for cause, count in left.items() if count > 0],
    )


def _severities(spool: Spool) -> list[SeverityCount]:
    found = {severity: SeverityCount(severity=severity) for severity in SEVERITIES}
    for severity, action, count in spool.execute(BY_SEVERITY):
        if severity not in found:
            continue
        if action == "open":
            found[severity].open += count
        else:
            found[severity].closed += count
    return list(found.values())


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


def _webapps_gone(plan: Plan, spool: Spool) -> Iterator[WebApp]:
    """Give the deleted web applications that something is open of."""
    for number, count in spool.execute(GONE_WEBAPPS, (plan.coverage.account,)):
        app = plan.shown.missing.get(number)
        yield WebApp(id=number, name=app.name if app else "", open=count)


def _name(plan: Plan, number: int) -> str:
    app = plan.sources.webapps.get(number)
    return (app.name if app else None) or ""
