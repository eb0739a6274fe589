"""A finding's details, for which KDI has no fields: as text or as named values. Pure."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_ciscovm.mapping.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_ciscovm.kdi.types import FieldValue
    from target_ciscovm.mapping.records import Classification, Finding, Score

EVIDENCE: Final = "Evidence"
"""Label of the evidence, which comes last."""
ODD: Final = bytes(range(32)) + b"\x7f@\xed"
"""Bytes of UTF-8 that `plain` may have to do with; surrogates begin with the last one."""
YES_NO: Final = {True: "yes", False: "no"}
MAX_EVIDENCE: Final = 100_000
"""Most characters of evidence in one finding; the tap also caps each text in it."""


def _classes(rows: list[Classification]) -> str:
    return ", ".join([f"{row.code} {row.name or ''}".strip() for row in rows if row.code])


def _base(score: Score) -> float | None:
    return score.base


def _vector(score: Score) -> str | None:
    return score.vector or score.attack_vector


def _numbers(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


DIRECT: Final = {
    "URL": "url",
    "Parameter": "param",
    "Function": "function",
    "Content": "content",
    "Type": "type",
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
"""Label, and the property that is shown unchanged, in the order of the text."""
MADE: Final[dict[str, tuple[str, Callable[[Any], FieldValue | None]]]] = {
    "Ignored": ("is_ignored", lambda value: value or None),
    "CVSS v3 base": ("cvss_v3", _base),
    "CVSS v3 vector": ("cvss_v3", _vector),
    "OWASP": ("owasp", _classes),
    "WASC": ("wasc", _classes),
    "CWE": ("cwe", _numbers),
}
"""Label, property, and how its value is made. These come after the others."""
POTENTIAL: Final = "Potential"
"""Label for findings that Qualys could not confirm, between the two groups."""

POTENTIAL_LINES: Final = {told: f"{POTENTIAL}: {word}" for told, word in YES_NO.items()}

_direct: Final = attrgetter(*DIRECT.values())
_sources: Final = attrgetter(*(source for source, _ in MADE.values()))
_makers: Final = [(label, make) for label, (_, make) in MADE.items()]


NUMBERS: Final = frozenset({"qid", "id", "times_detected", "detection_score", "patch"})
"""Properties that are numbers; the others are texts, and not shown where they are empty."""


def _written_out(properties: Mapping[str, str]) -> Callable[[Finding], list[str]]:
    """Give a function that makes the lines of the properties, with one statement for each.

    This is what one would write by hand. A loop takes three times as long, and these lines were
    the largest part of the time for a finding.
    """
    code = ["def lines(finding):", " found = []", " add = found.append"]
    for label, name in properties.items():
        is_told = "is not None" if name in NUMBERS else ""
        code.append(f" if (value := finding.{name}) {is_told}:")
        code.append(f"  add(f'{label}: {{value}}')")
    made: dict[str, Callable[[Finding], list[str]]] = {}
    exec("\n".join([*code, " return found"]), made)  # noqa: S102 - of nothing but the table above
    return made["lines"]


_lines: Final = _written_out(DIRECT)


def as_fields(finding: Finding, *, with_evidence: bool = True) -> dict[str, FieldValue]:
    """Give the details as named values; what Qualys does not send is left out."""
    told: dict[str, FieldValue | None] = dict(zip(DIRECT, _direct(finding), strict=True))
    told[POTENTIAL] = finding.potential
    told |= _made(finding)
    if with_evidence:
        told[EVIDENCE] = _evidence(finding)
    return {
        label: plain(value) if isinstance(value, str) else value
        for label, value in told.items()
        if value is not None and value != ""
    }


def as_text(finding: Finding, *, with_evidence: bool = True) -> str:
    """Give the details as lines `label: value`.

    Further lines of a value are indented, so that none of them reads like a label.
    """
    lines = _lines(finding)
    if finding.potential is not None:
        lines.append(POTENTIAL_LINES[finding.potential])
    if _has_more(finding):
        for label, made in _made(finding):
            lines.append(f"{label}: {YES_NO[made] if isinstance(made, bool) else made}")
        if with_evidence and (evidence := _evidence(finding)):
            lines.append(f"{EVIDENCE}: {evidence}")
    text = "\n".join(lines)
    written = text.encode("utf-8", "surrogatepass")
    if len(written) - len(written.translate(None, ODD)) == len(lines) - 1:
        return text
    return "\n".join([plain(line).replace("\n", "\n  ") for line in lines])


def _has_more(finding: Finding) -> bool:
    """Tell whether there is anything for `MADE` or evidence, which most findings do not have."""
    return bool(
        finding.is_ignored
        or finding.cvss_v3
        or finding.owasp
        or finding.wasc
        or finding.cwe
        or finding.result_list
        or finding.ssl_data
    )


def _made(finding: Finding) -> list[tuple[str, FieldValue]]:
    made = (
        (label, None if source is None else make(source))
        for (label, make), source in zip(_makers, _sources(finding), strict=True)
    )
    return [(label, value) for label, value in made if value is not None and value != ""]


def _evidence(finding: Finding) -> str | None:
    if not (finding.result_list or finding.ssl_data):
        return None
    parts = [part for part in (finding.result_list, finding.ssl_data) if part]
    text = b"\n".join(msgspec.json.format(msgspec.json.encode(part), indent=2) for part in parts)
    return plain(text.decode())[:MAX_EVIDENCE].rstrip()
