"""Whether a scan has ended, and when it began, from one record of the `scans` stream."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import parse_strict

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
AT_WORK: Final = frozenset({"PROCESSING", "TO_BE_PROCESSED", "CANCELING"})
"""Results that are still to come, although the scan itself may be FINISHED."""
REFERENCE: Final = re.compile(r"was/(\d{13})\.", re.ASCII)
"""`was/<milliseconds>.<number>`: the moment when a scan was requested."""


def results_status(scan: Record) -> str | None:
    """Give `summary.resultsStatus`."""
    summary = scan.get("summary")
    value = summary.get("resultsStatus") if isinstance(summary, dict) else None
    return value if isinstance(value, str) else None


def has_ended(scan: Record) -> bool:
    """Tell whether no more findings will come from a scan. An unknown status is not an end."""
    return scan.get("status") in ENDED and results_status(scan) not in AT_WORK


def is_finished(scan: Record) -> bool:
    """Tell whether a scan has run to its end and has its results."""
    return scan.get("status") == "FINISHED" and results_status(scan) not in AT_WORK


def launch_of(scan: Record) -> datetime | None:
    """Give the launch of a scan; running ones may have it in their reference only."""
    launched = scan.get("launchedDate")
    if isinstance(launched, str):
        return parse_strict(launched)
    match = REFERENCE.match(str(scan.get("reference") or ""))
    return datetime.fromtimestamp(int(match[1]) // 1000, timezone.utc) if match else None
