"""The kinds of rows, each with its table: what a search answer holds, and what is made of it.

Names are Qualys's own (WAS API user guide, "Reference" of web application, scan and finding; the
knowledge base output DTD). A known child that is left out on purpose is named with its reason.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.evidence import no_evidence
from tap_qualyswas.records.fields import Json, Notes, Record, date, number, text, truth, whole, word
from tap_qualyswas.records.shapes import Shape, items, list_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_qualyswas.records.evidence import Evidence
    from tap_qualyswas.records.fields import Reader
    from tap_qualyswas.records.parsing import Element

USER: Final = Shape("user", {"id": whole, "username": word, "firstName": text, "lastName": text})

_TAG: Final = Shape("Tag", {"id": whole, "name": word}, passed_over=("color", "uuid"))


def read_tags(element: Element, notes: Notes) -> Json:
    """Read tags: names trimmed, each name once; null when they are only counted."""
    entries = items(element)
    if entries is None:
        return None
    tags: dict[Json, Json] = {}
    for entry in entries:
        tag = _TAG(entry, notes)
        if tag["name"]:
            tags.setdefault(str(tag["name"]), tag)
    return list(tags.values())


WEBAPP_OF: Final = Shape("webApp", {"id": whole, "name": text, "url": text, "tags": read_tags})
"""The web application inside a finding."""

_URL_LIST: Final = list_of(text)

_ATTRIBUTE: Final = Shape(
    "Attribute", {"name": text, "value": text}, renamed={"category": "name"}, passed_over=("id",)
)

SCAN_SUMMARY: Final = Shape(
    "summary",
    {
        "resultsStatus": word,
        "authStatus": word,
        "os": text,
        "linksCrawled": whole,
        "nbRequests": whole,
        "crawlDuration": whole,
        "testDuration": whole,
    },
)

WEBAPP: Final = Shape(
    "WebApp",
    {
        "id": whole,
        "name": text,
        "url": text,
        "os": text,
        "owner": USER,
        "tags": read_tags,
        "attributes": list_of(_ATTRIBUTE),
        "riskScore": whole,
        "scope": word,
        "isScheduled": truth,
        "lastScan": Shape(
            "lastScan",
            {
                "id": whole,
                "name": text,
                "date": date,
                "status": word,
                "summary": Shape("lastScan.summary", {"resultsStatus": word, "authStatus": word}),
            },
            passed_over=("reference", "mode", "type"),
        ),
        "lastScanStatus": word,
        "urlAllowlist": _URL_LIST,
        "urlExcludelist": _URL_LIST,
        "postDataExcludelist": _URL_LIST,
        "createdDate": date,
        "updatedDate": date,
    },
    # Names before WAS 3.18.
    renamed={
        "urlWhitelist": "urlAllowlist",
        "urlBlacklist": "urlExcludelist",
        "postDataBlacklist": "postDataExcludelist",
    },
    passed_over=(
        # May hold secrets.
        *("headers", "authRecords", "crawlingScripts", "swaggerFile", "postmanCollection"),
        *("dnsOverrides", "proxy", "comments", "screenshot", "config"),
        # How the application is scanned, not what it is.
        *("uris", "subDomain", "domains", "defaultProfile", "defaultScanner", "scannerLocked"),
        *("defaultScannerTags", "progressiveScanning", "redundancyLinks", "maxRedundancyLinks"),
        *("logoutRegexList", "useRobots", "useSitemap", "malwareMonitoring", "malwareTaskId"),
        *("malwareNotification", "malwareScheduling", "createdBy", "updatedBy"),
        *("removeFromSubscription", "reactivateIfExists"),
    ),
    keys=("id",),
)

_SCAN: Final = Shape(
    "WasScan",
    {
        "id": whole,
        "name": text,
        "reference": word,
        "type": word,
        "mode": word,
        "status": word,
        "target": within("webApp", Shape("scan.webApp", {"id": whole, "name": text, "url": text})),
        "launchedDate": date,
        "endScanDate": date,
        "scanDuration": whole,
        "summary": SCAN_SUMMARY,
        "profile": Shape("profile", {"id": whole, "name": text}),
    },
    passed_over=(
        *("multi", "progressiveScanning", "launchedBy", "consolidatedStatus", "cancelMode"),
        *("canceledBy", "options", "sendMail", "sendOneMail", "enableWAFAuth"),
        *("cancelAfterNHours", "cancelTime", "stats", "vulns", "sensitiveContents", "igs"),
    ),
    keys=("id",),
)


def SCAN(element: Element, notes: Notes) -> Record:  # noqa: N802 - read like the other shapes
    """Read a scan; its target is the property `webApp`."""
    record = _SCAN(element, notes)
    return {("webApp" if name == "target" else name): value for name, value in record.items()}


CLASSIFICATION: Final = Shape("classification", {"name": text, "url": text, "code": whole})
"""One entry of OWASP or WASC."""

_FINDING_FIELDS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "id": whole,
        "uniqueId": word,
        "qid": whole,
        "detectionScore": whole,
        "name": text,
        "type": word,
        "potential": truth,
        "findingType": word,
        "severity": whole,
        "originalSeverity": whole,
        "param": text,
        "url": text,
        "status": word,
        "function": text,
        "content": text,
        "group": word,
        "cwe": list_of(whole),
        "owasp": list_of(CLASSIFICATION),
        "wasc": list_of(CLASSIFICATION),
        "cvssV3": Shape("cvssV3", {"base": number, "temporal": number, "attackVector": text}),
        "firstDetectedDate": date,
        "lastDetectedDate": date,
        "lastTestedDate": date,
        "fixedDate": date,
        "updatedDate": date,
        "timesDetected": whole,
        "isIgnored": truth,
        "ignoredReason": word,
        "ignoredBy": USER,
        "ignoredDate": date,
        "ignoredComment": text,
        "reactivateIn": whole,
        "reactivateDate": date,
        "externalRef": text,
        "patch": whole,
        "severityComment": text,
        "editedSeverityUser": USER,
        "editedSeverityDate": date,
        "retest": Shape(
            "retest",
            {
                "retestStatus": word,
                "retestedDate": date,
                "findingStatus": word,
                "reason": text,
                "retestedUser": USER,
            },
        ),
        "webApp": WEBAPP_OF,
        "resultList": no_evidence,
        "sslData": no_evidence,
    }
)


def finding_shape(evidence: Evidence | None = None) -> Shape:
    """Give the table of findings; without `evidence`, results and TLS details are left out."""
    fields = dict(_FINDING_FIELDS)
    if evidence is not None:
        fields |= {"resultList": evidence.result_list, "sslData": evidence.ssl_data}
    # The history has one entry for each scan there ever was, and the scans stream has those.
    return Shape("Finding", fields, passed_over=("history",), keys=("id", "qid"))


_KB: Final = Shape(
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
            passed_over=(
                *("ACCESS", "IMPACT", "AUTHENTICATION", "EXPLOITABILITY"),
                *("REMEDIATION_LEVEL", "REPORT_CONFIDENCE"),
            ),
        ),
        "CVSS_V3": Shape(
            "CVSS_V3",
            {"BASE": number, "TEMPORAL": number, "VECTOR_STRING": word, "CVSS3_VERSION": word},
            passed_over=(
                *("ATTACK", "IMPACT", "PRIVILEGES_REQUIRED", "USER_INTERACTION", "SCOPE"),
                *("EXPLOIT_CODE_MATURITY", "REMEDIATION_LEVEL", "REPORT_CONFIDENCE"),
            ),
        ),
        "PCI_FLAG": truth,
        "PATCHABLE": truth,
        "PUBLISHED_DATETIME": date,
        "LAST_SERVICE_MODIFICATION_DATETIME": date,
    },
    passed_over=(
        *("VULN_TYPE", "TECHNOLOGY", "DETECTION_INFO", "LAST_CUSTOMIZATION", "BUGTRAQ_LIST"),
        *("CODE_MODIFIED_DATETIME", "PATCH_PUBLISHED_DATE", "SOFTWARE_LIST", "DISCOVERY"),
        *("VENDOR_REFERENCE_LIST", "DIAGNOSIS_COMMENT", "CONSEQUENCE_COMMENT", "IS_DISABLED"),
        *("SOLUTION_COMMENT", "COMPLIANCE_LIST", "CORRELATION", "CVSS_V4", "AUTOMATIC_PCI_FAIL"),
        *("PCI_REASONS", "THREAT_INTELLIGENCE", "SUPPORTED_MODULES", "CHANGE_LOG_LIST"),
    ),
    keys=("QID",),
)

_SCORE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"BASE": "base", "TEMPORAL": "temporal", "VECTOR_STRING": "vector", "CVSS3_VERSION": "version"}
)


def _score(value: Json) -> Json:
    if not isinstance(value, dict):
        return None
    return {_SCORE_NAMES[name]: found for name, found in value.items()}


def read_kb_entry(element: Element, notes: Notes) -> Record:
    """Read one VULN of the knowledge base, its properties named as those of the WAS API are.

    Raises:
        Rejected: when its QID cannot be read.
    """
    raw = _KB(element, notes)
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
        "pciFlag": raw["PCI_FLAG"],
        "patchable": raw["PATCHABLE"],
        "publishedDate": raw["PUBLISHED_DATETIME"],
        "lastModifiedDate": raw["LAST_SERVICE_MODIFICATION_DATETIME"],
    }
