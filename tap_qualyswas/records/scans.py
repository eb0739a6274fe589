"""Scans.

Names are Qualys's own (WAS API user guide, "Reference" of the scan).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import date, text, whole, word
from tap_qualyswas.records.shapes import Shape, within

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

_SUMMARY: Final = Shape(
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
        "summary": _SUMMARY,
        "profile": Shape("profile", {"id": whole, "name": text}),
    },
    ignored=(
        *("multi", "progressiveScanning", "launchedBy", "consolidatedStatus", "cancelMode"),
        *("canceledBy", "options", "sendMail", "sendOneMail", "enableWAFAuth"),
        *("cancelAfterNHours", "cancelTime", "stats", "vulns", "sensitiveContents", "igs"),
    ),
    keys=("id",),
)


def read_scan(element: Element, notes: Notes) -> Record:
    """Read a scan; its target is the property `webApp`."""
    record = _SCAN(element, notes)
    return {("webApp" if name == "target" else name): value for name, value in record.items()}
