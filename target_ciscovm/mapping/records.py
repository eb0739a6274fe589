"""The records that a load uses, as types. Names are Qualys's own, in Python's spelling.

Only what a load needs is declared, and nothing is required: `finding.finding_problem` says what a
finding must have, so that a person can read the reason for a rejection.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number of 64 bits, which is what Qualys has and SQLite can store."""

WORDS: Final = frozenset(
    {"NEW", "ACTIVE", "REOPENED", "PROTECTED", "FIXED"}
    | {"VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED", None}
)
"""Statuses and types of findings, as Qualys's API writes them; None where it tells none."""

LETTERS: Final = {"VULNERABILITY": "V", "SENSITIVE_CONTENT": "S", "INFORMATION_GATHERED": "I"}
"""Finding types as identifiers have them."""
UNKNOWN_TYPE: Final = "V"
"""What stands for a type that is not told, or not known."""


class Record(Struct, kw_only=True, rename="camel", gc=False):
    """Base of all records: camelCase on the wire, unknown fields ignored."""


class Tag(Record):
    """A tag of Qualys."""

    id: Integer | None = None
    name: str | None = None


class TagNode(Tag):
    """A row of `tags`: a tag, and the one above it."""

    parent_tag_id: Integer | None = None


class Attribute(Record):
    """A custom attribute of a web application."""

    name: str | None = None
    value: str | None = None


class WebAppRef(Record):
    """The web application as findings and scans name it."""

    id: Integer | None = None
    name: str | None = None
    url: str | None = None
    tags: list[Tag] | None = None


class Classification(Record):
    """An OWASP or WASC entry; `code` is the number within its list."""

    name: str | None = None
    url: str | None = None
    code: Integer | None = None


class Score(Record):
    """A CVSS score."""

    base: float | None = None
    temporal: float | None = None
    vector: str | None = None
    attack_vector: str | None = None


def _word(text: str | None) -> str | None:
    return (text or "").strip().upper() or None


class Finding(Record):
    """A row of `findings`, in the order in which the tap writes it: so it is read faster."""

    id: Integer | None = None
    unique_id: str | None = None
    qid: Integer | None = None
    detection_score: Integer | None = None
    name: str | None = None
    type: str | None = None
    potential: bool | None = None
    finding_type: str | None = None
    severity: Integer | None = None
    param: str | None = None
    url: str | None = None
    status: str | None = None
    function: str | None = None
    content: str | None = None
    group: str | None = None
    cwe: list[Integer] | None = None
    owasp: list[Classification] | None = None
    wasc: list[Classification] | None = None
    cvss_v3: Score | None = None
    first_detected_date: str | None = None
    last_detected_date: str | None = None
    last_tested_date: str | None = None
    fixed_date: str | None = None
    times_detected: Integer | None = None
    is_ignored: bool | None = None
    ignored_reason: str | None = None
    ignored_comment: str | None = None
    external_ref: str | None = None
    patch: Integer | None = None
    web_app: WebAppRef | None = None
    result_list: object = None
    ssl_data: object = None

    def spell_words(self) -> None:
        """Bring words to the API's spelling: other programs write `Active` or empty text."""
        if self.status not in WORDS:
            self.status = _word(self.status)
        if self.type not in WORDS:
            self.type = _word(self.type)

    @property
    def has_unique_id(self) -> bool:
        """Tell whether `key` is its `uniqueId`, and that of Qualys: the tap puts type and id there.

        It does so where Qualys told none.
        """
        unique = (self.unique_id or "").strip()
        return bool(unique) and unique != f"{self.type}-{self.id}"

    @property
    def key(self) -> str | None:
        """Give what tells the finding from others of its type: `uniqueId`, else `id`."""
        if self.unique_id and (key := self.unique_id.strip()):
            return key
        return str(self.id) if self.type and self.id is not None else None


class WebApp(Record):
    """A row of `webapps`."""

    id: Integer | None = None
    name: str | None = None
    url: str | None = None
    os: str | None = None
    tags: list[Tag] | None = None
    attributes: list[Attribute] | None = None


class ScanSummary(Record):
    """What a scan says about its outcome."""

    results_status: str | None = None
    os: str | None = None


class Scan(Record):
    """A row of `scans`."""

    id: Integer | None = None
    type: str | None = None
    status: str | None = None
    web_app: WebAppRef | None = None
    launched_date: str | None = None
    end_scan_date: str | None = None
    summary: ScanSummary | None = None


class KnowledgeBaseEntry(Record):
    """A row of `knowledge_base`."""

    qid: Integer | None = None
    title: str | None = None
    diagnosis: str | None = None
    solution: str | None = None
    cves: list[str] | None = None
    cwe: list[Integer] | None = None
    wasc: list[Classification] | None = None
    owasp: list[Classification] | None = None


class SyncStream(Record):
    """What the tap says about one stream."""

    stream: str = ""
    read: Integer | None = None
    emitted: Integer | None = None
    digest: str | None = None
    counted: Integer | None = None
    duplicates: Integer | None = None
    window_start: str | None = None


class CoveredWebApps(Record):
    """The web applications of a coverage."""

    read: Integer | None = None
    not_proven: list[Integer] | None = None
    changed: list[Integer] | None = None


class SyncCoverage(Record):
    """What a sync has read to its end."""

    source: str | None = None
    finding_types: list[str] | None = None
    whole_account: bool | None = None
    web_apps: CoveredWebApps | None = None
    since: str | None = None


class Sync(Record):
    """The row of `syncs`: the proof of what was read, and what it covers."""

    sync_id: str | None = None
    contract: Integer | None = None
    tap_version: str | None = None
    mode: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    previous_sync_at: str | None = None
    previous_full_sync_at: str | None = None
    complete: bool = False
    incomplete_reasons: list[str] = field(default_factory=list)
    api_url: str | None = None
    subscription: str | None = None
    login: str | None = None
    filters: dict[str, object] | None = None
    coverage: SyncCoverage | None = None
    streams: list[SyncStream] = field(default_factory=list)


TYPES: Final[dict[str, type[Record]]] = {
    "findings": Finding,
    "webapps": WebApp,
    "scans": Scan,
    "knowledge_base": KnowledgeBaseEntry,
    "tags": TagNode,
    "syncs": Sync,
}
"""The streams that a load uses, and the type of their rows."""

PASSED_OVER: Final = frozenset({"scan_results"})
"""Streams of the paired tap that a load does not use."""

KEYS: Final = {
    "webapps": "id",
    "scans": "id",
    "knowledge_base": "qid",
    "tags": "id",
    "syncs": "sync_id",
}
"""The key of each stream but `findings`, whose key is `Finding.key`."""
