"""The objects of the made-up world: tags, QIDs, web apps, scans, findings.

Moments are whole seconds since 1970, UTC: a million findings fit in memory that way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from datetime import datetime

VULNERABILITY: Final = "VULNERABILITY"
SENSITIVE_CONTENT: Final = "SENSITIVE_CONTENT"
INFORMATION_GATHERED: Final = "INFORMATION_GATHERED"
FINDING_TYPES: Final = (VULNERABILITY, SENSITIVE_CONTENT, INFORMATION_GATHERED)

FIXED: Final = "FIXED"
ENDED: Final = frozenset({"FINISHED", "CANCELED", "ERROR"})
"""Scan statuses after which nothing more comes, unless the results are still being processed."""


@lru_cache(maxsize=65536)
def iso(moment: int) -> str:
    """Write a moment as Qualys does, `YYYY-MM-DDTHH:MM:SSZ`."""
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(moment))


def seconds(moment: datetime) -> int:
    """Return an aware moment in the world's own unit."""
    return int(moment.timestamp())


@dataclass(slots=True)
class Tag:
    """A tag of the subscription.

    Attributes:
        rule: what a rule of that type looks for; empty for tags that people give.
    """

    id: int
    name: str
    created: int = 0
    parent: Tag | None = field(default=None, compare=False, repr=False)
    rule_type: str = "STATIC"
    rule: str = ""
    children: list[Tag] = field(default_factory=list, compare=False, repr=False)


@dataclass(slots=True)
class Classification:
    """One OWASP or WASC entry; `code` carries no year, as with Qualys."""

    name: str
    url: str
    code: int


@dataclass(slots=True)
class Entry:
    """The knowledge base's part of a QID: its texts are old HTML, like the real ones.

    Attributes:
        software: products with their vendors.
        references: the vendors' own, with their URLs.
        threats: numbers and names of threat intelligence.
    """

    category: str
    diagnosis: str
    consequence: str | None
    solution: str | None
    software: tuple[tuple[str, str], ...]
    references: tuple[tuple[str, str], ...]
    cves: tuple[str, ...]
    cvss: tuple[float, float, str] | None
    cvss_v3: tuple[float, float, str] | None
    patchable: bool
    pci: bool
    threats: tuple[tuple[int, str], ...]
    published: int
    modified: int


@dataclass(slots=True)
class Qid:
    """A detection: what all findings of one QID share. `entry` is None for unknown QIDs."""

    qid: int
    type: str
    title: str
    severity: int
    potential: bool
    group: str
    cwe: tuple[int, ...]
    owasp: tuple[Classification, ...]
    wasc: tuple[Classification, ...]
    attack: tuple[float, float, str] | None
    entry: Entry | None


@dataclass(slots=True)
class WebApp:
    """A web application; its name and URL need not be unique.

    Attributes:
        attributes: custom ones, values by name.
    """

    id: int
    name: str
    url: str
    created: int
    updated: int
    owner: int
    paths: list[str]
    tags: list[Tag] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    os: str | None = None
    scheduled: bool = False
    last_scan: Scan | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A finding as a scan has written it down.

    Attributes:
        number: what texts of its evidence differ by.
        title: the QID's, at that time.
    """

    type: str
    qid: Qid
    title: str
    url: str | None
    param: str | None
    severity: int
    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """The results of a scan as they were written at its end."""

    app_name: str
    app_url: str
    rows: tuple[Reported, ...]


@dataclass(slots=True)
class Scan:
    """A scan of one web app. `news` waits until its results are published.

    Attributes:
        results: Qualys's resultsStatus; `status` FINISHED with PROCESSING is not over yet.
        news: findings that this scan has seen for the first time (not visible before it ends).
        gone: findings that it has tested and not seen.
        returned: fixed findings that it has seen again.
        report: what it has written down at its end; nothing changes it later.
    """

    id: int
    name: str
    reference: str
    app: WebApp
    launched: int
    type: str = VULNERABILITY
    mode: str = "SCHEDULED"
    status: str = "RUNNING"
    results: str = "TO_BE_PROCESSED"
    ended: int | None = None
    os: str | None = None
    canceled: bool = False
    news: list[Finding] = field(default_factory=list)
    gone: list[Finding] = field(default_factory=list)
    returned: list[Finding] = field(default_factory=list)
    report: Report | None = None

    @property
    def over(self) -> bool:
        """Return whether the scan and its results are complete."""
        return self.status in ENDED and self.results not in {"PROCESSING", "TO_BE_PROCESSED"}


@dataclass(slots=True)
class Ignore:
    """Who ignored a finding, when and why; Qualys sometimes has no reason."""

    reason: str | None
    moment: int
    comment: str


@dataclass(slots=True)
class Finding:
    """One detection on one web app, through all scans.

    Attributes:
        url: None for INFORMATION_GATHERED, as are `status` and `times`.
        edited: when a person changed the severity, and from which.
    """

    id: int
    type: str
    app: WebApp
    qid: Qid
    url: str | None
    param: str | None
    severity: int
    status: str | None
    first: int
    last: int
    tested: int
    updated: int
    fixed: int | None = None
    times: int = 1
    ignored: Ignore | None = None
    edited: tuple[int, int] | None = None

    @property
    def open(self) -> bool:
        """Return whether it counts as open: anything but FIXED, ignored or not."""
        return self.status != FIXED


def unique_id(seed: int, finding: Finding) -> str:
    """Return the finding's UUID: the same for the same world, type and id, always."""
    return unique_id_of(seed, finding.type, finding.id)


@lru_cache(maxsize=1 << 16)
def unique_id_of(seed: int, finding_type: str, finding_id: int) -> str:
    """Return the UUID that `unique_id` gives, from the parts that make it."""
    text = f"{seed}/{finding_type}/{finding_id}".encode()
    return str(UUID(bytes=hashlib.blake2b(text, digest_size=16).digest(), version=4))
