"""The fields that each object can be searched by, as its documentation page lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.qualys.search.criteria import (
    BOOLEAN,
    DATE,
    INTEGER,
    IS_EMPTY,
    KEYWORD,
    NAMED,
    PRESENCE,
    TEXT,
    Field,
)
from tests.sandbox.world.model import FINDING_TYPES, Finding, Scan, Tag, WebApp, unique_id

if TYPE_CHECKING:
    from collections.abc import Mapping

SCAN_STATUSES: Final = ("SUBMITTED", "RUNNING", "FINISHED", "ERROR", "CANCELED", "PROCESSING")
LAST_SCAN_STATUSES: Final = (
    "SUBMITTED",
    "RUNNING",
    "FINISHED",
    "TIME_LIMIT_EXCEEDED",
    "SCAN_NOT_LAUNCHED",
    "SCANNER_NOT_AVAILABLE",
    "ERROR",
    "CANCELED",
)
RESULTS_STATUSES: Final = (
    "NOT_USED",
    "TO_BE_PROCESSED",
    "NO_HOST_ALIVE",
    "NO_WEB_SERVICE",
    "SERVICE_ERROR",
    "TIME_LIMIT_REACHED",
    "SCAN_INTERNAL_ERROR",
    "SCAN_RESULTS_INVALID",
    "SUCCESSFUL",
    "PROCESSING",
    "TIME_LIMIT_EXCEEDED",
    "SCAN_NOT_LAUNCHED",
    "SCANNER_NOT_AVAILABLE",
    "SUBMITTED",
    "RUNNING",
    "FINISHED",
    "CANCELED",
    "CANCELING",
    "ERROR",
    "DELETED",
    "CANCELED_WITH_RESULTS",
)


def _tag_ids(app: WebApp) -> tuple[int, ...]:
    return tuple(tag.id for tag in app.tags)


def _tag_names(app: WebApp) -> tuple[str, ...]:
    return tuple(tag.name for tag in app.tags)


WEBAPP: Final[Mapping[str, Field[WebApp]]] = {
    "id": Field(INTEGER, lambda app: app.id),
    "name": Field(TEXT, lambda app: app.name),
    "url": Field(TEXT, lambda app: app.url),
    "tags": Field(PRESENCE, _tag_ids),
    "tags.name": Field(TEXT, _tag_names),
    "tags.id": Field(INTEGER, _tag_ids),
    "createdDate": Field(DATE, lambda app: app.created),
    "updatedDate": Field(DATE, lambda app: app.updated),
    "isScheduled": Field(BOOLEAN, lambda app: app.scheduled),
    "isScanned": Field(BOOLEAN, lambda app: app.last_scan is not None),
    "lastScan": Field(PRESENCE, lambda app: app.last_scan.id if app.last_scan else None),
    "lastScan.status": Field(
        KEYWORD, lambda app: app.last_scan.status if app.last_scan else None, LAST_SCAN_STATUSES
    ),
    "lastScan.date": Field(DATE, lambda app: app.last_scan.launched if app.last_scan else None),
    "attributes": Field(NAMED, lambda app: app.attributes),
}

WASSCAN: Final[Mapping[str, Field[Scan]]] = {
    "id": Field(INTEGER, lambda scan: scan.id),
    "name": Field(TEXT, lambda scan: scan.name),
    "webApp.name": Field(TEXT, lambda scan: scan.app.name),
    "webApp.id": Field(INTEGER, lambda scan: scan.app.id),
    "webApp.tags": Field(PRESENCE, lambda scan: _tag_ids(scan.app)),
    "webApp.tags.id": Field(INTEGER, lambda scan: _tag_ids(scan.app)),
    "reference": Field(TEXT, lambda scan: scan.reference),
    "launchedDate": Field(DATE, lambda scan: scan.launched),
    "type": Field(KEYWORD, lambda scan: scan.type, ("VULNERABILITY", "DISCOVERY")),
    "mode": Field(KEYWORD, lambda scan: scan.mode, ("ONDEMAND", "SCHEDULED", "API")),
    "status": Field(KEYWORD, lambda scan: scan.status, SCAN_STATUSES),
    "authStatus": Field(
        KEYWORD, lambda _: "NONE", ("NONE", "NOT_USED", "SUCCESSFUL", "FAILED", "PARTIAL")
    ),
    "resultsStatus": Field(KEYWORD, lambda scan: scan.results, RESULTS_STATUSES),
}

TAG: Final[Mapping[str, Field[Tag]]] = {
    "id": Field(INTEGER, lambda tag: tag.id),
    "name": Field(TEXT, lambda tag: tag.name),
    "parent": Field(INTEGER, lambda tag: tag.parent.id if tag.parent else None),
    "ruleType": Field(KEYWORD, lambda tag: tag.rule_type, ("STATIC", "NAME_CONTAINS")),
    "color": Field(TEXT, lambda _: "#FFFFFF"),
}

_FINDING: Final[Mapping[str, Field[Finding]]] = {
    "id": Field(INTEGER, lambda row: row.id),
    "qid": Field(INTEGER, lambda row: row.qid.qid),
    "name": Field(TEXT, lambda row: row.qid.title),
    "url": Field(TEXT, lambda row: row.url),
    "type": Field(KEYWORD, lambda row: row.type, FINDING_TYPES),
    "status": Field(
        KEYWORD, lambda row: row.status, ("NEW", "ACTIVE", "REOPENED", "PROTECTED", "FIXED")
    ),
    "severity": Field(INTEGER, lambda row: row.severity),
    "webApp.id": Field(INTEGER, lambda row: row.app.id),
    "webApp.name": Field(TEXT, lambda row: row.app.name),
    "webApp.tags": Field(PRESENCE, lambda row: _tag_ids(row.app)),
    "webApp.tags.id": Field(INTEGER, lambda row: _tag_ids(row.app)),
    "webApp.tags.name": Field(TEXT, lambda row: _tag_names(row.app)),
    "patch": Field(INTEGER, lambda _: None),
    "externalRef": Field(TEXT, lambda _: None, extra=frozenset({IS_EMPTY})),
    "ignoredDate": Field(DATE, lambda row: row.ignored.moment if row.ignored else None),
    "ignoredReason": Field(
        KEYWORD,
        lambda row: row.ignored.reason if row.ignored else None,
        ("FALSE_POSITIVE", "RISK_ACCEPTED", "NOT_APPLICABLE"),
        absent_differs=True,
    ),
    "group": Field(
        KEYWORD,
        lambda row: row.qid.group,
        ("XSS", "SQL", "INFO", "PATH", "CC", "SSN_US", "CUSTOM"),
    ),
    "owasp.name": Field(TEXT, lambda row: tuple(one.name for one in row.qid.owasp)),
    "owasp.code": Field(INTEGER, lambda row: tuple(one.code for one in row.qid.owasp)),
    "wasc.name": Field(TEXT, lambda row: tuple(one.name for one in row.qid.wasc)),
    "wasc.code": Field(INTEGER, lambda row: tuple(one.code for one in row.qid.wasc)),
    "cwe.id": Field(INTEGER, lambda row: row.qid.cwe),
    "firstDetectedDate": Field(DATE, lambda row: row.first),
    "lastDetectedDate": Field(DATE, lambda row: row.last),
    "lastTestedDate": Field(DATE, lambda row: row.tested),
    "fixedDate": Field(DATE, lambda row: row.fixed),
    "timesDetected": Field(INTEGER, lambda row: row.times if row.status else None),
}
"""`updatedDate`, `findingType` and `isIgnored` are answered but documented nowhere as criteria."""


def finding_fields(seed: int) -> Mapping[str, Field[Finding]]:
    """Return the finding's fields; the UUIDs depend on the world's seed."""
    return {**_FINDING, "uniqueId": Field(TEXT, lambda row: unique_id(seed, row))}
