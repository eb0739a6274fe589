"""What each finished scan reported, from its download: one row for each entry, instances counted.

The download has no finding ids, status or dates of its own (WAS API user guide, "Retrieve the
results of a scan"): a row is identified by what it says.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from tap_qualyswas.accounting import tell_notes
from tap_qualyswas.errors import NotFound
from tap_qualyswas.fields import Notes, text, truth, whole, word
from tap_qualyswas.parsing import read_large
from tap_qualyswas.shapes import Rejected, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from tap_qualyswas.fields import Json, Record
    from tap_qualyswas.parsing import Element
    from tap_qualyswas.run import Run

KINDS: Final = {
    "WasScanVuln": "VULNERABILITY",
    "WasScanSensitiveContent": "SENSITIVE_CONTENT",
    "WasScanIg": "INFORMATION_GATHERED",
}


def _count(element: Element, _notes: Notes) -> int:
    listed = element.find("list")
    return len(element if listed is None else listed)


_ENTRY: Final = Shape(
    "WasScanEntry",
    {
        "qid": whole,
        "title": text,
        "uri": text,
        "param": text,
        "content": text,
        "severity": whole,
        "originalSeverity": whole,
        "potential": truth,
        "group": word,
        "instances": _count,
    },
    # Texts of any size; findings bring them as evidence, capped and redacted.
    passed_over=("data", "sslData"),
    keys=("qid",),
)


def read_report(source: IO[bytes], notes: Notes) -> list[Record]:
    """Read the entries of a downloaded scan report.

    Raises:
        BrokenAnswer: when the document is damaged.
    """

    def read(element: Element) -> Record | None:
        try:
            entry = _ENTRY(element, notes)
        except Rejected as rejected:
            notes.reject(str(rejected))
            return None
        return {"kind": KINDS[element.tag], **entry}

    records, replaced = read_large(source, tuple(KINDS), read)
    notes.replaced += replaced
    return [record for record in records if record is not None]


def digest(*parts: Json) -> str:
    """Give a fingerprint of values in their order."""
    # Length before each part, so that no two lists of parts look the same when put together.
    texts = ["" if part is None else str(part) for part in parts]
    packed = "".join(f"{len(part)}:{part}" for part in texts)
    return hashlib.sha256(packed.encode()).hexdigest()


def read_scan_results(run: Run) -> Iterator[Record]:
    """Read the reports of the finished scans of this sync, and of those left open before.

    Raises:
        QualysError: when the read cannot go on; the scans not read yet stay in the state.
    """
    tally = run.tallies["scan_results"]
    pending = run.state.pending("scan_results")
    scan_ids = [value for value in pending or () if isinstance(value, int)]
    gone = 0
    for at, scan_id in enumerate(scan_ids):
        try:
            rows = _rows(run, scan_id, tally.notes)
        except NotFound:
            gone += 1
            rows = []
        tally.fetched += len(rows)
        yield from rows
        run.state.set_pending("scan_results", scan_ids[at + 1 :])
        run.save_state()
    if gone:
        run.logger.warning("scan_results: %d scans have no report (any more)", gone)
    tell_notes(tally.notes, "scan_results", run.logger)


def _rows(run: Run, scan_id: int, notes: Notes) -> list[Record]:
    def read(source: IO[bytes]) -> tuple[list[Record], Notes]:
        fresh = Notes()
        return (read_report(source, fresh), fresh)

    entries, fresh = run.api.download_scan(scan_id, read)
    notes.add(fresh)
    rows: dict[str, Record] = {}
    for entry in entries:
        identity = [entry[name] for name in ("kind", "qid", "uri", "param", "content")]
        result_id = digest(scan_id, *identity)
        known = rows.get(result_id)
        if known is not None and isinstance(known["instances"], int):
            # The same entry once more in one report: one row, all instances.
            known["instances"] += entry["instances"] if isinstance(entry["instances"], int) else 0
        else:
            rows[result_id] = {"resultId": result_id, "scanId": scan_id, **entry}
    return list(rows.values())
