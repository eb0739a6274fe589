"""The QIDs of a sync: a finding that represents each, and how it is classified.

CWE, OWASP, WASC and group belong to a QID, and only verbose findings carry them; so one verbose
finding of each QID is asked for, and another one when the first carries none. (That they belong to
the QID is inferred from the glossary of Qualys's reports, which lists them so.)
"""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from tap_qualyswas.qualys.knowledge_base import KB_IDS
from tap_qualyswas.records.fields import LARGEST
from tap_qualyswas.settings.schema import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.sync.state import State

STREAM: Final = "knowledge_base"
UNPUBLISHED: Final = "unpublished"
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

    Attributes:
        of_now: those of this sync's findings; none before all of these have been read.
    """

    def __init__(self, state: State, *, wanted: bool) -> None:
        self._state = state
        self._wanted = wanted
        self._representatives: dict[int, tuple[str, int]] = {}
        self._others: dict[int, int] = {}
        self._classes: dict[int, dict[str, Json]] = {}
        self._unpublished: set[int] = set()
        self.of_now: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self._representatives)

    def came(self, qid: int) -> bool:
        """Tell whether a QID is one of a finding, of this sync or of one that left it open."""
        return qid in self._representatives

    def all(self) -> list[int]:
        """Give the QIDs, ascending."""
        return sorted(self._representatives)

    def add(self, findings: Iterable[Record]) -> None:
        """Add the QIDs of findings, and their classification where they carry one."""
        for finding in findings:
            qid, kind, finding_id = finding["qid"], finding["type"], finding["id"]
            if not isinstance(qid, int) or qid <= 0:
                continue
            if isinstance(kind, str) and qid not in self._others:  # else there are two already
                self._represent(qid, kind, finding_id if isinstance(finding_id, int) else NO_ID)
            if any(_classes_of(finding)):  # a lean one has none of them
                self.classify(finding)

    def _represent(self, qid: int, kind: str, finding_id: int) -> None:
        first = self._representatives.setdefault(qid, (kind, finding_id))
        if qid not in self._others and first[0] == kind and first[1] != finding_id:
            self._others[qid] = finding_id

    def classify(self, finding: Record) -> None:
        """Add the classification that a finding carries, unless the QID has one already."""
        qid = finding["qid"]
        if isinstance(qid, int) and qid not in self._classes and any(_classes_of(finding)):
            self._classes[qid] = {name: finding[name] for name in CLASSES}

    def unclassified(self, *, again: bool = False) -> dict[int, tuple[str, int]]:
        """Give the representatives to ask for: finding type and id by QID.

        Args:
            again: whether those that were asked for brought nothing: then another finding of the
                QID, where there is one.
        """
        others = self._others if again else {}
        return {
            qid: (kind, others.get(qid, finding_id))
            for qid, (kind, finding_id) in sorted(self._representatives.items())
            if qid not in self._classes and finding_id != NO_ID
        }

    def classes(self, qid: int) -> dict[str, Json] | None:
        """Give cwe, owasp, wasc and group of a QID; None when no finding carried them."""
        return self._classes.get(qid)

    def as_state(self) -> dict[str, list[Any]]:
        """Give the form in which the state keeps them: finding type, and one or two ids, by QID."""
        others = self._others
        return {
            str(qid): [*found, others[qid]] if qid in others else [*found]
            for qid, found in self._representatives.items()
        }

    def restore(self, kept: object) -> None:
        """Add what the state kept; what is not of that form is ignored."""
        if not isinstance(kept, dict):
            return
        for qid, found in kept.items():
            if str(qid).isdecimal() and _is_representative(found):
                kind, first, *other = found
                if self._representatives.setdefault(int(qid), (kind, first)) == (kind, first):
                    self._others |= {int(qid): one for one in other}

    def groups(self) -> dict[str, list[int]]:
        """Give the QIDs of each group. That is all that reports of scans tell of their class."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for qid, classes in self._classes.items():
            if isinstance(group := classes["group"], str):
                found[group].append(qid)
        return found

    def restore_groups(self, kept: object) -> None:
        """Add the groups that the state kept; what is not of that form is ignored."""
        for group, qids in kept.items() if isinstance(kept, dict) else ():
            for qid in qids if isinstance(qids, list) else ():
                if isinstance(qid, int) and qid in self._representatives:
                    blank: dict[str, Json] = dict.fromkeys(CLASSES)
                    self._classes.setdefault(qid, {**blank, "group": str(group)})

    def restore_pending(self) -> None:
        """Add those whose entries earlier runs could not read."""
        self.restore(self._state.pending(STREAM))

    def keep(self) -> None:
        """Keep all of them in the state, where their entries are wanted: the findings have come."""
        self.of_now = frozenset(self._representatives)
        if self._wanted:
            self.restore_pending()
            self._state.set_pending(STREAM, self.as_state())

    def restore_unpublished(self) -> None:
        """Take over which QIDs had no entry in the syncs since the last full one."""
        kept = self._state.passing(STREAM, UNPUBLISHED)
        for qid, classes in kept.items() if isinstance(kept, dict) else ():
            if str(qid).isdecimal() and int(qid) > 0 and _are_classes(classes):
                self._unpublished.add(int(qid))
                if classes is not None:
                    self._classes.setdefault(int(qid), classes)

    def unpublished(self, room: int) -> list[int]:
        """Give those that had no entry and of which no finding came, as many as there is room."""
        return sorted(self._unpublished - self._representatives.keys())[:room]

    def keep_unpublished(self, asked: Iterable[int], published: Iterable[object]) -> None:
        """Keep which of those that were asked for have no entry, with their classification.

        As many are kept as fit into one call. A full sync begins the list anew, so that it holds no
        QID for ever.
        """
        self._unpublished = self._unpublished.union(asked).difference(published)
        kept = sorted(self._unpublished)[:KB_IDS]
        classes = {str(qid): self.classes(qid) for qid in kept}
        self._state.set_passing(STREAM, UNPUBLISHED, classes)

    def finish(self, qids: Iterable[int]) -> None:
        """Keep all but these, whose entries have been read, and write the state."""
        finished = {str(qid) for qid in qids}
        left = {qid: found for qid, found in self.as_state().items() if qid not in finished}
        self._state.set_pending(STREAM, left)
        self._state.write()


def _is_representative(found: object) -> bool:
    if not isinstance(found, (list, tuple)) or len(found) not in {2, 3}:
        return False
    kind, *ids = found
    return kind in FINDING_TYPES and all(type(one) is int and 0 <= one <= LARGEST for one in ids)


def _are_classes(found: object) -> bool:
    if found is None:
        return True
    if not isinstance(found, dict) or found.keys() != {*CLASSES}:
        return False
    *lists, group = _classes_of(found)
    return all(isinstance(one, list | None) for one in lists) and isinstance(group, str | None)
