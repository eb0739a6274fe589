"""The state of a CVM tenant, as plain values that are saved as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

# The types of fields are looked up at run time, when a saved tenant is read.
from datetime import datetime  # noqa: TC003
from typing import Final, Literal

Kind = Literal["vuln", "finding"]
Cause = Literal["explicit", "auto", "manual"]
Status = Literal[
    "open",
    "closed",
    "new",
    "in_progress",
    "triaged",
    "resolved",
    "false_positive",
    "risk_accepted",
    "duplicate",
    "not_a_security_issue",
]
Manual = Literal["closed", "false_positive", "risk_accepted"]

OPEN: Final = frozenset({"open", "new", "in_progress", "triaged"})
"""Of vulnerabilities the first; of findings those that CVM's list of findings shows by itself."""
CLOSED: Final = frozenset({"closed", "resolved"})


@dataclass
class Connector:
    """A connector; `host` is None for those that take files (Data Importer)."""

    id: int
    name: str
    host: str | None = None
    definition: str = "Kenna Data Importer"
    vendor: str = "Kenna"


@dataclass
class DataFile:
    """An uploaded file: its bytes are kept deflated, and only while it is young."""

    id: int
    connector_id: int
    size: int
    sha256: str
    uploaded_at: datetime
    deflated: bytes = b""


@dataclass
class Counters:
    """The counters of a connector run, named as in Cisco's OpenAPI file.

    No public text says how they overlap. Here `closed` and `autoclosed` are apart: the first
    counts what a file closed by name, the second what it lacked.
    """

    total_payload_count: int = 0
    processed_payload_count: int = 0
    failed_payload_count: int = 0
    processed_assets_count: int = 0
    assets_with_tags_reset_count: int = 0
    processed_scanner_vuln_count: int = 0
    updated_scanner_vuln_count: int = 0
    created_scanner_vuln_count: int = 0
    closed_scanner_vuln_count: int = 0
    autoclosed_scanner_vuln_count: int = 0
    reopened_scanner_vuln_count: int = 0
    closed_vuln_count: int = 0
    autoclosed_vuln_count: int = 0
    reopened_vuln_count: int = 0


@dataclass
class Run:
    """A connector run: on until `end_time` is set.

    Attributes:
        due: when it ends by itself.
        endless: a fault holds it open.
        problems: what the connector's page would show; no answer of the API has it.
        dropped: closings in payloads that failed, by the assets' ids and the scanner's identifiers.
    """

    id: int
    connector_id: int
    data_files: list[int]
    start_time: datetime
    due: datetime
    endless: bool = False
    end_time: datetime | None = None
    success: bool | None = None
    counters: Counters = field(default_factory=Counters)
    problems: list[str] = field(default_factory=list)
    dropped: set[tuple[int, str]] = field(default_factory=set)


@dataclass
class TagSources:
    """The sources of a tag: connectors with the time they last set it, people, the API."""

    connectors: dict[int, datetime] = field(default_factory=dict)
    api: bool = False
    ui: bool = False


@dataclass
class Entry:
    """What one connector says of one vulnerability (or finding) of one asset.

    Attributes:
        closed_by: who closed it; `manual` also for a finding that a person has taken out of the
            open ones by another state, such as `false_positive`.
        named: whether the definition's name is part of its identity.
    """

    kind: Kind
    connector_id: int
    scanner_type: str
    scanner_identifier: str
    name: str
    status: Status
    created_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None = None
    closed_by: Cause | None = None
    score: int | None = None
    port: int | None = None
    details: str | None = None
    identifiers: list[str] = field(default_factory=list)
    description: str | None = None
    solution: str | None = None
    additional_fields: dict[str, object] = field(default_factory=dict)
    id: int = 0
    vulnerability: str = ""
    named: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether the connector holds it open."""
        return self.status in OPEN

    @property
    def key(self) -> str:
        """Return the key of the entry within its asset."""
        return f"{self.kind} {self.connector_id} {self.identity}"

    @property
    def identity(self) -> str:
        """Return the scanner's identity of the entry."""
        name = f" {self.name}" if self.named else ""
        return f"{self.scanner_type} {self.scanner_identifier}{name}"


@dataclass
class Vulnerability:
    """The entries of all connectors that mean one vulnerability of an asset.

    Attributes:
        entries: keys of all its entries.
        open_entries: keys of those that hold it open; it is closed when none is left.
        manual: the status that a person has given it.
        priority: set by hand.
    """

    id: int
    created_at: datetime
    entries: list[str] = field(default_factory=list)
    open_entries: set[str] = field(default_factory=set)
    manual: Manual | None = None
    priority: int | None = None


@dataclass
class Asset:
    """An asset with all that is known of it."""

    id: int
    created_at: datetime
    last_seen: datetime
    locators: dict[str, str] = field(default_factory=dict)
    tags: dict[str, TagSources] = field(default_factory=dict)
    os: str | None = None
    owner: str | None = None
    priority: int = 10
    overage: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    vulnerabilities: dict[str, Vulnerability] = field(default_factory=dict)


@dataclass
class Closing:
    """One closing, kept forever: `explicit` if a file named it, `auto` if a file lacked it."""

    at: datetime
    cause: Cause
    kind: Kind
    connector_id: int
    run_id: int | None
    asset_id: int
    locators: dict[str, str]
    scanner_type: str
    scanner_identifier: str


@dataclass
class State:
    """The whole tenant."""

    api_key: str
    connectors: dict[int, Connector] = field(default_factory=dict)
    files: dict[int, DataFile] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    assets: dict[int, Asset] = field(default_factory=dict)
    closings: list[Closing] = field(default_factory=list)
    last_ids: dict[str, int] = field(default_factory=dict)

    def next_id(self, kind: str, first: int) -> int:
        """Return a new number for this kind."""
        self.last_ids[kind] = self.last_ids.get(kind, first - 1) + 1
        return self.last_ids[kind]
