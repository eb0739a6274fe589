"""Reports of runs that ended in every way, made up, for the page and the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_ciscovm.cvm.connector import COUNTERS
from target_ciscovm.output.timing import Phase
from target_ciscovm.report.changes import Change, Written
from target_ciscovm.report.model import (
    CauseCount,
    Changes,
    Closing,
    ConnectorInfo,
    CoverageInfo,
    FileInfo,
    FilterCount,
    Note,
    Proof,
    Reconciliation,
    RejectionCount,
    RenamedWebApp,
    Report,
    RunInfo,
    SeverityCount,
    SourceInfo,
    StreamCount,
    Times,
    WebApp,
    WebAppRow,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MARKUP: Final = "<script>alert('MARKUP')</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"


def succeeded() -> Report:
    return Report(
        run_id="20240506T080000Z-1",
        outcome="succeeded",
        exit_code=0,
        message="45,098 findings on 312 assets are in Cisco Vulnerability Management, and 53 were "
        "closed.",
        mode="full",
        destination="ciscovm",
        proof=Proof(proven=True),
        source=SourceInfo(
            api_url="https://qualysapi.example.test",
            subscription="6f9619ff-8b86-d011-b42d-00c04fc964ff",
            sync_id="s-1",
            started="2024-05-06T07:40:00Z",
            finished="2024-05-06T07:59:00Z",
        ),
        connector=ConnectorInfo(id=42, name="Qualys WAS", api_url="https://api.example.test"),
        run=RunInfo(
            id=7,
            started="2024-05-06T08:01:00Z",
            ended="2024-05-06T08:12:40Z",
            success=True,
            counters=dict.fromkeys(COUNTERS, 0)
            | {"processed_scanner_vuln_count": 45_121, "created_scanner_vuln_count": 120},
        ),
        reconciliation=Reconciliation(
            counted=48_311,
            fetched=48_311,
            received=48_311,
            filtered=1_200,
            filtered_by=[
                FilterCount(name="min_severity", filtered=1_000, will_close=12),
                FilterCount(name="exclude_potential", filtered=200),
            ],
            nothing_to_do=2_000,
            nothing_to_do_by=[
                CauseCount(cause="already closed", count=1_990),
                CauseCount(cause="outdated", count=10),
            ],
            rejected=3,
            rejected_by=[RejectionCount(stream="findings", reason="webApp: is missing", count=3)],
            superseded=10,
            mapped=45_098,
            closings=22,
            closings_by=[
                CauseCount(cause="gone", count=8),
                CauseCount(cause="moved away", count=2),
                CauseCount(cause="filtered: min_severity", count=12),
            ],
            entries=45_121,
            uploaded=45_121,
            processed=45_121,
            failed=0,
            created=120,
            closed=53,
            reopened=2,
        ),
        streams=[
            StreamCount(stream="webapps", counted=312, fetched=312, received=312),
            StreamCount(
                stream="findings",
                counted=48_311,
                fetched=48_311,
                received=48_311,
                rejected=3,
                superseded=10,
            ),
            StreamCount(stream="invoices", received=4, foreign=True),
        ],
        assets=312,
        severities=[
            SeverityCount(severity=1, open=9_000),
            SeverityCount(severity=2, open=14_820),
            SeverityCount(severity=3, open=15_002, closed=21),
            SeverityCount(severity=4, open=5_210, closed=8),
            SeverityCount(severity=5, open=1_036, closed=1),
        ],
        closing=Closing(
            fixed=31, gone=8, moved=2, filtered=12, open_before=47_000, open_after=47_067
        ),
        coverage=CoverageInfo(
            source="api",
            finding_types=["I", "S", "V"],
            whole_account=True,
            webapps=312,
            open=46_900,
            left=[CauseCount(cause="deleted web app", count=14)],
        ),
        changes=Changes(new_assets=4, opened=120, closed=53, reopened=2),
        webapps_renamed=[RenamedWebApp(id=17, before="Shop", now="Store")],
        webapps=[
            WebAppRow(id=17, name="Store", open=9, opened=3, covered="2024-05-06T07:40:00Z"),
            WebAppRow(id=900_001, name="Old shop", open=14, not_proven="deleted web app"),
        ],
        webapps_left_out=310,
        webapps_gone=[WebApp(id=900_001, name="Old shop", open=14)],
        files=[
            FileInfo(
                name="kdi-0001.json",
                bytes=49_812_345,
                assets=260,
                findings=40_012,
                data_file=11,
            ),
            FileInfo(name="kdi-0002.json", bytes=9_812, assets=52, findings=5_109, data_file=12),
        ],
        other_files=["changes.csv", "changes.jsonl", "rejected.jsonl"],
        times=Times(
            started="2024-05-06T08:00:00Z",
            finished="2024-05-06T08:13:05Z",
            seconds=785.2,
            phases=[
                Phase(name="reading", seconds=31.5),
                Phase(name="building", seconds=4.2),
                Phase(name="uploading", seconds=21.0),
                Phase(name="waiting for CVM", seconds=728.5),
            ],
        ),
        notes=[Note(text="status RETESTING is not known: taken as open", count=17)],
    )


def changes(text: str = "") -> Written:
    """Make more changes than a page shows; with a text, each of theirs begins with it."""
    first = [
        Change(
            action="open" if number % 2 else "close",
            cause=f"{text}{'new' if number % 2 else 'gone'}",
            webapp_id=number,
            webapp=f"{text}Shop {number}",
            url=f"{text}https://shop.example.test/{number}",
            qid=150_000 + number,
            title=f"{text}Injection",
            severity=5,
            identifier=f"{text}V-{number}-a",
            asset=f"{text}url:https://shop.example.test/{number}",
        )
        for number in range(200)
    ]
    return Written(first, 1_234)


def unproven() -> Report:
    report = succeeded()
    report.outcome = "succeeded_unproven"
    report.mode = "incremental"
    report.message = "The load is in Cisco Vulnerability Management; nothing was closed by absence."
    report.next_step = "The next complete full sync will close it."
    report.next_command = "TAP_QUALYSWAS_FULL_SYNC=true meltano run tap-qualyswas target-ciscovm"
    report.proof = Proof(proven=False, reasons=["the sync was incremental", "it began at a cursor"])
    report.reconciliation.counted = None
    report.reconciliation.closings = 0
    report.reconciliation.closings_by = []
    report.reconciliation.entries = 45_099
    report.closing = Closing(fixed=3, open_before=47_000, open_after=47_117)
    report.coverage.left = [CauseCount(cause="not proven", count=46_000)]
    report.webapps_not_covered = [WebApp(id=6, name="Old intranet", open=9)]
    report.webapps_not_proven = [WebApp(id=5, name="Intranet", open=3)]
    report.warnings = ["The licence of the tenant is over its limit: new assets get nothing."]
    return report


def failed() -> Report:
    """Stop before anything was sent: too many records were rejected."""
    report = succeeded()
    report.outcome = "failed"
    report.exit_code = 1
    report.message = "2,900 of 48,311 findings (6%) were rejected, more than max_failed_percent."
    report.next_step = "Look at rejected.jsonl, correct the source, or raise max_failed_percent."
    report.proof = Proof(proven=False, reasons=["records were rejected whose asset is unknown"])
    report.run = None
    report.next_command = "meltano run tap-qualyswas target-ciscovm"
    counts = report.reconciliation
    counts.rejected, counts.mapped = 2_900, 42_201
    counts.entries = 42_224
    counts.rejected_by[0].count = 2_900
    counts.uploaded = counts.processed = counts.failed = None
    counts.created = counts.closed = counts.reopened = None
    for file in report.files:
        file.data_file = None
    return report


def still_running() -> Report:
    report = succeeded()
    report.outcome = "still_running"
    report.exit_code = 3
    report.message = "Connector run 7 had not ended in CVM after 14,400 s."
    report.next_step = "Look at run 7 on the connector's page."
    report.run = RunInfo(id=7, started="2024-05-06T08:01:00Z")
    counts = report.reconciliation
    counts.processed = counts.failed = counts.created = counts.closed = counts.reopened = None
    return report


def aborted() -> Report:
    return Report(
        run_id="20240506T080000Z-2",
        outcome="aborted",
        exit_code=0,
        message="No scan has finished and there is no finding: nothing to load.",
        next_step="Look whether scans run in Qualys, and what the account may see.",
        mode="full",
        destination="ciscovm",
        connector=ConnectorInfo(id=42, name="Qualys WAS", api_url="https://api.example.test"),
        times=Times(started="2024-05-06T08:00:00Z", finished="2024-05-06T08:00:01Z", seconds=0.8),
    )


def refused() -> Report:
    return Report(
        outcome="refused",
        exit_code=2,
        message="Cisco Vulnerability Management does not accept the API key (HTTP 401).",
        next_step="Check api_key.",
        destination="ciscovm",
    )


def empty() -> Report:
    return Report()


def dry_run() -> Report:
    report = succeeded()
    report.destination = "dry_run"
    report.run = None
    report.message = "Dry run: 45,098 findings on 312 assets would be sent, 53 closed; nothing was."
    counts = report.reconciliation
    counts.uploaded = counts.processed = counts.failed = None
    counts.created = counts.closed = counts.reopened = None
    return report


def lossy() -> Report:
    """Load what came, though rows were lost on the way and CVM lacks what came before."""
    report = succeeded()
    report.outcome = "failed"
    report.exit_code = 1
    report.message = "45,000 findings are in CVM. But rows were lost on the way."
    report.next_step = "The tap's next sync reads everything and heals this."
    report.next_command = "meltano run tap-qualyswas target-ciscovm"
    report.gap = "this connector has no earlier load of the same account and filters"
    report.proof = Proof(proven=False, reasons=["48,271 findings arrived of 48,311"])
    counts = report.reconciliation
    counts.dropped_by_maps = 30
    counts.received -= 70
    counts.mapped -= 70
    counts.closings = 0
    counts.closings_by = []
    counts.entries = counts.uploaded = counts.processed = counts.mapped + 1
    report.closing = Closing(fixed=31, open_before=47_000, open_after=47_089)
    report.coverage.left = [CauseCount(cause="not proven", count=22)]
    return report


def stopped() -> Report:
    """Stop at the guard: the plan is there, and nothing was run."""
    report = dry_run()
    report.destination = "ciscovm"
    report.outcome = "failed"
    report.exit_code = 1
    report.message = "The load would close 30,000 of the 46,900 open findings that it covers."
    report.next_step = ""
    report.next_command = (
        "TARGET_CISCOVM_MAX_CLOSE_PERCENT=100 meltano run tap-qualyswas target-ciscovm"
    )
    return report


def huge() -> Report:
    report = succeeded()
    counts = report.reconciliation
    counts.counted = counts.fetched = counts.received = 9_223_372_036_854
    counts.filtered = 9_000_000_000_000
    counts.rejected, counts.superseded = 1, 72_036_854
    counts.nothing_to_do = 0
    counts.mapped = counts.received - counts.filtered - 1 - counts.superseded
    counts.entries = counts.mapped + counts.closings
    counts.uploaded = counts.entries
    counts.processed = 1
    counts.failed = 123_456_789
    counts.created = counts.closed = counts.reopened = 1_234_567_890_123
    report.severities = [SeverityCount(severity=1, open=counts.mapped, closed=1)]
    report.closing = Closing(fixed=1, gone=1_234_567_890_122)
    return report


def hostile() -> Report:
    """Put markup, steering characters and very long texts everywhere."""
    report = unproven()
    long = "long " * 300 + "x" * 400 + "\x1b[31m\x00\r\nfake line\u202e"
    text = MARKUP + long
    report.run_id = report.message = report.next_step = text
    report.connector = ConnectorInfo(id=42, name=text, api_url=text)
    report.source = SourceInfo(api_url=text, subscription=text, sync_id=text, started=text)
    report.warnings = [text] * 4
    report.notes = [Note(text=text, count=1)] * 6
    report.proof.reasons = [text] * 3
    report.webapps = [WebAppRow(id=None, name=text, not_proven=text, covered=text)] * 200
    report.webapps_gone = [WebApp(id=n, name=text, open=n) for n in range(40)]
    report.webapps_not_proven = [WebApp(id=1, name="")]
    report.webapps_not_covered = [WebApp(id=2, name=text)]
    report.webapps_renamed = [RenamedWebApp(id=3, before=text, now=text)]
    report.coverage.source = report.gap = report.next_command = text
    report.coverage.left = [CauseCount(cause=text, count=1)] * 9
    report.coverage.finding_types = [text]
    report.other_files = [text]
    report.streams.append(StreamCount(stream=text, foreign=True))
    report.files.append(FileInfo(name=text))
    report.times.phases.append(Phase(name=text, seconds=1))
    counts = report.reconciliation
    counts.filtered_by = [FilterCount(name=text, filtered=1) for _ in range(9)]
    counts.rejected_by = [RejectionCount(stream=text, reason=text, count=1) for _ in range(9)]
    counts.closings_by = counts.nothing_to_do_by = [CauseCount(cause=text, count=1)] * 9
    if report.run:
        report.run.counters[text] = 1
    return report


REPORTS: Final[dict[str, Callable[[], Report]]] = {
    make.__name__: make
    for make in (
        succeeded,
        unproven,
        failed,
        still_running,
        aborted,
        refused,
        empty,
        dry_run,
        lossy,
        stopped,
        huge,
        hostile,
    )
}
