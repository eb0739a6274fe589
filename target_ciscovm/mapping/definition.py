"""From a QID to a KDI vulnerability definition. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from target_ciscovm.kdi.types import SCANNER_TYPE, VulnDef
from target_ciscovm.mapping.html import from_html
from target_ciscovm.mapping.text import one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_ciscovm.mapping.records import Classification, Finding, KnowledgeBaseEntry

CVE: Final = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)
NAME_OF_QID: Final = re.compile(r"QID (\d+)(?: |$)", re.ASCII)
HIGHEST_WASC: Final = 99
"""The WASC threat classification has 49 classes; KDI writes two digits."""


def definition(
    finding: Finding, entry: KnowledgeBaseEntry | None = None, sent_name: str | None = None
) -> VulnDef:
    """Give the definition of the finding's QID.

    Only one kind of identifier is sent, as CVM keeps only one: CVEs, else CWEs, else WASC classes.

    Args:
        finding: any finding of the QID.
        entry: the QID in the knowledge base, None when it is not there.
        sent_name: the name of the definition in the last load.
    """
    found = VulnDef(
        scanner_type=SCANNER_TYPE,
        name=definition_name(finding, entry, sent_name),
        description=from_html(entry.diagnosis) if entry else None,
        solution=from_html(entry.solution) if entry else None,
    )
    if cves := cve_identifiers(entry.cves if entry else None):
        found.cve_identifiers = cves
    elif cwes := cwe_identifiers((entry.cwe if entry else None) or finding.cwe):
        found.cwe_identifiers = cwes
    elif wascs := wasc_identifiers((entry.wasc if entry else None) or finding.wasc):
        found.wasc_identifiers = wascs
    return found


def definition_name(
    finding: Finding, entry: KnowledgeBaseEntry | None, sent_name: str | None
) -> str:
    """Give the name last sent, else `QID {qid} {title}`, fitted to CVM's limit.

    A QID that gets another title keeps its name: the name may be a part of CVM's identity of what
    is open.
    """
    if sent_name:
        return sent_name
    title = (one_line(entry.title) if entry else "") or one_line(finding.name)
    if not finding.qid:
        return shorten(f"{one_line(finding.finding_type) or 'Imported'} {title}".strip())
    return shorten(f"QID {finding.qid} {title}".strip())


def qid_of(name: str) -> int | None:
    """Give the QID that a definition's name begins with, None where it begins with none."""
    match = NAME_OF_QID.match(name)
    return int(match[1]) if match else None


def cve_identifiers(cves: Iterable[str] | None) -> str | None:
    """Give the well-formed CVEs as a comma list, None without any: CVM refuses empty text."""
    tidy = (cve.strip().upper() for cve in cves or () if cve)
    return _joined(cve for cve in tidy if CVE.fullmatch(cve))


def cwe_identifiers(cwes: Iterable[int] | None) -> str | None:
    """Give CWEs as `CWE-79,CWE-80`, None without any."""
    return _joined(f"CWE-{cwe}" for cwe in cwes or () if cwe > 0)


def wasc_identifiers(wascs: Iterable[Classification] | None) -> str | None:
    """Give WASC classes as `WASC-08`, always two digits, None without any."""
    codes = (wasc.code for wasc in wascs or () if wasc.code)
    return _joined(f"WASC-{code:02d}" for code in codes if 0 < code <= HIGHEST_WASC)


def _joined(identifiers: Iterable[str]) -> str | None:
    return ",".join(dict.fromkeys(identifiers)) or None
