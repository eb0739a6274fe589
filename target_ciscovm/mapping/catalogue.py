"""The QIDs of a load: their definitions by name, and what the filters need to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from target_ciscovm.mapping.definition import definition, qid_of
from target_ciscovm.mapping.filters import QidFacts
from target_ciscovm.mapping.records import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_ciscovm.mapping.records import KnowledgeBaseEntry


class Known(NamedTuple):
    """The definition of a QID: its name, and what the filters need to know."""

    name: str
    facts: QidFacts


class Catalogue:
    """Definitions, made on demand.

    Args:
        entries: rows of `knowledge_base`.
        sent_names: name last sent for a QID, for those without a knowledge base entry.
    """

    def __init__(
        self, entries: Iterable[KnowledgeBaseEntry], sent_names: Mapping[int, str]
    ) -> None:
        self._entries = {entry.qid: entry for entry in entries if entry.qid is not None}
        self._sent_names = sent_names
        self._json: dict[str, bytes] = {}
        self._encode = msgspec.json.Encoder().encode

    def of(self, representative: Finding) -> Known:
        """Give the definition of a QID.

        Args:
            representative: a finding of it, see `references.References`.
        """
        qid = representative.qid
        entry = self._entries.get(qid) if qid else None
        made = definition(representative, entry, self._sent_names.get(qid) if qid else None)
        if made.name not in self._json or made.classified:
            self._json[made.name] = self._encode(made)
        return Known(made.name, QidFacts(known=entry is not None, classified=made.classified))

    def use(self, name: str, finding: Finding | None = None) -> str:
        """Define a name that an earlier load has sent, and give it back."""
        if name not in self._json:
            finding = finding or Finding(qid=qid_of(name))
            entry = self._entries.get(finding.qid) if finding.qid else None
            made = msgspec.structs.replace(definition(finding, entry), name=name)
            self._json[name] = self._encode(made)
        return name

    def json(self, name: str) -> bytes:
        """Give a definition as it is written in a file."""
        return self._json[name]
