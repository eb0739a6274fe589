"""The knowledge base entries of a sync's QIDs, with the classification that findings carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.qualys.client import KB_IDS
from tap_qualyswas.qualys.request_bodies import equals, one_of
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.records.knowledge_base import read_entry
from tap_qualyswas.records.shapes import Rejected
from tap_qualyswas.search.pages import Span
from tap_qualyswas.search.walk import Sweep, Walk
from tap_qualyswas.sync.qids import CLASSES
from tap_qualyswas.sync.tallies import tell_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.sync.run import Run

IDS_A_CALL: Final = 100
"""Representatives of one search: rows with details have no bound in size."""

KB_PROPERTIES: Final = (
    *("qid", "title", "category", "severityLevel", "diagnosis", "consequence", "solution", "cves"),
    *("cvss", "cvssV3", "pciFlag", "patchable", "publishedDate", "lastModifiedDate"),
)


def read_knowledge_base(run: Run) -> Iterator[Record]:
    """Read the entries of this sync's QIDs and of those that an earlier one left open.

    A QID that Qualys does not know gets a row only when its findings told its classification.

    Raises:
        QualysError: when the read cannot go on; the QIDs not read yet stay in the state.
    """
    run.qids.restore(run.state.pending("knowledge_base"))
    tally = run.tallies["knowledge_base"]
    _classify(run)
    if not run.can_ask_kb:
        run.unfetched_qids = len(run.qids)
        run.logger.warning(
            "The knowledge base takes no token: set username and password too. %d QIDs stay open.",
            run.unfetched_qids,
        )
        return
    qids = run.qids.all()
    missing = 0
    for at in range(0, len(qids), KB_IDS):
        chunk = qids[at : at + KB_IDS]
        records = _entries(run, chunk, tally.notes)
        missing += len(chunk) - sum(record["title"] is not None for record in records)
        tally.fetched += len(records)
        yield from records
        run.state.set_pending("knowledge_base", run.qids.without(qids[: at + KB_IDS]))
        run.save_state()
    run.logger.info("knowledge_base: %d entries, %d QIDs without one", len(qids) - missing, missing)
    tell_notes(tally.notes, "knowledge_base", run.logger)


def _classify(run: Run) -> None:
    """Ask for one finding of each QID with details; those that do not come, once more."""
    missing = _ask(run, run.qids.unclassified())
    if missing:
        missing = _ask(run, missing)
    run.unclassified_qids = sum(map(len, missing.values()))
    if run.unclassified_qids:
        run.logger.warning(
            "knowledge_base: %d QIDs stay without classification: the findings that stand for them "
            "are no longer given. The next full sync asks for others.",
            run.unclassified_qids,
        )


def _ask(run: Run, wanted: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Ask for findings with details, and give those that did not come: ids by finding type."""
    read = finding_shape()
    sweeps = [
        Sweep(
            key=f"{kind}/{at}",
            kind="finding",
            criteria=(equals("type", kind), one_of("id", ids[at : at + IDS_A_CALL])),
            read=read,
            page_size=min(IDS_A_CALL, run.settings.page_size),
            verbose=True,
            row_type=kind,
        )
        for kind, ids in wanted.items()
        for at in range(0, len(ids), IDS_A_CALL)
    ]
    came: set[object] = set()
    for page in Walk(run.api, sweeps).pages({sweep.key: [Span()] for sweep in sweeps}):
        for record in page.records:
            run.qids.classify(record)
            came.add((record["type"], record["id"]))
    left = {kind: [one for one in ids if (kind, one) not in came] for kind, ids in wanted.items()}
    return {kind: ids for kind, ids in left.items() if ids}


def _entries(run: Run, qids: Sequence[int], notes: Notes) -> list[Record]:
    elements, replaced = run.api.knowledge_base(qids)
    notes.replaced += replaced
    found: dict[object, Record] = {}
    for element in elements:
        try:
            entry = read_entry(element, notes)
        except Rejected as rejected:
            notes.reject(str(rejected))
            continue
        found[entry["qid"]] = entry
    records: list[Record] = []
    for qid in qids:
        classes = run.qids.classes(qid)
        if qid not in found and classes is None:
            continue
        blank: Record = {**dict.fromkeys(KB_PROPERTIES), "qid": qid, "cves": []}
        records.append({**found.get(qid, blank), **(classes or dict.fromkeys(CLASSES))})
    return records
