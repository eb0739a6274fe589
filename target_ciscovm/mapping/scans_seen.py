"""What the scans of a load say about each web application. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import to_utc
from qualyswas_ciscovm.scans import AT_WORK, WITHOUT_RESULTS
from target_ciscovm.mapping.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_ciscovm.mapping.records import Scan

FINISHED: Final = "FINISHED"


class LastScan(msgspec.Struct, frozen=True):
    """The latest scan that has worked on a web application.

    Attributes:
        seen: when it ended, else when it was launched, in UTC as text.
        os: operating system it found.
        name: name of the web application at that time.
        url: of the web application.
    """

    seen: str
    os: str | None = None
    name: str | None = None
    url: str | None = None


def has_worked(scan: Scan) -> bool:
    """Tell whether the scan has ended, has reached the site, and its results are there."""
    results = _word(scan.summary.results_status if scan.summary else None)
    return _word(scan.status) == FINISHED and results not in AT_WORK | WITHOUT_RESULTS


def _word(text: str | None) -> str:
    return (text or "").strip().upper()


def latest(scans: Iterable[Scan], now: str | None = None) -> dict[int, LastScan]:
    """Give the latest scan that has worked on each web application, by its id.

    Of two that ended at the same time, it is the one with the higher id.

    Args:
        scans: rows of `scans`, in any order.
        now: in UTC as text; what would have ended later ended now. None where nobody told it.
    """
    found: dict[int, tuple[str, int, Scan]] = {}
    for scan in scans:
        app = scan.web_app
        seen = to_utc(scan.end_scan_date) or to_utc(scan.launched_date)
        if app is None or app.id is None or seen is None or not has_worked(scan):
            continue
        rank = (min(seen, now or seen), scan.id or 0)
        if app.id not in found or rank >= found[app.id][:2]:
            found[app.id] = (*rank, scan)
    return {number: _last(seen, scan) for number, (seen, _, scan) in found.items()}


def _last(seen: str, scan: Scan) -> LastScan:
    system = one_line(scan.summary.os) if scan.summary else None
    app = scan.web_app
    return LastScan(seen, system or None, app.name if app else None, app.url if app else None)
