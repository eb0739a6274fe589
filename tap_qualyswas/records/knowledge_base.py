"""Entries of the knowledge base, one for each QID.

The names in the answer are those of the knowledge base output DTD; the properties are named as in
the WAS API.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import date, number, text, truth, whole, word
from tap_qualyswas.records.kb_references import (
    correlation,
    threat_intelligence,
    vendor_references,
)
from tap_qualyswas.records.shapes import Shape, list_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

_ENTRY: Final = Shape(
    "VULN",
    {
        "QID": whole,
        "TITLE": text,
        "CATEGORY": word,
        "SEVERITY_LEVEL": whole,
        "DIAGNOSIS": text,
        "CONSEQUENCE": text,
        "SOLUTION": text,
        "CVE_LIST": list_of(within("ID", word)),
        "CVSS": Shape(
            "CVSS",
            {"BASE": number, "TEMPORAL": number, "VECTOR_STRING": word},
            ignored=(
                *("ACCESS", "IMPACT", "AUTHENTICATION", "EXPLOITABILITY"),
                *("REMEDIATION_LEVEL", "REPORT_CONFIDENCE"),
            ),
        ),
        "CVSS_V3": Shape(
            "CVSS_V3",
            {"BASE": number, "TEMPORAL": number, "VECTOR_STRING": word, "CVSS3_VERSION": word},
            ignored=(
                *("ATTACK", "IMPACT", "PRIVILEGES_REQUIRED", "USER_INTERACTION", "SCOPE"),
                *("EXPLOIT_CODE_MATURITY", "REMEDIATION_LEVEL", "REPORT_CONFIDENCE"),
            ),
        ),
        "CVSS_V4": Shape(
            "CVSS_V4",
            {"BASE": number, "TEMPORAL": number, "VECTOR_STRING": word, "CVSS4_VERSION": word},
        ),
        "PCI_FLAG": truth,
        "PATCHABLE": truth,
        "PATCH_PUBLISHED_DATE": date,
        "VENDOR_REFERENCE_LIST": vendor_references,
        "THREAT_INTELLIGENCE": threat_intelligence,
        "CORRELATION": correlation,
        "CODE_MODIFIED_DATETIME": date,
        "PUBLISHED_DATETIME": date,
        "LAST_SERVICE_MODIFICATION_DATETIME": date,
    },
    ignored=(
        *("VULN_TYPE", "TECHNOLOGY", "DETECTION_INFO", "LAST_CUSTOMIZATION", "BUGTRAQ_LIST"),
        *("SOFTWARE_LIST", "DISCOVERY", "DIAGNOSIS_COMMENT", "CONSEQUENCE_COMMENT", "IS_DISABLED"),
        *("SOLUTION_COMMENT", "COMPLIANCE_LIST", "AUTOMATIC_PCI_FAIL", "PCI_REASONS"),
        *("SUPPORTED_MODULES", "CHANGE_LOG_LIST"),
    ),
    keys=("QID",),
)

_SCORE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BASE": "base",
        "TEMPORAL": "temporal",
        "VECTOR_STRING": "vector",
        "CVSS3_VERSION": "version",
        "CVSS4_VERSION": "version",
    }
)


def _score(value: Json) -> Json:
    if not isinstance(value, dict):
        return None
    return {_SCORE_NAMES[name]: found for name, found in value.items()}


def read_entry(element: Element, notes: Notes) -> Record:
    """Read one VULN; its properties are named like those of the WAS API.

    Raises:
        Rejected: when its QID cannot be read.
    """
    raw = _ENTRY(element, notes)
    related = raw["CORRELATION"]
    known = related if isinstance(related, dict) else {}
    return {
        "qid": raw["QID"],
        "title": raw["TITLE"],
        "category": raw["CATEGORY"],
        "severityLevel": raw["SEVERITY_LEVEL"],
        "diagnosis": raw["DIAGNOSIS"],
        "consequence": raw["CONSEQUENCE"],
        "solution": raw["SOLUTION"],
        "cves": raw["CVE_LIST"] or [],
        "cvss": _score(raw["CVSS"]),
        "cvssV3": _score(raw["CVSS_V3"]),
        "cvssV4": _score(raw["CVSS_V4"]),
        "pciFlag": raw["PCI_FLAG"],
        "patchable": raw["PATCHABLE"],
        "patchPublishedDate": raw["PATCH_PUBLISHED_DATE"],
        "vendorReferences": raw["VENDOR_REFERENCE_LIST"] or [],
        "threatIntelligence": raw["THREAT_INTELLIGENCE"] or [],
        "exploits": known.get("exploits") or [],
        "malware": known.get("malware") or [],
        "publishedDate": raw["PUBLISHED_DATETIME"],
        "lastModifiedDate": raw["LAST_SERVICE_MODIFICATION_DATETIME"],
        "codeModifiedDate": raw["CODE_MODIFIED_DATETIME"],
    }
