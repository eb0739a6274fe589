"""The QIDs of a sync: a finding that represents each, and how it is classified.

CWE, OWASP, WASC and group belong to a QID, and only verbose findings carry them; so one verbose
finding of each QID is asked for. (That they belong to the QID is inferred from the glossary of
Qualys's reports, which lists them so.)
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.sync.state import State

STREAM: Final = "knowledge_base"
CLASSES: Final = ("cwe", "owasp", "wasc", "group")
_classes_of: Final = itemgetter(*CLASSES)
NO_ID: Final = 0
"""For a finding out of a scan report, which has no id that could be asked for."""


class Qids:
    """Collect QIDs from findings, and keep them in the state until their entries have been read.

    QID 0 is left out: it stands for imported findings and has no entry.

    Args:
        state: of the tap.
        wanted: whether the entries are read at all.
    """

    def __init__(self, state: State, *, wanted: bool) -> None:
        self._state = state
        self._wanted = wanted
        self._representatives: dict[int, tuple[str, int]] = {}
        self._classes: dict[int, dict[str, Json]] = {}

    def __len__(self) -> int:
        return len(self._representatives)

    def all(self) -> list[int]:
        """Give the QIDs, ascending."""
        return sorted(self._representatives)

    def add(self, findings: Iterable[Record]) -> None:
        """Add the QIDs of findings, and their classification where they carry one."""
        for finding in findings:
            qid, kind, finding_id = finding["qid"], finding["type"], finding["id"]
            if not isinstance(qid, int) or qid <= 0:
                continue
            if qid not in self._representatives and isinstance(kind, str):
                known_id = finding_id if isinstance(finding_id, int) else NO_ID
                self._representatives[qid] = (kind, known_id)
            self.classify(finding)

    def classify(self, finding: Record) -> None:
        """Add the classification that a finding carries, unless the QID has one already."""
        qid = finding["qid"]
        if isinstance(qid, int) and qid not in self._classes and any(_classes_of(finding)):
            self._classes[qid] = {name: finding[name] for name in CLASSES}

    def unclassified(self) -> dict[str, list[int]]:
        """Give the representatives to ask for: ids by finding type, ascending."""
        wanted: dict[str, list[int]] = {}
        for qid, (kind, finding_id) in sorted(self._representatives.items()):
            if qid not in self._classes and finding_id != NO_ID:
                wanted.setdefault(kind, []).append(finding_id)
        return {kind: sorted(ids) for kind, ids in wanted.items()}

    def classes(self, qid: int) -> dict[str, Json] | None:
        """Give cwe, owasp, wasc and group of a QID; None when no finding carried them."""
        return self._classes.get(qid)

    def as_state(self) -> dict[str, list[Any]]:
        """Give the form in which the state keeps them: finding type and id by QID."""
        return {str(qid): list(found) for qid, found in self._representatives.items()}

    def restore(self, kept: object) -> None:
        """Add what the state kept; what is not of that form is ignored."""
        if not isinstance(kept, dict):
            return
        for qid, found in kept.items():
            if str(qid).isdecimal() and _is_representative(found):
                self._representatives.setdefault(int(qid), (found[0], found[1]))

    def restore_pending(self) -> None:
        """Add those whose entries earlier runs could not read."""
        self.restore(self._state.pending(STREAM))

    def keep(self) -> None:
        """Keep all of them in the state, where their entries are wanted."""
        if self._wanted:
            self.restore_pending()
            self._state.set_pending(STREAM, self.as_state())

    def finish(self, qids: Iterable[int]) -> None:
        """Keep all but these, whose entries have been read, and write the state."""
        finished = {str(qid) for qid in qids}
        left = {qid: found for qid, found in self.as_state().items() if qid not in finished}
        self._state.set_pending(STREAM, left)
        self._state.write()


def _is_representative(found: object) -> bool:
    return (
        isinstance(found, (list, tuple))
        and len(found) == 2  # noqa: PLR2004 - type and id
        and isinstance(found[0], str)
        and isinstance(found[1], int)
    )
