"""What has no field of its own in KDI: a finding's details, as text or as named fields. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_ciscovm.kdi_types import FieldValue
    from target_ciscovm.records import Classification, Finding

EVIDENCE: Final = "Evidence"
"""Label of the evidence, which comes last."""
MAX_EVIDENCE: Final = 100_000
"""Characters of evidence in one finding; the tap caps each text of it as well."""


def _classes(rows: list[Classification] | None) -> str | None:
    names = [f"{row.code} {row.name or ''}".strip() for row in rows or () if row.code]
    return ", ".join(names) or None


def _cvss(finding: Finding) -> float | None:
    return finding.cvss_v3.base if finding.cvss_v3 else None


def _cvss_vector(finding: Finding) -> str | None:
    score = finding.cvss_v3
    return (score.vector or score.attack_vector) if score else None


FIELDS: Final[dict[str, Callable[[Finding], FieldValue | None]]] = {
    "URL": lambda finding: finding.url,
    "Parameter": lambda finding: finding.param,
    "Function": lambda finding: finding.function,
    "Content": lambda finding: finding.content,
    "Type": lambda finding: finding.type,
    "Potential": lambda finding: finding.potential,
    "Source": lambda finding: finding.finding_type,
    "Group": lambda finding: finding.group,
    "QID": lambda finding: finding.qid,
    "Qualys id": lambda finding: finding.id,
    "Status": lambda finding: finding.status,
    "Times detected": lambda finding: finding.times_detected,
    "Detection score": lambda finding: finding.detection_score,
    "CVSS v3 base": _cvss,
    "CVSS v3 vector": _cvss_vector,
    "OWASP": lambda finding: _classes(finding.owasp),
    "WASC": lambda finding: _classes(finding.wasc),
    "CWE": lambda finding: ", ".join(str(cwe) for cwe in finding.cwe or ()) or None,
    "First detected": lambda finding: finding.first_detected_date,
    "Last detected": lambda finding: finding.last_detected_date,
    "Last tested": lambda finding: finding.last_tested_date,
    "Fixed": lambda finding: finding.fixed_date,
    "Ignored": lambda finding: finding.is_ignored or None,
    "Ignored reason": lambda finding: finding.ignored_reason,
    "Ignored comment": lambda finding: finding.ignored_comment,
    "External reference": lambda finding: finding.external_ref,
    "Virtual patch": lambda finding: finding.patch,
}
"""Label, and where its value is. The order is that of the text."""


def as_fields(finding: Finding, *, with_evidence: bool = True) -> dict[str, FieldValue]:
    """Give the details as named values; what Qualys does not tell has no name in it."""
    found: dict[str, FieldValue] = {}
    for label, read in FIELDS.items():
        value = read(finding)
        if value is not None and value != "":
            found[label] = plain(value) if isinstance(value, str) else value
    evidence = _evidence(finding) if with_evidence else None
    if evidence:
        found[EVIDENCE] = evidence
    return found


def as_text(finding: Finding, *, with_evidence: bool = True) -> str:
    """Give the details as lines `label: value`."""
    fields = as_fields(finding, with_evidence=with_evidence)
    return "\n".join(f"{label}: {_shown(value)}" for label, value in fields.items())


def _shown(value: FieldValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _evidence(finding: Finding) -> str | None:
    parts = [part for part in (finding.result_list, finding.ssl_data) if part]
    if not parts:
        return None
    text = b"\n".join(msgspec.json.format(msgspec.json.encode(part), indent=2) for part in parts)
    return plain(text.decode())[:MAX_EVIDENCE]
