"""What Qualys's words for the results of a scan (`summary.resultsStatus`) mean.

The status of a scan is FINISHED even when it has tested nothing, or when its results are still to
come (WAS API user guide, "Scan status").
"""

from __future__ import annotations

from typing import Final

AT_WORK: Final = frozenset({"PROCESSING", "TO_BE_PROCESSED", "CANCELING"})
"""Results that are still to come."""
WITHOUT_RESULTS: Final = frozenset(
    {
        *("NOT_USED", "NO_HOST_ALIVE", "NO_WEB_SERVICE", "SERVICE_ERROR", "SCAN_INTERNAL_ERROR"),
        *("SCAN_RESULTS_INVALID", "SCAN_NOT_LAUNCHED", "SCANNER_NOT_AVAILABLE", "CANCELED"),
        *("CANCELLED", "ERROR", "DELETED"),
    }
)
"""Results of scans that have tested nothing."""
