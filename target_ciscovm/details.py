"""What has no field of its own in KDI: a finding's details, as text or as named fields. Pure."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_ciscovm.kdi_types import FieldValue
    from target_ciscovm.records import Classification, Finding

EVIDENCE: Final = "Evidence"
"""Label of the evidence, which comes last."""
YES_NO: Final = {True: "yes", False: "no"}
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


DIRECT: Final = {
    "URL": "url",
    "Parameter": "param",
    "Function": "function",
    "Content": "content",
    "Type": "type",
    "Potential": "potential",
    "Source": "finding_type",
    "Group": "group",
    "QID": "qid",
    "Qualys id": "id",
    "Status": "status",
    "Times detected": "times_detected",
    "Detection score": "detection_score",
    "First detected": "first_detected_date",
    "Last detected": "last_detected_date",
    "Last tested": "last_tested_date",
    "Fixed": "fixed_date",
    "Ignored reason": "ignored_reason",
    "Ignored comment": "ignored_comment",
    "External reference": "external_ref",
    "Virtual patch": "patch",
}
"""Label, and the property that is shown as it is. The order is that of the text."""
MADE: Final[dict[str, Callable[[Finding], FieldValue | None]]] = {
    "Ignored": lambda finding: finding.is_ignored or None,
    "CVSS v3 base": _cvss,
    "CVSS v3 vector": _cvss_vector,
    "OWASP": lambda finding: _classes(finding.owasp),
    "WASC": lambda finding: _classes(finding.wasc),
    "CWE": lambda finding: ", ".join(str(cwe) for cwe in finding.cwe or ()) or None,
}
"""Label, and how its value is made. These come after the others."""

# One call for all of them: details are most of the work that a finding is.
_direct: Final = attrgetter(*DIRECT.values())


def as_fields(finding: Finding, *, with_evidence: bool = True) -> dict[str, FieldValue]:
    """Give the details as named values; what Qualys does not tell has no name in it."""
    found: dict[str, FieldValue] = {
        label: plain(value) if isinstance(value, str) else value
        for label, value in zip(DIRECT, _direct(finding), strict=True)
        if value is not None and value != ""
    }
    for label, make in MADE.items():
        value = make(finding)
        if value is not None and value != "":
            found[label] = plain(value) if isinstance(value, str) else value
    evidence = _evidence(finding) if with_evidence else None
    if evidence:
        found[EVIDENCE] = evidence
    return found


def as_text(finding: Finding, *, with_evidence: bool = True) -> str:
    """Give the details as lines `label: value`.

    Further lines of a value are set in, so that none of them reads like a label.
    """
    fields = as_fields(finding, with_evidence=with_evidence)
    lines = [
        f"{label}: {value if value is not True and value is not False else YES_NO[value]}"
        for label, value in fields.items()
    ]
    text = "\n".join(lines)
    if text.count("\n") < len(lines):
        return text
    return "\n".join(line.replace("\n", "\n  ") for line in lines)


def _evidence(finding: Finding) -> str | None:
    parts = [part for part in (finding.result_list, finding.ssl_data) if part]
    if not parts:
        return None
    text = b"\n".join(msgspec.json.format(msgspec.json.encode(part), indent=2) for part in parts)
    return plain(text.decode())[:MAX_EVIDENCE].rstrip()
