"""From a Qualys finding to a KDI vulnerability or finding. Pure."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

import msgspec

from qualyswas_ciscovm.dates import to_utc
from target_ciscovm.kdi.types import SCANNER_TYPE, DataModel, TriageState, Vuln, VulnStatus
from target_ciscovm.kdi.types import Finding as KDIFinding
from target_ciscovm.mapping.details import as_fields, as_text
from target_ciscovm.mapping.records import LETTERS, UNKNOWN_TYPE
from target_ciscovm.mapping.text import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_ciscovm.mapping.records import Finding

Item = Vuln | KDIFinding

OPEN_STATUSES: Final = frozenset({"NEW", "ACTIVE", "REOPENED", "PROTECTED"})
FIXED: Final = "FIXED"
KNOWN_STATUSES: Final = OPEN_STATUSES | {FIXED}
WITHOUT_STATUS: Final = "INFORMATION_GATHERED"
"""The finding type whose rows never have a status (recorded answers)."""

IGNORED: Final[dict[str, TriageState]] = {
    "FALSE_POSITIVE": "false_positive",
    "RISK_ACCEPTED": "risk_accepted",
    "NOT_APPLICABLE": "not_a_security_issue",
}
NO_REASON: Final[TriageState] = "risk_accepted"
CLOSED: Final = frozenset({"closed", "resolved"})
"""KDI's words for a state that closes an entry in CVM."""
OPEN_OR_CLOSED: Final = CLOSED | {"open", "new", None}
DATES: Final = ("firstDetectedDate", "lastDetectedDate", "lastTestedDate", "fixedDate")
_dates: Final = attrgetter(
    "first_detected_date", "last_detected_date", "last_tested_date", "fixed_date"
)
LOWEST: Final = 1
HIGHEST: Final = 5


class MappingRules(msgspec.Struct, frozen=True):
    """How findings are mapped: the settings of the same names."""

    data_model: DataModel = "vulnerabilities"
    status_map: Mapping[str, str] = msgspec.field(default_factory=dict)
    map_ignored: bool = False
    with_evidence: bool = True


class Moments(msgspec.Struct, gc=False):
    """The dates of a finding in UTC, as KDI writes them; None for one that cannot be read.

    Attributes:
        last_seen: when it was last seen, never "now". The docs give the order of the dates.
    """

    first_detected: str | None
    last_detected: str | None
    last_tested: str | None
    fixed: str | None
    last_seen: str | None

    @property
    def last_looked_at(self) -> str:
        """When Qualys last tested the finding, with any result; empty if unknown."""
        return max(
            self.last_tested or "",
            self.last_detected or "",
            self.first_detected or "",
            self.fixed or "",
        )

    @property
    def closed(self) -> str | None:
        """When it was found to be fixed."""
        return self.fixed or self.last_tested


def moments(finding: Finding) -> Moments:
    """Read the finding's dates."""
    first = to_utc(finding.first_detected_date)
    last = to_utc(finding.last_detected_date)
    tested = to_utc(finding.last_tested_date)
    fixed = to_utc(finding.fixed_date)
    return Moments(first, last, tested, fixed, last or tested or fixed or first)


def finding_problem(finding: Finding, at: Moments) -> str | None:
    """Say why a finding cannot be loaded, None when it can."""
    if finding.key is None:
        return "it has no uniqueId, and no id with a type"
    if finding.qid is None and not one_line(finding.name):
        return "it has neither a qid nor a name"
    if finding.status is None and finding.type != WITHOUT_STATUS:
        return f"it has no status, which only {WITHOUT_STATUS} rows may lack"
    if at.last_seen is None:
        return "it has no readable date"
    return None


def state_of(item: Item) -> VulnStatus | TriageState | None:
    """Give the state that the item gives its entry in CVM, None for what leaves it as it is."""
    return item.status if isinstance(item, Vuln) else item.triage_state


def notes(finding: Finding, at: Moments, rules: MappingRules) -> list[str]:
    """Name what was not as expected and how it was read, for the notes of the report."""
    found = []
    status = finding.status
    if status and status not in KNOWN_STATUSES and status not in rules.status_map:
        found.append(f"unknown status {status[:40]}: taken as open")
    if finding.severity is not None and _severity(finding) is None:
        found.append(f"severity {finding.severity} is not 1 to 5: left out")
    if rules.map_ignored and finding.is_ignored and _ignored(finding) is None:
        found.append(f"ignored without a known reason: taken as {NO_REASON}")
    if (
        (at.fixed is None and finding.fixed_date)
        or (at.first_detected is None and finding.first_detected_date)
        or (at.last_detected is None and finding.last_detected_date)
        or (at.last_tested is None and finding.last_tested_date)
    ):
        found += _unreadable(finding, at)
    return found


def _unreadable(finding: Finding, at: Moments) -> Iterator[str]:
    dates = (at.first_detected, at.last_detected, at.last_tested, at.fixed)
    for name, text, date in zip(DATES, _dates(finding), dates, strict=True):
        if date is None and text and not text.isspace():
            yield f"{name} is not a readable date: left out"


def map_finding(finding: Finding, at: Moments, rules: MappingRules) -> Item:
    """Give the finding in KDI's form and the data model of the rules, without its definition.

    The finding must have passed `finding_problem`.
    """
    if rules.data_model == "findings":
        return _map_finding(finding, at, rules)
    return _map_vuln(finding, at, rules)


def closed_item(
    identifier: str,
    vuln_def_name: str,
    *,
    last_seen_at: str,
    closed_at: str,
    data_model: DataModel,
) -> Item:
    """Give an entry that closes the one with this identifier in CVM."""
    if data_model == "findings":
        return KDIFinding(
            scanner_type=SCANNER_TYPE,
            scanner_identifier=identifier,
            vuln_def_name=vuln_def_name,
            last_seen_at=last_seen_at,
            triage_state="resolved",
        )
    return Vuln(
        scanner_type=SCANNER_TYPE,
        scanner_identifier=identifier,
        vuln_def_name=vuln_def_name,
        status="closed",
        last_seen_at=last_seen_at,
        closed_at=closed_at,
    )


def identifier_of(finding: Finding) -> str:
    """Give `scanner_identifier`: no severity, date or count is in it, so it never changes.

    It is all of an entry that CVM gives back, so it holds the finding's type and web application.
    """
    app = finding.web_app
    letter = LETTERS.get(finding.type or "", UNKNOWN_TYPE)
    return shorten(f"{letter}-{(app and app.id) or 0}-{finding.key or ''}")


def _map_vuln(finding: Finding, at: Moments, rules: MappingRules) -> Vuln:
    status = _status(finding, rules)
    seen = at.last_seen or ""
    return Vuln(
        scanner_type=SCANNER_TYPE,
        scanner_identifier=identifier_of(finding),
        status=cast("VulnStatus", status),
        last_seen_at=seen,
        scanner_score=_severity(finding),
        created_at=at.first_detected,
        closed_at=at.closed or seen if status == "closed" else None,
        details=as_text(finding, with_evidence=rules.with_evidence),
    )


def _map_finding(finding: Finding, at: Moments, rules: MappingRules) -> KDIFinding:
    severity = _severity(finding)
    return KDIFinding(
        scanner_type=SCANNER_TYPE,
        scanner_identifier=identifier_of(finding),
        last_seen_at=at.last_seen or "",
        severity=None if severity is None else severity * 2,
        triage_state=cast("TriageState | None", _status(finding, rules)),
        created_at=at.first_detected,
        additional_fields=as_fields(finding, with_evidence=rules.with_evidence),
    )


def _severity(finding: Finding) -> int | None:
    severity = finding.severity
    return severity if severity is not None and LOWEST <= severity <= HIGHEST else None


def _ignored(finding: Finding) -> TriageState | None:
    return IGNORED.get((finding.ignored_reason or "").strip().upper())


def _status(finding: Finding, rules: MappingRules) -> str | None:
    """Give KDI's word for the finding's state; None leaves the users' triage unchanged.

    The settings let only KDI's own words into `status_map`.
    """
    appsec = rules.data_model == "findings"
    status = finding.status
    if status is not None and status in rules.status_map:
        return rules.status_map[status]
    if status == FIXED:
        return "resolved" if appsec else "closed"
    if rules.map_ignored and finding.is_ignored:
        state = _ignored(finding) or NO_REASON
        return "false_positive" if state == "not_a_security_issue" and not appsec else state
    if appsec:
        return "new" if status == "REOPENED" else None
    return "open"
