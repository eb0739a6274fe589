"""The QIDs of a sync: which finding stands for each, and what is known of their classification.

CWE, OWASP, WASC and group belong to a QID, and only findings with details carry them; so one
finding of each QID is asked for with details. (That they belong to the QID is inferred from the
glossary of Qualys's reports, which lists them so.)
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_qualyswas.records.fields import Json, Record

CLASSES: Final = ("cwe", "owasp", "wasc", "group")
_classes_of: Final = itemgetter(*CLASSES)
NO_ID: Final = 0
"""For a finding out of a scan report, which has no id to ask for."""


class Qids:
    """Collect QIDs from findings. QID 0 is that of imported findings: it has no entry."""

    def __init__(self) -> None:
        self._representatives: dict[int, tuple[str, int]] = {}
        self._classes: dict[int, dict[str, Json]] = {}

    def __len__(self) -> int:
        return len(self._representatives)

    def all(self) -> list[int]:
        """Give the QIDs, ascending."""
        return sorted(self._representatives)

    def note(self, findings: Iterable[Record]) -> None:
        """Take over the QIDs of findings, and their classification where they carry one."""
        for finding in findings:
            qid, kind, finding_id = finding["qid"], finding["type"], finding["id"]
            if not isinstance(qid, int) or qid <= 0:
                continue
            if qid not in self._representatives and isinstance(kind, str):
                known_id = finding_id if isinstance(finding_id, int) else NO_ID
                self._representatives[qid] = (kind, known_id)
            self.classify(finding)

    def classify(self, finding: Record) -> None:
        """Take over the classification that a finding carries, unless the QID has one already."""
        qid = finding["qid"]
        if isinstance(qid, int) and qid not in self._classes and any(_classes_of(finding)):
            self._classes[qid] = {name: finding[name] for name in CLASSES}

    def unclassified(self) -> dict[str, list[int]]:
        """Give the findings to ask for with details: ids by finding type, ascending."""
        wanted: dict[str, list[int]] = {}
        for qid, (kind, finding_id) in sorted(self._representatives.items()):
            if qid not in self._classes and finding_id != NO_ID:
                wanted.setdefault(kind, []).append(finding_id)
        return {kind: sorted(ids) for kind, ids in wanted.items()}

    def classes(self, qid: int) -> dict[str, Json] | None:
        """Give cwe, owasp, wasc and group of a QID; None when no finding told them."""
        return self._classes.get(qid)

    def as_state(self) -> dict[str, list[Any]]:
        """Give the form in which they are kept in the state: finding type and id by QID."""
        return {str(qid): list(found) for qid, found in self._representatives.items()}

    def restore(self, kept: object) -> None:
        """Take over what was kept; what is not of that form is passed over."""
        if not isinstance(kept, dict):
            return
        for qid, found in kept.items():
            if str(qid).isdecimal() and _is_representative(found):
                self._representatives.setdefault(int(qid), (found[0], found[1]))

    def without(self, done: Iterable[int]) -> Mapping[str, list[Any]]:
        """Give the form for the state, without the QIDs that are done."""
        finished = {str(qid) for qid in done}
        return {qid: found for qid, found in self.as_state().items() if qid not in finished}


def _is_representative(found: object) -> bool:
    return (
        isinstance(found, (list, tuple))
        and len(found) == 2  # noqa: PLR2004 - type and id
        and isinstance(found[0], str)
        and isinstance(found[1], int)
    )
