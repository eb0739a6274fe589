"""What scans do to findings, with the dates that Qualys gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.world.generation import make_finding
from tests.sandbox.world.model import FIXED
from tests.sandbox.world.population import Population
from tests.sandbox.world.reports import written

if TYPE_CHECKING:
    from tests.sandbox.world.model import Finding, Qid, Scan, WebApp

SUCCESSFUL: Final = "SUCCESSFUL"
CANCELED_WITH_RESULTS: Final = "CANCELED_WITH_RESULTS"


class ScanEvents(Population):
    """Scans are launched, find, and end; findings carry the launch as their date."""

    def launch_scan(
        self, app: WebApp, launched: int | None = None, mode: str = "SCHEDULED"
    ) -> Scan:
        """Start a scan, now or at a moment of the past; nothing is found before it ends."""
        return self.new_scan(app, self.moment() if launched is None else launched, mode)

    def finish_scan(self, scan: Scan, results: str = SUCCESSFUL, ended: int | None = None) -> None:
        """End a scan with a resultsStatus; with PROCESSING its results are still to come.

        Call it again with a final one when they are. Only SUCCESSFUL shows what was fixed:
        CANCELED_WITH_RESULTS shows what was seen, and all others leave the findings alone.
        """
        self._end(scan, "FINISHED", results, ended)
        if results == SUCCESSFUL:
            self._publish_results(scan, whole=True)

    def cancel_scan(
        self, scan: Scan, *, with_results: bool = False, ended: int | None = None
    ) -> None:
        """Stop a scan; what it had seen until then is kept only `with_results`."""
        scan.canceled = True
        if with_results:
            self._end(scan, "FINISHED", CANCELED_WITH_RESULTS, ended)
            self._publish_results(scan, whole=False)
        else:
            self._end(scan, "CANCELED", "CANCELED", ended)

    def fail_scan(self, scan: Scan, results: str = "SCAN_INTERNAL_ERROR") -> None:
        """End a scan that tested nothing."""
        self._end(scan, "ERROR", results, None)

    def add_finding(
        self,
        app: WebApp,
        qid: Qid | None = None,
        scan: Scan | None = None,
        page: str | None = None,
    ) -> Finding:
        """Add a finding: at once, or when a running scan ends."""
        launched = self.moment() if scan is None else scan.launched
        chosen = qid or self.random.choice(self.qids)
        finding = make_finding(self, app, chosen, launched, page=page)
        if scan is None:
            self.publish(finding)
        else:
            scan.news.append(finding)
        return finding

    def fix_finding(self, finding: Finding, scan: Scan | None = None) -> None:
        """Mark a finding fixed: now by a retest, or when a running scan ends.

        Raises:
            ValueError: for INFORMATION_GATHERED, which has no status that could change.
        """
        if finding.status is None:
            msg = f"an information item ({finding.id}) cannot be fixed"
            raise ValueError(msg)
        if scan is None:
            _mark_fixed(finding, self.moment(), self.moment())
        else:
            scan.gone.append(finding)

    def reopen_finding(self, finding: Finding, scan: Scan | None = None) -> None:
        """Reopen a fixed finding: at once, or when a running scan ends."""
        if scan is None:
            _mark_seen(finding, self.moment(), self.moment())
        else:
            scan.returned.append(finding)

    def _end(self, scan: Scan, status: str, results: str, ended: int | None) -> None:
        scan.status, scan.results = status, results
        if scan.ended is None:
            scan.ended = max(scan.launched + 60, self.moment() if ended is None else ended)
        if results == SUCCESSFUL:
            scan.os = scan.app.os

    def _publish_results(self, scan: Scan, *, whole: bool) -> None:
        if scan.app.id not in self.apps:
            return
        ended = scan.ended or scan.launched
        gone = {id(finding) for finding in scan.gone}
        returned = {id(finding) for finding in scan.returned}
        seen: list[Finding] = []
        for finding in self.findings_of(scan.app):
            if finding.tested > scan.launched:
                if finding.first <= scan.launched <= finding.last:
                    seen.append(finding)
                continue  # a later scan has already said more
            if id(finding) in gone and finding.open:
                if whole:
                    _mark_fixed(finding, scan.launched, ended)
            elif finding.open or id(finding) in returned:
                _mark_seen(finding, scan.launched, ended)
                seen.append(finding)
            elif whole:
                finding.tested, finding.updated = scan.launched, ended
        for finding in scan.news:
            finding.updated = ended
            self.publish(finding)
        scan.report = written(scan.app, [*seen, *scan.news])
        scan.news, scan.gone, scan.returned = [], [], []


def _mark_fixed(finding: Finding, tested: int, updated: int) -> None:
    """Set it FIXED: it was tested, not detected, so only the first of the two dates moves."""
    finding.status = FIXED
    finding.fixed = finding.tested = max(tested, finding.tested)
    finding.updated = max(updated, finding.updated)


def _mark_seen(finding: Finding, launched: int, updated: int) -> None:
    """Set it seen once more; a fixed one comes back as REOPENED."""
    if finding.status == FIXED:
        finding.status = "REOPENED"
        finding.fixed = None
    elif finding.status in {"NEW", "REOPENED"}:
        finding.status = "ACTIVE"
    finding.times += finding.status is not None
    finding.last = finding.tested = max(launched, finding.tested)
    finding.updated = max(updated, finding.updated)
