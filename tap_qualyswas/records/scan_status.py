"""What came of a scan, and when it began, from one record of the `scans` stream."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import parse_strict
from qualyswas_ciscovm.scans import AT_WORK, WITHOUT_RESULTS

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Record

ENDED: Final = frozenset(
    {
        *("FINISHED", "ERROR", "CANCELED", "CANCELLED", "DELETED", "TIME_LIMIT_EXCEEDED"),
        *("TIME_LIMIT_REACHED", "SCAN_NOT_LAUNCHED", "SCANNER_NOT_AVAILABLE", "NO_HOST_ALIVE"),
        *("NO_WEB_SERVICE", "SERVICE_ERROR", "SCAN_INTERNAL_ERROR", "SCAN_RESULTS_INVALID"),
        "CANCELED_WITH_RESULTS",
    }
)
WORKED: Final = ("SUCCESSFUL", "FINISHED")
"""Results of scans that have tested everything; Qualys's own clients look for the second one."""
LOGINS: Final = {"FAILED": 0, "PARTIAL": 1, "SUCCESSFUL": 2}
"""How far a scan got with the login of the web application, by its authStatus."""
REFERENCE: Final = re.compile(r"was/(\d{13})\.", re.ASCII)
"""`was/<milliseconds>.<number>`: the moment when a scan was requested."""


def results_status(scan: Record) -> str | None:
    """Give `summary.resultsStatus`."""
    return _of_summary(scan, "resultsStatus")


def login_of(scan: Record) -> int | None:
    """Give how far a scan got with its login (`LOGINS`); None for a scan without one."""
    return LOGINS.get(_of_summary(scan, "authStatus") or "")


def _of_summary(scan: Record, name: str) -> str | None:
    summary = scan.get("summary")
    value = summary.get(name) if isinstance(summary, dict) else None
    return value if isinstance(value, str) else None


def has_ended(scan: Record) -> bool:
    """Tell whether no more findings will come from a scan. An unknown status is not an end."""
    return scan.get("status") in ENDED and results_status(scan) not in AT_WORK


def has_report(scan: Record) -> bool:
    """Tell whether a scan has run to its end and has results to report."""
    return scan.get("status") == "FINISHED" and results_status(scan) not in {
        *AT_WORK,
        *WITHOUT_RESULTS,
    }


def has_worked(scan: Record) -> bool:
    """Tell whether a scan has tested everything, as far as it tells."""
    return scan.get("status") == "FINISHED" and results_status(scan) in {*WORKED, None}


def running_scan(webapp: Record) -> int | None:
    """Give the id of the latest scan of a web application; None when it has ended, or is not told.

    An unknown status is not an end.
    """
    scan, status = webapp["lastScan"], webapp["lastScanStatus"]
    if not isinstance(scan, dict) or not isinstance(scan["id"], int) or status is None:
        return None
    return None if has_ended({**scan, "status": status}) else scan["id"]


def launch_of(scan: Record) -> datetime | None:
    """Give the launch of a scan; running ones may have it in their reference only."""
    launched = scan.get("launchedDate")
    if isinstance(launched, str):
        return parse_strict(launched)
    match = REFERENCE.match(str(scan.get("reference") or ""))
    return datetime.fromtimestamp(int(match[1]) // 1000, timezone.utc) if match else None
