"""The QIDs of a load: their definitions by name, ready to be written, and what filters ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from target_ciscovm.definitions import definition
from target_ciscovm.filters import QidFacts
from target_ciscovm.kdi_types import SCANNER_TYPE, VulnDef

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_ciscovm.records import Finding, KnowledgeBaseEntry


class Known(NamedTuple):
    """A finding's definition: its name, and what filters ask of its QID."""

    name: str
    facts: QidFacts


class Catalogue:
    """Definitions, made when the first finding of a QID asks for its own.

    Args:
        entries: rows of `knowledge_base`.
        sent_names: name last sent by QID, for QIDs that the knowledge base does not tell of.
    """

    def __init__(
        self, entries: Iterable[KnowledgeBaseEntry], sent_names: Mapping[int, str]
    ) -> None:
        self._entries = {entry.qid: entry for entry in entries if entry.qid is not None}
        self._sent_names = sent_names
        self._known: dict[object, Known] = {}
        self._json: dict[str, bytes] = {}
        self._classified: set[str] = set()
        self._encode = msgspec.json.Encoder().encode

    def of(self, finding: Finding) -> Known:
        """Give the definition of the finding's QID."""
        # QID 0 is that of everything imported: there it is the name that tells things apart.
        key: object = finding.qid or (finding.finding_type, finding.name)
        known = self._known.get(key)
        if known is None or (not known.facts.classified and (finding.cwe or finding.wasc)):
            known = self._known[key] = self._make(finding)
        return known

    def _make(self, finding: Finding) -> Known:
        qid = finding.qid
        entry = self._entries.get(qid) if qid else None
        made = definition(finding, entry, self._sent_names.get(qid) if qid else None)
        if made.name not in self._json or made.classified:
            self._json[made.name] = self._encode(made)
        return Known(made.name, QidFacts(known=entry is not None, classified=made.classified))

    def use(self, name: str, finding: Finding | None = None) -> str:
        """Take care that a name that was sent in another load is defined in this one, too."""
        if name not in self._json:
            made = VulnDef(scanner_type=SCANNER_TYPE, name=name)
            entry = self._entries.get(finding.qid) if finding and finding.qid else None
            if finding is not None and entry is not None:
                made = msgspec.structs.replace(definition(finding, entry), name=name)
            self._json[name] = self._encode(made)
        return name

    def json(self, name: str) -> bytes:
        """Give a definition as it stands in a file."""
        return self._json[name]
