"""The report of a scan: one record for each entry, its instances counted, its lists whole.

The download has no finding ids, status or dates of its own (WAS API user guide, "Retrieve the
results of a scan"): an entry is identified by what it says.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import cut
from tap_qualyswas.errors import BrokenAnswer, NotFound
from tap_qualyswas.records.fields import loose_whole, text, truth, whole, word
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.parsing import read_large
from tap_qualyswas.records.scan_status import has_ended
from tap_qualyswas.records.shapes import Rejected, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.parsing import Element

REPORT: Final = "WasScan"
SHOWN: Final = 40
"""Characters of a status that a message repeats."""
KINDS: Final = {
    "WasScanVuln": "VULNERABILITY",
    "WasScanSensitiveContent": "SENSITIVE_CONTENT",
    "WasScanIg": "INFORMATION_GATHERED",
}
LISTS: Final = {
    "vulns": "VULNERABILITY",
    "sensitiveContents": "SENSITIVE_CONTENT",
    "igs": "INFORMATION_GATHERED",
}
"""Each list says how many entries it has."""
TOTALS: Final = {
    "nbVulnsTotal": "VULNERABILITY",
    "nbScsTotal": "SENSITIVE_CONTENT",
    "nbIgsTotal": "INFORMATION_GATHERED",
}
"""What the statistics of a report say of lists that do not, or are not there."""
ABOUT: Final = {"status": REPORT, "resultsStatus": "summary", "webApp": "target"}
"""What a report says of its scan, by the names of the elements and of those that they stand in."""


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
    # Texts of any size; findings carry them as evidence, capped and redacted.
    ignored=("data", "sslData"),
    keys=("qid",),
)


@dataclass(frozen=True, slots=True)
class Report:
    """The entries of one report, each once, and what was odd in it.

    Attributes:
        untold: the types of which it does not tell whether it has any.
        webapp: id of the web application that it names; None where it names none.
    """

    entries: list[Record]
    notes: Notes
    untold: frozenset[str]
    webapp: int | None


def parse_report(source: IO[bytes]) -> Report:
    """Read the entries of a downloaded scan report.

    Entries that say the same become one, with the instances of all.

    Raises:
        BrokenAnswer: when the document is damaged, a list has not as many entries as it says, or
            the scan has not ended.
        NotFound: when it has no list at all, so that nothing tells that there are no entries.
    """
    reading = _Reading()

    def begin() -> Callable[[Element], Record | None]:
        nonlocal reading
        reading = _Reading()
        return reading.read

    records, replaced = read_large(source, (*KINDS, *LISTS, *TOTALS, *ABOUT), begin)
    _check_ended(reading.about)
    if not reading.lists:
        msg = "Qualys sent a report without results."
        raise NotFound(msg)
    _check_totals(reading.totals, reading.seen)
    reading.notes.replaced += replaced
    entries: dict[tuple[Json, ...], Record] = {}
    for record in records:
        if record is None:
            continue
        known = entries.setdefault(identity(record), record)
        if known is not record:
            known["instances"] = _number(known["instances"]) + _number(record["instances"])
    told = {kind for kind, total in reading.totals.items() if total is not None}
    untold = frozenset(LISTS.values()) - reading.lists - told
    webapp = loose_whole(reading.about.get("webApp", ""))
    return Report(list(entries.values()), reading.notes, untold, webapp)


class _Reading:
    """Learns from the elements of a report in the order in which they end.

    Attributes:
        notes: what was odd.
        seen: how many entries it has, by type.
        lists: the types that it has a list of.
        totals: how many entries it says that it has, by type.
        about: what it says of its scan, by the names of `ABOUT`.
    """

    def __init__(self) -> None:
        self.notes = Notes()
        self.seen: Counter[str] = Counter()
        self.lists: set[str] = set()
        self.totals: dict[str, int | None] = {}
        self.about: dict[str, str] = {}

    def read(self, element: Element) -> Record | None:
        """Give the record of an entry; None for anything else, and what is rejected."""
        if element.tag in ABOUT:
            self._note(element)
            return None
        if element.tag in TOTALS:
            self.totals.setdefault(TOTALS[element.tag], loose_whole(element.text or ""))
            return None
        if element.tag in LISTS:
            kind = LISTS[element.tag]
            self.lists.add(kind)
            told = loose_whole(element.findtext("count") or "")
            self.totals[kind] = self.totals.get(kind) if told is None else told
            return None
        self.seen[KINDS[element.tag]] += 1
        try:
            entry = _ENTRY(element, self.notes)
        except Rejected as rejected:
            self.notes.reject(str(rejected))
            return None
        return {"kind": KINDS[element.tag], **entry}

    def _note(self, element: Element) -> None:
        around = element.getparent()
        if around is not None and around.tag == ABOUT[element.tag]:
            told = element.findtext("id") if len(element) else element.text
            self.about[element.tag] = (told or "").strip()


def _check_ended(about: Mapping[str, str]) -> None:
    status, results = (about.get(name, "").upper() for name in ("status", "resultsStatus"))
    if status and not has_ended({"status": status, "summary": {"resultsStatus": results}}):
        told = cut(results if status == "FINISHED" else status, SHOWN)
        msg = f"Qualys sent the report of a scan that has not ended ({told})."
        raise BrokenAnswer(msg)


def _check_totals(totals: Mapping[str, int | None], seen: Counter[str]) -> None:
    for name, kind in LISTS.items():
        told = totals.get(kind)
        if told is not None and told != seen[kind]:
            msg = f"Qualys sent a report whose {name} are {seen[kind]:,} of {told:,}."
            raise BrokenAnswer(msg)


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0


def identity(entry: Record) -> tuple[Json, ...]:
    """Give what tells an entry from the others of its report."""
    return tuple(entry[name] for name in ("kind", "qid", "uri", "param", "content"))


def digest(*parts: Json) -> str:
    """Give a hash of values in their order."""
    # Each part follows its length, so that no two lists of parts look the same when joined.
    texts = ["" if part is None else str(part) for part in parts]
    packed = "".join(f"{len(part)}:{part}" for part in texts)
    return hashlib.sha256(packed.encode()).hexdigest()
