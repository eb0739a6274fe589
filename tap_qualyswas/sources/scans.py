"""Scans: those of the window, and those that have not ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.dates import parse_strict, to_text
from tap_qualyswas.qualys.request_bodies import greater
from tap_qualyswas.records.scan_status import has_ended, is_finished, launch_of
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.search.pages import Span
from tap_qualyswas.search.walk import Sweep, Walk
from tap_qualyswas.sync.plan import HANGING_AFTER
from tap_qualyswas.sync.reader import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.run import Run

BOOKMARK: Final = "launchedDate"


def read_scans(run: Run) -> Iterator[Record]:
    """Read the scans of the window, then move their bookmark.

    Raises:
        QualysError: when the read cannot go on.
    """
    window_start = run.window_start("scans", BOOKMARK)
    window = () if window_start is None else (greater(BOOKMARK, window_start),)
    sweeps = [
        Sweep(
            key=f"wasscan/{number}",
            kind="wasscan",
            criteria=(*scope, *window),
            read=read_scan,
            page_size=run.settings.verbose_page_size,
            verbose=True,
        )
        for number, scope in enumerate(run.scopes("webApp.id"))
    ]
    collector = ScanCollector(run)
    yield from Reading(run, "scans", sweeps, run.frame(window_start), collector).records()
    run.move_bookmark("scans", BOOKMARK, collector.greatest)
    if run.bookmarks.has_inherited("scans"):
        # Scans launched since the interrupted run lie behind the cursor: ask for those that run.
        run.bookmarks.unended_scans = None
    if "scan_results" in run.selected:
        pending = run.state.pending("scan_results")
        kept = pending if isinstance(pending, list) else []
        run.state.set_pending("scan_results", sorted({*kept, *collector.finished}))


def find_unended_scans(run: Run) -> list[datetime]:
    """Give the launches of scans that have not ended, where the scans stream did not tell them."""
    since = to_text(run.now - HANGING_AFTER)
    sweeps = [
        Sweep(
            key=f"unended/{number}",
            kind="wasscan",
            criteria=(*scope, greater("launchedDate", since)),
            read=read_scan,
            page_size=run.settings.page_size,
            verbose=False,
        )
        for number, scope in enumerate(run.scopes("webApp.id"))
    ]
    pages = Walk(run.api, sweeps).pages({sweep.key: [Span()] for sweep in sweeps})
    scans = [scan for page in pages for scan in page.records if not has_ended(scan)]
    return [launch for scan in scans if (launch := launch_of(scan)) is not None]


class ScanCollector:
    """Greatest launch, scans that have not ended, and finished scans of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._warned = False
        self.greatest: str | None = None
        self.finished: list[int] = []
        run.bookmarks.unended_scans = []

    def take(self, records: Sequence[Record]) -> None:
        """Look at a page of scans."""
        for scan in records:
            launched = scan["launchedDate"]
            if isinstance(launched, str):
                self.greatest = max(launched, self.greatest or launched)
            if not has_ended(scan):
                self._hold(scan)
            if is_finished(scan) and isinstance(scan["id"], int):
                self.finished.append(scan["id"])

    def _hold(self, scan: Record) -> None:
        launch = launch_of(scan)
        if launch is None or self._run.bookmarks.unended_scans is None:
            return
        if launch > self._run.now - HANGING_AFTER:
            self._run.bookmarks.unended_scans.append(launch)
        elif not self._warned:
            self._warned = True
            self._run.logger.warning(
                "Scan %s was launched at %s and has not ended: after 30 days it no longer holds "
                "the bookmarks back.",
                *(scan["id"], to_text(launch)),
            )

    def carried(self) -> dict[str, Any]:
        """Give what an interrupted run has to hand on."""
        unended = self._run.bookmarks.unended_scans or []
        return {
            "greatest": self.greatest,
            "unended": [to_text(launch) for launch in unended],
            "finished": self.finished if "scan_results" in self._run.selected else [],
        }

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over what an interrupted run handed on."""
        kept = carried.get("greatest")
        self.greatest = kept if isinstance(kept, str) else None
        finished = carried.get("finished")
        if isinstance(finished, list):
            self.finished += [scan_id for scan_id in finished if isinstance(scan_id, int)]
        unended = carried.get("unended")
        if isinstance(unended, list) and self._run.bookmarks.unended_scans is not None:
            self._run.bookmarks.unended_scans += [parse_strict(str(value)) for value in unended]
