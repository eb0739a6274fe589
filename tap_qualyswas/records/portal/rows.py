"""The findings of an XML report, and what makes a finding of any report's row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.evidence import no_evidence
from tap_qualyswas.records.fields import date, loose_whole, text, truth, whole, word
from tap_qualyswas.records.report_findings import BLANK, unique_id
from tap_qualyswas.records.shapes import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.records.portal.evidence import ReportEvidence
    from tap_qualyswas.records.portal.report import Entry

NOT_LETTERS: Final = re.compile(r"[^A-Z]+")
INFORMATION: Final = "INFORMATION_GATHERED"
SAME_NAMES: Final = (
    *("id", "qid", "param", "url", "function", "content", "timesDetected", "isIgnored"),
    *("firstDetectedDate", "lastDetectedDate", "lastTestedDate"),
    *("ignoredReason", "ignoredDate", "ignoredComment", "resultList", "sslData"),
)


def _loose(element: Element, _notes: Notes) -> int | None:
    """Read an id, as some are no numbers."""
    return loose_whole(element.text or "")


def row_shape(evidence: ReportEvidence | None) -> Shape:
    """Give the shape of the rows of an XML report; without `evidence` it is left out."""
    return Shape(
        "report",
        {
            "UNIQUE_ID": word,
            "DETECTION_ID": _loose,
            "QID": whole,
            "URL": text,
            "PARAM": text,
            "FUNCTION": text,
            "CONTENT": text,
            "STATUS": word,
            "FIRST_TIME_DETECTED": date,
            "LAST_TIME_DETECTED": date,
            "LAST_TIME_TESTED": date,
            "DETECTION_DATE": date,
            "TIMES_DETECTED": whole,
            "SEVERITY": whole,
            "POTENTIAL": truth,
            "IGNORED": truth,
            "IGNORE_REASON": word,
            "IGNORE_DATE": date,
            "IGNORE_COMMENTS": text,
            "PAYLOADS": evidence.payloads if evidence else no_evidence,
            "DATA": evidence.data if evidence else no_evidence,
            "SSL_DETAILS": evidence.ssl_details if evidence else no_evidence,
        },
        renamed={"IGNORED_REASON": "IGNORE_REASON", "IGNORED_DATE": "IGNORE_DATE"},
        ignored=(
            # The number of the row in the report alone.
            "ID",
            *("COOKIE", "FORM_ENTRY_POINT", "ACCESS_PATH", "AJAX", "AJAX_REQUEST_ID"),
            *("AUTHENTICATION", "IGNORE_USER", "IGNORED_BY"),
        ),
        keys=("QID",),
    )


def values_of(kind: str, raw: Mapping[str, Json]) -> Record:
    """Give the properties of a finding out of the values of a row, named as in XML."""
    last = raw.get("LAST_TIME_DETECTED") or raw.get("DETECTION_DATE")
    return {
        "type": kind,
        "id": raw.get("DETECTION_ID"),
        "uniqueId": raw.get("UNIQUE_ID"),
        "qid": raw.get("QID"),
        "url": raw.get("URL"),
        "param": raw.get("PARAM"),
        "function": raw.get("FUNCTION"),
        "content": raw.get("CONTENT"),
        "status": _keyword(raw.get("STATUS"), ""),
        "severity": raw.get("SEVERITY"),
        "potential": raw.get("POTENTIAL"),
        "firstDetectedDate": raw.get("FIRST_TIME_DETECTED"),
        "lastDetectedDate": last,
        "lastTestedDate": raw.get("LAST_TIME_TESTED") or last,
        "timesDetected": raw.get("TIMES_DETECTED"),
        "isIgnored": raw.get("IGNORED"),
        "ignoredReason": _keyword(raw.get("IGNORE_REASON"), "_"),
        "ignoredDate": raw.get("IGNORE_DATE"),
        "ignoredComment": raw.get("IGNORE_COMMENTS"),
        "resultList": raw.get("PAYLOADS") or raw.get("DATA"),
        "sslData": raw.get("SSL_DETAILS"),
    }


def _keyword(value: Json, between: str) -> Json:
    """Give a word as the API spells it: `REOPENED` for `Re-Opened`, `RISK_ACCEPTED`."""
    if not isinstance(value, str):
        return None
    return NOT_LETTERS.sub(between, value.upper()).strip("_") or None


def identify(values: Record, webapp: Mapping[str, Json]) -> str:
    """Give the unique id of a row that has none: the same while it says the same.

    It is made as for the reports that are downloaded; a web application whose id is not known is
    told by its URL, or else by its name.
    """
    known = webapp.get("id") or webapp.get("url") or webapp.get("name")
    entry = {
        "kind": values["type"],
        "qid": values["qid"],
        "uri": values["url"],
        "param": values["param"],
        "content": values["content"],
    }
    return unique_id(known, entry)


def as_finding(
    values: Record, unique: str, webapp: Mapping[str, Json], entry: Entry | None
) -> Record:
    """Make a finding of a row of a report.

    Args:
        values: of the row.
        unique: its unique id.
        webapp: the web application.
        entry: of its QID, where the glossary has one.
    """
    kind = values["type"]
    told = entry.row if entry else {}
    original = told.get("severityLevel")
    severity = original if values["severity"] is None else values["severity"]
    status = values["status"] or (None if kind == INFORMATION else "ACTIVE")
    potential = values["potential"]
    return {
        **BLANK,
        **{name: values[name] for name in SAME_NAMES},
        "type": kind,
        "uniqueId": unique,
        "name": told.get("title"),
        "status": status,
        "severity": severity,
        "originalSeverity": original if severity != original else None,
        "potential": entry.potential if potential is None and entry else potential,
        "group": told.get("group"),
        "cwe": told.get("cwe"),
        "owasp": told.get("owasp"),
        "wasc": told.get("wasc"),
        "cvssV3": entry.attack if entry else None,
        "webApp": {name: webapp.get(name) for name in ("id", "name", "url", "tags")},
    }
