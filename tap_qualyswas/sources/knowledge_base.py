"""The knowledge base entries of a sync's QIDs, with the classification that findings carry."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import counted, first_few
from tap_qualyswas.errors import BlockedRequest, InvalidRequest
from tap_qualyswas.qualys.knowledge_base import KB_IDS
from tap_qualyswas.qualys.request_bodies import equals, one_of
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.records.knowledge_base import read_entry
from tap_qualyswas.records.shapes import Rejected
from tap_qualyswas.search.ahead import Ahead
from tap_qualyswas.search.pages import PageSize
from tap_qualyswas.search.sweeps import Sweep
from tap_qualyswas.sources.in_a_row import InARow
from tap_qualyswas.sync.qids import CLASSES
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.qids import Qids
    from tap_qualyswas.sync.reader import Reader

    Entries = tuple[Sequence[int], list[Element]]
    """QIDs that are dealt with, and the entries of those that have one."""

INVALID_VALUE: Final = "1905"
"""The code for a value that is refused: an id, or a list of ids that is too long."""
NO_CODE: Final = "HTTP "
"""How the cause of a refusal begins that names no code, and so may be about an id as well."""
PASSED_OVER: Final = (
    "knowledge_base: Qualys refuses %s (%s). Findings of such a QID come without its entry. The "
    "next full sync asks again."
)
IDS_A_CALL: Final = 100
"""Representatives of one search: verbose rows have no bound in size."""

KB_PROPERTIES: Final = (
    *("qid", "title", "category", "severityLevel", "diagnosis", "consequence", "solution", "cves"),
    *("cvss", "cvssV3", "cvssV4", "pciFlag", "patchable", "patchPublishedDate"),
    *("vendorReferences", "threatIntelligence", "exploits", "malware"),
    *("publishedDate", "lastModifiedDate", "codeModifiedDate"),
)


def read_knowledge_base(
    reader: Reader, qids: Qids, settings: Settings, begun: Calls | None = None
) -> Iterator[Record]:
    """Read the entries of this sync's QIDs and of those that earlier ones left open.

    A QID that Qualys does not know gets a row only when its findings carry its classification. It
    is asked for again until the next full sync, as its entry may be published meanwhile.

    Args:
        reader: what they are read with.
        qids: those of the sync.
        settings: of the run.
        begun: the call that `begin_calls` began while the findings came.

    Raises:
        QualysError: when the read cannot go on; the QIDs not read yet stay in the state.
    """
    qids.restore_pending()
    tally = reader.tallies["knowledge_base"]
    if not settings.has_kb_login:
        reader.logger.warning(
            "The knowledge base does not accept a token. Set username and password too; until then "
            "the entries of %s stay in the state to be read.",
            counted(len(qids), "QID"),
        )
        return
    calls = begun or begin_calls(reader, qids, settings)
    unclassified = _classify(reader, qids, settings)
    if reader.planner.plan.mode == "full":
        # Of a QID that an earlier sync left open and that is not there now nothing is missing.
        unclassified &= qids.of_now
    if unclassified:
        told = counted(len(unclassified), "QID")
        tally.gaps.append(f"knowledge_base: {told} could not be classified")
    others = [*qids.all(), *_unpublished(reader, qids)]
    calls = calls or Calls(reader, len(others))
    first = dict.fromkeys(calls.begun)
    wanted = [*first, *(qid for qid in others if qid not in first)]
    missing = read = 0
    while read < len(wanted):
        chunk, elements = calls.entries(wanted[read:], tally.notes)
        records = _rows(elements, qids, chunk, tally.notes)
        published = [record["qid"] for record in records if record["title"] is not None]
        missing += len(chunk) - len(published)
        tally.fetched += len(records)
        yield from records
        read += len(chunk)
        qids.keep_unpublished(chunk, [*published, *calls.refused])
        qids.finish({*wanted[:read]}.difference(calls.refused))
    qids.finish(wanted)
    calls.tell()
    reader.logger.info(
        "knowledge_base: %s, %s without an entry",
        counted(len(wanted) - missing, "entry", "entries"),
        counted(missing, "QID"),
    )
    log_notes(tally.notes, "knowledge_base", reader.logger)


def begin_calls(reader: Reader, qids: Qids, settings: Settings) -> Calls | None:
    """Begin with the first call of a full sync, so that it is made while something else is read.

    That of an incremental one is not known yet: there is room in it for QIDs without an entry.
    """
    wanted = qids.all()[:KB_IDS]
    is_full = reader.planner.plan.mode == "full"
    if not wanted or not is_full or not reader.client.answered or not settings.has_kb_login:
        return None
    calls = Calls(reader, len(wanted))
    calls.begin(wanted, reader.tallies["knowledge_base"].notes)
    return calls


def _unpublished(reader: Reader, qids: Qids) -> list[int]:
    """Give the QIDs to ask for again: as many as need no call of their own, or those of one."""
    if reader.planner.plan.mode == "full":
        return []
    qids.restore_unpublished()
    return qids.unpublished(-len(qids) % KB_IDS or (0 if len(qids) else KB_IDS))


def _classify(reader: Reader, qids: Qids, settings: Settings) -> set[int]:
    """Ask for the representative of each QID, and for another one where that has no class.

    One answer without a class must not make all findings of a QID informational.

    Returns:
        The QIDs that stay without a classification, as no finding of theirs came.
    """
    came = _ask(reader, qids, settings, qids.unclassified())
    again = qids.unclassified(again=True)
    came |= _ask(reader, qids, settings, again)
    unclassified = again.keys() - came
    if unclassified:
        reader.logger.warning(
            "knowledge_base: no CWE, OWASP or WASC for %s, as Qualys no longer returns the "
            "sample findings. The next full sync asks for others.",
            counted(len(unclassified), "QID"),
        )
    return unclassified


def _ask(
    reader: Reader, qids: Qids, settings: Settings, wanted: Mapping[int, tuple[str, int]]
) -> set[int]:
    """Ask for verbose findings, and give the QIDs whose finding came."""
    read = finding_shape()
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, finding_id in wanted.values():
        by_kind[kind].append(finding_id)
    sweeps = [
        Sweep(
            key=f"{kind}/{at}",
            kind="finding",
            criteria=(equals("type", kind), one_of("id", sorted(ids)[at : at + IDS_A_CALL])),
            read=read,
            page_size=min(IDS_A_CALL, settings.page_size),
            verbose=True,
            row_type=kind,
        )
        for kind, ids in by_kind.items()
        for at in range(0, len(ids), IDS_A_CALL)
    ]
    came: set[object] = set()
    try:
        for record in reader.look_up(sweeps):
            qids.classify(record)
            came.add((record["type"], record["id"]))
    except InvalidRequest as refused:
        reader.logger.warning("Qualys refuses findings with details (%s).", refused.reason)
    return {qid for qid, asked in wanted.items() if asked in came}


class Calls:
    """The calls for entries: with as many QIDs as Qualys takes, and past those that it refuses.

    A list that is refused may be too long, or hold a QID that is refused on its own. So it is
    halved, and a QID that is refused alone is passed over.

    Args:
        reader: what they are made with.
        wanted: how many QIDs there are.

    Attributes:
        refused: the QIDs that were passed over.
        begun: those that `entries` has to be called with first; none where nothing was begun.
    """

    def __init__(self, reader: Reader, wanted: int) -> None:
        self._reader = reader
        self._largest = min(KB_IDS, wanted)
        self._size = PageSize(self._largest)
        self._in_a_row = InARow()
        self._cause = ""
        self.refused: list[int] = []
        self.begun: Sequence[int] = ()
        self._begun: Ahead[Entries] | None = None

    def begin(self, wanted: Sequence[int], notes: Notes) -> None:
        """Ask now for what `entries` gives when it is called for the first time."""
        self.begun = wanted
        self._begun = Ahead(lambda: self._ask(wanted, notes))

    def entries(self, wanted: Sequence[int], notes: Notes) -> Entries:
        """Ask for the first of the QIDs; give those that are dealt with, and their entries.

        Raises:
            QualysError: when the read cannot go on.
        """
        begun, self._begun = self._begun, None
        return self._ask(wanted, notes) if begun is None else begun.result()

    def _ask(self, wanted: Sequence[int], notes: Notes) -> Entries:
        asked = wanted

        def first() -> Sequence[int]:
            nonlocal asked
            asked = wanted[: self._size.rows]
            return asked

        try:
            found = self._reader.client.knowledge_base(first, on_too_slow=self._size.shrink)
        except InvalidRequest as refused:
            if not _is_about_ids(refused):
                raise
            if self._size.lower():
                told = "The knowledge base refused %d QIDs in one call; asking for %d at a time."
                self._reader.logger.warning(told, len(asked), self._size.rows)
                return self._ask(wanted, notes)
            if self._in_a_row.is_about_all():
                raise
            self.refused += asked
            self._cause = refused.reason
            return (asked, [])
        elements, replaced = found
        notes.replaced += replaced
        if self._in_a_row.failures:  # it was single QIDs that were refused, not the length of lists
            self._size = PageSize(self._largest)
        self._in_a_row.end()
        self._size.succeed()
        return (asked, elements)

    def tell(self) -> None:
        """Say which QIDs were passed over."""
        if self.refused:
            listed = f"{counted(len(self.refused), 'QID')}: {first_few(self.refused)}"
            self._reader.logger.warning(PASSED_OVER, listed, self._cause)


def _is_about_ids(refused: InvalidRequest) -> bool:
    """Tell whether fewer or other ids may be taken."""
    return refused.code == INVALID_VALUE or (
        refused.code.startswith(NO_CODE) and not isinstance(refused, BlockedRequest)
    )


def _rows(
    elements: Sequence[Element], qids: Qids, wanted: Sequence[int], notes: Notes
) -> list[Record]:
    found: dict[object, Record] = {}
    for element in elements:
        try:
            entry = read_entry(element, notes)
        except Rejected as rejected:
            notes.reject(str(rejected))
            continue
        found[entry["qid"]] = entry
    records: list[Record] = []
    for qid in wanted:
        classes = qids.classes(qid)
        if qid not in found and (classes is None or not qids.came(qid)):
            continue
        blank: Record = {**dict.fromkeys(KB_PROPERTIES), "qid": qid, "cves": []}
        records.append({**found.get(qid, blank), **(classes or dict.fromkeys(CLASSES))})
    return records
