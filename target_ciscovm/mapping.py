"""From a finding of Qualys to a vulnerability or finding of KDI. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

from target_ciscovm import kdi_types as kdi
from target_ciscovm.dates import to_utc
from target_ciscovm.details import as_fields, as_text
from target_ciscovm.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.records import Finding

Item = kdi.Vuln | kdi.Finding

OPEN_STATUSES: Final = frozenset({"NEW", "ACTIVE", "REOPENED", "PROTECTED"})
FIXED: Final = "FIXED"
WITHOUT_STATUS: Final = "INFORMATION_GATHERED"
"""The finding type whose rows never have a status (recorded answers)."""

IGNORED: Final[dict[str, kdi.TriageState]] = {
    "FALSE_POSITIVE": "false_positive",
    "RISK_ACCEPTED": "risk_accepted",
    "NOT_APPLICABLE": "not_a_security_issue",
}
NO_REASON: Final[kdi.TriageState] = "risk_accepted"
DATES: Final = ("firstDetectedDate", "lastDetectedDate", "lastTestedDate", "fixedDate")
_DATES: Final = attrgetter(
    "first_detected_date", "last_detected_date", "last_tested_date", "fixed_date"
)
LOWEST: Final = 1
HIGHEST: Final = 5


@dataclass(frozen=True)
class MappingRules:
    """How findings are mapped: the settings of the same names."""

    data_model: kdi.DataModel = "vulnerabilities"
    status_map: Mapping[str, str] = field(default_factory=dict)
    map_ignored: bool = False
    with_evidence: bool = True


def finding_problem(finding: Finding) -> str | None:
    """Say why a finding cannot be loaded, None when it can."""
    if finding.key is None:
        return "it has no uniqueId, and no id with a type"
    if finding.qid is None and not one_line(finding.name):
        return "it has neither a qid nor a name"
    if finding.status is None and finding.type not in {WITHOUT_STATUS, None}:
        return f"it has no status, which only {WITHOUT_STATUS} rows may lack"
    if last_seen(finding) is None:
        return "it has no date that can be read"
    return None


def is_fixed(finding: Finding, rules: MappingRules) -> bool:
    """Tell whether the finding is to be closed in CVM by name."""
    return _status(finding, rules) in {"closed", "resolved"}


def notes(finding: Finding, rules: MappingRules) -> list[str]:
    """Name what was not quite as expected and how it was taken, for the report's counts."""
    found = []
    status = finding.status
    if status and status not in OPEN_STATUSES | {FIXED} and status not in rules.status_map:
        found.append(f"unknown status {status[:40]}: taken as open")
    if finding.severity is not None and _severity(finding) is None:
        found.append(f"severity {finding.severity} is not 1 to 5: left out")
    if rules.map_ignored and finding.is_ignored and _ignored(finding) is None:
        found.append(f"ignored without a known reason: taken as {NO_REASON}")
    found += [
        f"{name} is no date that can be read: left out"
        for name, value in zip(DATES, _DATES(finding), strict=True)
        if value and not value.isspace() and to_utc(value) is None
    ]
    return found


def last_seen(finding: Finding) -> str | None:
    """Give when the finding was last seen; the order is written down in the docs. Never "now"."""
    return (
        to_utc(finding.last_detected_date)
        or to_utc(finding.last_tested_date)
        or to_utc(finding.fixed_date)
        or to_utc(finding.first_detected_date)
    )


def last_looked_at(finding: Finding) -> str:
    """Give when Qualys last looked at the finding, whatever it saw."""
    dates = (finding.last_tested_date, finding.fixed_date, finding.last_detected_date)
    return max((to_utc(date) or "" for date in dates), default="")


def map_finding(finding: Finding, vuln_def_name: str, rules: MappingRules) -> Item:
    """Give the finding as KDI wants it, in the data model of the rules.

    The finding must have passed `finding_problem`.
    """
    if rules.data_model == "findings":
        return _map_finding(finding, vuln_def_name, rules)
    return _map_vuln(finding, vuln_def_name, rules)


def closed_item(
    identifier: str,
    vuln_def_name: str,
    *,
    last_seen_at: str,
    closed_at: str,
    data_model: kdi.DataModel,
) -> Item:
    """Give an entry that closes what CVM has under this identifier."""
    if data_model == "findings":
        return kdi.Finding(
            scanner_type=kdi.SCANNER_TYPE,
            scanner_identifier=identifier,
            vuln_def_name=vuln_def_name,
            last_seen_at=last_seen_at,
            triage_state="resolved",
        )
    return kdi.Vuln(
        scanner_type=kdi.SCANNER_TYPE,
        scanner_identifier=identifier,
        vuln_def_name=vuln_def_name,
        status="closed",
        last_seen_at=last_seen_at,
        closed_at=closed_at,
    )


def identifier_of(finding: Finding) -> str:
    """Give `scanner_identifier`: no severity, date or count is in it, so it never changes."""
    return kdi.shorten(finding.key or "")


def _map_vuln(finding: Finding, vuln_def_name: str, rules: MappingRules) -> kdi.Vuln:
    status = _status(finding, rules)
    seen = last_seen(finding) or ""
    closed = to_utc(finding.fixed_date) or to_utc(finding.last_tested_date) or seen
    return kdi.Vuln(
        scanner_type=kdi.SCANNER_TYPE,
        scanner_identifier=identifier_of(finding),
        vuln_def_name=vuln_def_name,
        status=cast("kdi.VulnStatus", status),
        last_seen_at=seen,
        scanner_score=_severity(finding),
        created_at=to_utc(finding.first_detected_date),
        closed_at=closed if status == "closed" else None,
        details=as_text(finding, with_evidence=rules.with_evidence),
    )


def _map_finding(finding: Finding, vuln_def_name: str, rules: MappingRules) -> kdi.Finding:
    severity = _severity(finding)
    return kdi.Finding(
        scanner_type=kdi.SCANNER_TYPE,
        scanner_identifier=identifier_of(finding),
        vuln_def_name=vuln_def_name,
        last_seen_at=last_seen(finding) or "",
        severity=None if severity is None else severity * 2,
        triage_state=cast("kdi.TriageState | None", _status(finding, rules)),
        created_at=to_utc(finding.first_detected_date),
        additional_fields=as_fields(finding, with_evidence=rules.with_evidence),
    )


def _severity(finding: Finding) -> int | None:
    severity = finding.severity
    return severity if severity is not None and LOWEST <= severity <= HIGHEST else None


def _ignored(finding: Finding) -> kdi.TriageState | None:
    return IGNORED.get((finding.ignored_reason or "").strip().upper())


def _status(finding: Finding, rules: MappingRules) -> str | None:
    """Give KDI's word for the finding's state; None leaves people's triage as it is.

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
