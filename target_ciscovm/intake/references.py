"""What many findings share, kept once in memory: their QIDs and web applications.

A load has a few thousand of each, however many findings it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_ciscovm.mapping.records import Finding

if TYPE_CHECKING:
    from target_ciscovm.mapping.records import WebAppRef


class References:
    """Numbers the QIDs and the web applications of the findings.

    Attributes:
        representatives: for each QID a finding with all that its definition needs.
        apps: web applications as the findings name them.
    """

    def __init__(self) -> None:
        self.representatives: list[Finding] = []
        self.apps: list[WebAppRef] = []
        self._definitions: dict[object, int] = {}
        self._unclassified: set[int] = set()
        self._apps: dict[tuple[int | None, str | None, str | None], int] = {}

    def definition_of(self, finding: Finding) -> int:
        """Give the number of the finding's QID.

        QID 0 stands for everything imported from other scanners; there the name identifies the
        definition.

        Only some findings of a QID may have classes; the representative has the first ones.
        """
        key = finding.qid or (finding.finding_type, finding.name)
        number = self._definitions.get(key)
        if number is None:
            number = self._definitions[key] = len(self.representatives)
            self._unclassified.add(number)
            self.representatives.append(
                Finding(qid=finding.qid, finding_type=finding.finding_type, name=finding.name)
            )
        if number in self._unclassified and (finding.cwe or finding.wasc):
            self._unclassified.discard(number)
            self.representatives[number].cwe = finding.cwe
            self.representatives[number].wasc = finding.wasc
        return number

    def app_of(self, app: WebAppRef | None) -> int | None:
        """Give the number of the web application, None for none."""
        if app is None:
            return None
        key = (app.id, app.name, app.url)
        number = self._apps.get(key)
        if number is None:
            number = self._apps[key] = len(self.apps)
            self.apps.append(app)
        return number
