"""What happens to web apps, tags, QIDs and findings besides scans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.sandbox.world.generation import make_app, make_paths
from tests.sandbox.world.model import Ignore, WebApp
from tests.sandbox.world.scan_events import ScanEvents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.world.model import Finding, Qid, Scan, Tag


class WorldEvents(ScanEvents):
    """Every event takes place at the clock's moment.

    Only scans and retests move a finding's test dates. Ignores, severity edits, moves and
    deletions move nothing that can be filtered on, as with Qualys.
    """

    def add_app(self, name: str | None = None, url: str | None = None) -> WebApp:
        """Add a web app; name and URL may be another app's."""
        app = make_app(self)
        app.created = app.updated = self.moment()
        app.name = name or app.name
        if url is not None:
            app.url, app.paths = url, make_paths(self.random, url)
        return app

    def rename_app(self, app: WebApp, name: str) -> None:
        """Give the web app another name."""
        app.name, app.updated = name, self.moment()

    def tag_app(self, app: WebApp, tags: Sequence[Tag]) -> None:
        """Set the web app's tags."""
        app.tags, app.updated = list(tags), self.moment()

    def delete_app(self, app: WebApp) -> None:
        """Remove the web app with its findings; its scans stay listed, as history."""
        for finding in self.findings_of(app):
            self.withdraw(finding)
        del self.apps[app.id]

    def delete_finding(self, finding: Finding) -> None:
        """Remove one finding without a trace."""
        self.withdraw(finding)

    def delete_scan(self, scan: Scan) -> None:
        """Remove a scan from the list; what it found stays."""
        self.scans.remove(scan)
        if scan.app.last_scan is scan:
            left = [one for one in self.scans if one.app is scan.app]
            scan.app.last_scan = max(left, key=lambda one: one.launched, default=None)

    def ignore_finding(
        self, finding: Finding, reason: str | None = "RISK_ACCEPTED", comment: str = "agreed"
    ) -> None:
        """Set the finding ignored; Qualys may hold no reason at all."""
        finding.ignored = Ignore(reason, self.moment(), comment)
        finding.updated = self.moment()

    def activate_finding(self, finding: Finding) -> None:
        """Activate an ignored finding."""
        finding.ignored, finding.updated = None, self.moment()

    def protect_finding(self, finding: Finding) -> None:
        """Protect an open finding by a virtual patch."""
        if finding.status is not None and finding.open:
            finding.status, finding.updated = "PROTECTED", self.moment()

    def edit_severity(self, finding: Finding, severity: int) -> None:
        """Let a person change the severity; the first original is kept."""
        original = finding.severity if finding.edited is None else finding.edited[1]
        finding.edited = (self.moment(), original)
        finding.severity, finding.updated = severity, self.moment()

    def move_finding(self, finding: Finding, url: str) -> None:
        """Move a finding to another page."""
        if finding.url is not None:
            finding.url, finding.updated = url, self.moment()

    def retitle(self, qid: Qid, title: str) -> None:
        """Let Qualys rename a QID, in its findings and in the knowledge base."""
        qid.title = title
        if qid.entry is not None:
            qid.entry = replace(qid.entry, modified=self.moment())
