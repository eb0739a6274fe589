"""What a run's report holds: the structure of `report.json`.

A run fills its `Report` as it goes, so one that ends early has a report of what it did.
Counts are of findings unless a field says otherwise; times are `YYYY-MM-DDTHH:MM:SSZ`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

# ruff: noqa: TC001 - msgspec reads the types
from target_ciscovm.kdi.types import DataModel
from target_ciscovm.outcomes import WELL, Destination, Outcome
from target_ciscovm.output.timing import Phase, Seconds
from target_ciscovm.report.holdings import Holdings

Count = Annotated[int, Meta(ge=0)]

Mode = Literal["full", "incremental"]


class _Part(Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts; a misspelt name is an error, not a lost number."""


class Proof(_Part):
    """Whether the load closes what is gone from Qualys."""

    proven: Annotated[bool, Meta(description="true: what is gone from Qualys was closed")] = False
    reasons: Annotated[list[str], Meta(description="why it was not proven; empty when it was")] = (
        field(default_factory=list)
    )
    last: Annotated[
        str | None,
        Meta(description="beginning of this connector's last proven sync; null: none so far"),
    ] = None


class FilterCount(_Part):
    """One filter's work."""

    name: Annotated[str, Meta(description="the setting that filters, such as min_severity")]
    filtered: Annotated[Count, Meta(description="findings left out by it")] = 0
    will_close: Annotated[
        Count, Meta(description="of these, findings now open in CVM that this load closes")
    ] = 0


class RejectionCount(_Part):
    """Records that were rejected for one reason."""

    stream: str
    reason: str
    count: Count = 0


class StreamCount(_Part):
    """One stream, from Qualys's own count to what became of its rows, counted in rows."""

    stream: str
    counted: Annotated[Count | None, Meta(description="Qualys's count; null if unknown")] = None
    fetched: Annotated[Count | None, Meta(description="rows the tap wrote; null if unknown")] = None
    received: Count = 0
    rejected: Count = 0
    superseded: Annotated[Count, Meta(description="a later row had the same key")] = 0
    foreign: Annotated[bool, Meta(description="true: an unknown stream, ignored")] = False


class CauseCount(_Part):
    """How many there are of one cause."""

    cause: str
    count: Count = 0


class Reconciliation(_Part):
    """Where each finding went, left to right.

    received = filtered + nothing_to_do + rejected + superseded + mapped. Entries sent to CVM are
    mapped findings, at each asset where a fix closes them, and the closings of other causes.
    From `processed` on the numbers are CVM's, of scanner vulnerabilities; `failed` is of payloads.
    null: unknown, or the run did not get that far.
    """

    counted: Annotated[Count | None, Meta(description="Qualys's own count")] = None
    fetched: Annotated[Count | None, Meta(description="findings the tap wrote")] = None
    dropped_by_maps: Annotated[Count, Meta(description="by stream maps of the target")] = 0
    received: Annotated[Count, Meta(description="findings that arrived here")] = 0
    filtered: Annotated[Count, Meta(description="left out by a filter")] = 0
    filtered_by: list[FilterCount] = field(default_factory=list)
    nothing_to_do: Annotated[
        Count, Meta(description="change nothing in CVM, such as fixes of what is not open")
    ] = 0
    nothing_to_do_by: list[CauseCount] = field(default_factory=list)
    rejected: Annotated[Count, Meta(description="against the contract, see rejected.jsonl")] = 0
    rejected_by: list[RejectionCount] = field(default_factory=list)
    superseded: Annotated[Count, Meta(description="a later row had the same key")] = 0
    mapped: Annotated[Count, Meta(description="written into KDI files")] = 0
    closings: Annotated[
        Count, Meta(description="entries closed for another cause than a fix in this load")
    ] = 0
    closings_by: list[CauseCount] = field(default_factory=list)
    entries: Annotated[
        Count | None, Meta(description="opened and closed; null before the plan was made")
    ] = None
    uploaded: Annotated[Count | None, Meta(description="entries in files that CVM took")] = None
    processed: Annotated[Count | None, Meta(description="processed_scanner_vuln_count")] = None
    failed: Annotated[Count | None, Meta(description="failed_payload_count")] = None
    created: Annotated[Count | None, Meta(description="created_scanner_vuln_count")] = None
    closed: Annotated[
        Count | None,
        Meta(description="closed_scanner_vuln_count + autoclosed_scanner_vuln_count"),
    ] = None
    reopened: Annotated[Count | None, Meta(description="reopened_scanner_vuln_count")] = None

    @property
    def lost(self) -> int:
        """Findings that the tap read and that did not arrive here, as far as it tells."""
        return max((self.fetched or 0) - self.received - self.dropped_by_maps, 0)

    @property
    def fixed_again(self) -> int:
        """Entries that close one fixed finding at further assets."""
        return max((self.entries or 0) - self.mapped - self.closings, 0)


class SeverityCount(_Part):
    """Findings of one Qualys severity in the load."""

    severity: Annotated[int, Meta(ge=1, le=5)]
    open: Annotated[Count, Meta(description="sent as open")] = 0
    closed: Annotated[Count, Meta(description="sent as closed")] = 0


class Closing(_Part):
    """What the load closes in CVM and why, by the plan; CVM's own counts are in `run`."""

    fixed: Annotated[Count, Meta(description="fixed in Qualys")] = 0
    gone: Annotated[Count, Meta(description="gone from Qualys, proven")] = 0
    moved: Annotated[Count, Meta(description="open at another asset now")] = 0
    filtered: Annotated[Count, Meta(description="now left out by a filter")] = 0
    deleted_webapps: Annotated[Count, Meta(description="of web apps gone from Qualys")] = 0
    again: Annotated[
        Count,
        Meta(description="of all these, sent by an earlier load too, of which CVM failed a part"),
    ] = 0
    open_before: Annotated[Count | None, Meta(description="open before, by the ledger")] = None
    open_after: Annotated[Count | None, Meta(description="open after this load")] = None


class WebApp(_Part):
    """A web application of Qualys."""

    id: int
    name: str = ""
    open: Annotated[Count, Meta(description="findings of it open in CVM, by the ledger")] = 0


class WebAppRow(_Part):
    """What CVM has of a web application, and what the load changes."""

    id: Annotated[int | None, Meta(description="null: of findings that name none")] = None
    name: str = ""
    open: Annotated[Count, Meta(description="open in CVM after this load")] = 0
    opened: Annotated[Count, Meta(description="as in `changes`")] = 0
    closed: Annotated[Count, Meta(description="as in `changes`")] = 0
    moved: Annotated[Count, Meta(description="of the closed ones, open at another asset now")] = 0
    not_proven: Annotated[
        str, Meta(description="why what is missing of it stays open; empty: it is closed")
    ] = ""
    covered: Annotated[
        str | None, Meta(description="beginning of the last sync that covers it; null: none so far")
    ] = None


class RenamedWebApp(_Part):
    """A web application with another name than before; CVM may keep showing the old one."""

    id: int
    before: str
    now: str


class CoverageInfo(_Part):
    """What a load covers: what it lacks of this is gone."""

    source: str | None = None
    finding_types: Annotated[list[str], Meta(description="V, S, I by type")] = field(
        default_factory=list
    )
    whole_account: bool = False
    webapps: Annotated[Count, Meta(description="web applications read to their end")] = 0
    open: Annotated[Count, Meta(description="open before, and covered")] = 0
    left: Annotated[
        list[CauseCount], Meta(description="open entries that stay as they are, by cause")
    ] = field(default_factory=list)


class ConnectorInfo(_Part):
    """The connector in CVM."""

    id: int
    name: Annotated[str, Meta(description="empty where CVM was not reached")] = ""
    api_url: str = ""

    @property
    def title(self) -> str:
        """Give its number, with its name as far as that is known."""
        return f"{self.id} ({self.name})" if self.name else str(self.id)


class RunInfo(_Part):
    """The connector run in CVM, with all its counters under CVM's own names."""

    id: int
    started: str | None = None
    ended: str | None = None
    success: bool | None = None
    counters: dict[str, Count] = field(default_factory=dict)


class SourceInfo(_Part):
    """Where the findings came from, by the tap's `syncs` row."""

    api_url: str | None = None
    subscription: str | None = None
    sync_id: str | None = None
    started: str | None = None
    finished: str | None = None


class FileInfo(_Part):
    """One KDI file."""

    name: str
    bytes: Count = 0
    assets: Count = 0
    findings: Count = 0
    data_file: Annotated[int | None, Meta(description="its id in CVM, null if not sent")] = None


class Times(_Part):
    """When and how long; `started` and `finished` are the servers' time."""

    started: str | None = None
    finished: str | None = None
    seconds: Seconds = 0.0
    phases: list[Phase] = field(default_factory=list)


class Note(_Part):
    """Something counted that a person may want to know, such as an unknown status."""

    text: str
    count: Count = 1


class AssetTags(_Part):
    """Tags of one asset."""

    asset: str
    tags: list[str]


class Changes(_Part):
    """What a load changes in CVM by the plan, or would change where it was not run."""

    new_assets: Annotated[Count, Meta(description="assets that CVM did not have")] = 0
    opened: Annotated[
        Count, Meta(description="entries that were not open at their asset, also moved ones")
    ] = 0
    closed: Count = 0
    reopened: Annotated[Count, Meta(description="of the opened ones, closed before")] = 0


class Report(_Part):
    """The whole report of one run of the target."""

    version: Annotated[Literal[1], Meta(description="version of this format")] = 1
    run_id: Annotated[str, Meta(description="name of the run's folder")] = ""
    outcome: Outcome = "failed"
    exit_code: Annotated[int, Meta(ge=0, le=255)] = 1
    message: Annotated[str, Meta(description="one sentence: what happened")] = ""
    next_step: Annotated[str, Meta(description="what to do next; empty: nothing")] = ""
    next_command: Annotated[
        str, Meta(description="the same as a command to be copied; empty: nothing to run")
    ] = ""
    mode: Annotated[Mode | None, Meta(description="the tap's mode; null: no syncs record")] = None
    data_model: DataModel = "vulnerabilities"
    destination: Destination = "files"
    proof: Proof = field(default_factory=Proof)
    source: SourceInfo = field(default_factory=SourceInfo)
    connector: ConnectorInfo | None = None
    run: Annotated[RunInfo | None, Meta(description="the run in CVM, null if none started")] = None
    reconciliation: Reconciliation = field(default_factory=Reconciliation)
    streams: list[StreamCount] = field(default_factory=list)
    assets: Annotated[Count, Meta(description="assets in the load")] = 0
    severities: list[SeverityCount] = field(default_factory=list)
    closing: Closing = field(default_factory=Closing)
    coverage: CoverageInfo = field(default_factory=CoverageInfo)
    gap: Annotated[
        str | None, Meta(description="why CVM lacks what came before; null: it lacks nothing")
    ] = None
    changes: Annotated[
        Changes | None, Meta(description="null: no ledger tells what is a change")
    ] = None
    verification: Annotated[
        Holdings | None, Meta(description="what CVM holds after the load; null: not asked for")
    ] = None
    webapps: Annotated[
        list[WebAppRow],
        Meta(description="the 200 with the most changes, then the most open; empty: no ledger"),
    ] = field(default_factory=list)
    webapps_left_out: Annotated[Count, Meta(description="more web applications than these")] = 0
    webapps_gone: list[WebApp] = field(default_factory=list)
    webapps_not_proven: list[WebApp] = field(default_factory=list)
    webapps_not_covered: Annotated[
        list[WebApp], Meta(description="with open findings that no sync has covered for 30 days")
    ] = field(default_factory=list)
    webapps_renamed: list[RenamedWebApp] = field(default_factory=list)
    tags_dropped: Annotated[
        list[AssetTags],
        Meta(description="that Qualys no longer has and CVM keeps, of the first 1,000 assets"),
    ] = field(default_factory=list)
    files: list[FileInfo] = field(default_factory=list)
    other_files: Annotated[
        list[str], Meta(description="in the run's folder: lists of changes and of rejected records")
    ] = field(default_factory=list)
    times: Times = field(default_factory=Times)
    warnings: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def was_applied(self) -> bool:
        """Whether CVM has run the load, or is running it."""
        if self.destination != "ciscovm":
            return False
        if self.run is None:  # nothing had to be sent
            return self.outcome in WELL
        goes_on = self.outcome in {"still_running", "interrupted"}
        return self.run.success is True or (self.run.success is None and goes_on)

    @property
    def open_now(self) -> int | None:
        """What is open in CVM after the run, by the ledger; None where nobody knows."""
        return self.closing.open_after if self.was_applied else self.closing.open_before
