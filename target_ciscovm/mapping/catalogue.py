"""The QIDs of a load: their definitions by name, and what the filters need to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from target_ciscovm.kdi.types import VulnDef
from target_ciscovm.mapping.definition import definition, qid_of
from target_ciscovm.mapping.filters import QidFacts
from target_ciscovm.mapping.records import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_ciscovm.mapping.records import KnowledgeBaseEntry


class Known(NamedTuple):
    """The definition of a QID: its name, and what the filters need to know."""

    name: str
    facts: QidFacts


def _nothing(_: str) -> bytes | None:
    return None


class Catalogue:
    """Definitions, made on demand.

    Args:
        entries: rows of `knowledge_base`.
        sent_names: name last sent for a QID, for those without a knowledge base entry.
        remembered: gives the definition of a name as an earlier load has sent it. It stands in
            where this load knows less: CVM may take what is left out for gone.
    """

    def __init__(
        self,
        entries: Iterable[KnowledgeBaseEntry],
        sent_names: Mapping[int, str],
        remembered: Callable[[str], bytes | None] = _nothing,
    ) -> None:
        self._entries = {entry.qid: entry for entry in entries if entry.qid is not None}
        self._sent_names = sent_names
        self._remembered = remembered
        self._json: dict[str, bytes] = {}
        self._whole: set[str] = set()
        self._encode = msgspec.json.Encoder().encode

    def of(self, representative: Finding) -> Known:
        """Give the definition of a QID.

        Args:
            representative: a finding of it, see `references.References`.
        """
        qid = representative.qid
        entry = self._entries.get(qid) if qid else None
        made = definition(representative, entry, self._sent_names.get(qid) if qid else None)
        if entry is None:
            made = self._filled(made, entry)
        else:
            self._whole.add(made.name)
        if made.name not in self._json or made.classified:
            self._json[made.name] = self._encode(made)
        return Known(made.name, QidFacts(known=entry is not None, classified=made.classified))

    def use(self, name: str, finding: Finding | None = None) -> str:
        """Define a name that an earlier load has sent, and give it back."""
        if name not in self._json:
            finding = finding or Finding(qid=qid_of(name))
            entry = self._entries.get(finding.qid) if finding.qid else None
            made = msgspec.structs.replace(definition(finding, entry), name=name)
            self._json[name] = self._encode(self._filled(made, entry))
        return name

    def json(self, name: str) -> bytes:
        """Give a definition as it is written in a file."""
        return self._json[name]

    def to_remember(self) -> dict[str, bytes]:
        """Give the definitions with an entry of the knowledge base that were not sent so before."""
        made = {name: self._json[name] for name in sorted(self._whole)}
        return {name: json for name, json in made.items() if json != self._remembered(name)}

    def _filled(self, made: VulnDef, entry: KnowledgeBaseEntry | None) -> VulnDef:
        """Give a definition with what an earlier load knew more.

        That load had an entry, which counts more than what findings tell.
        """
        json = self._remembered(made.name)
        try:
            before = msgspec.json.decode(json or b"", type=VulnDef)
        except msgspec.MsgspecError:
            return made
        knows_more = made.classified and (entry is not None or not before.classified)
        return msgspec.structs.replace(
            made if knows_more else before,
            name=made.name,
            description=made.description or before.description,
            solution=made.solution or before.solution,
        )
