"""A report of the portal as XML: what it says of itself, and its rows.

The shapes are those of exported files: Qualys publishes no schema of them. Lists of findings stand
directly in RESULTS, or in a WEB_APPLICATION there, and the glossary comes after them: so a file is
read twice, and nothing of it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_utc
from qualyswas_ciscovm.wording import cut
from tap_qualyswas.records.fields import loose_whole
from tap_qualyswas.records.portal import glossary
from tap_qualyswas.records.portal.report import (
    KINDS,
    SCAN_REPORT,
    WEBAPP_REPORT,
    Overview,
    ReportError,
    Row,
)
from tap_qualyswas.records.portal.rows import values_of
from tap_qualyswas.records.portal.webapps import read_webapp
from tap_qualyswas.records.shapes import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.records.portal.document import Document
    from tap_qualyswas.records.shapes import Shape

COUNTS: Final = "GLOBAL_SUMMARY"
SECTION: Final = "WEB_APPLICATION"
ROW_PLACES: Final = {kind: (f"{kind}_LIST",) for kind in KINDS}
SECTION_PLACES: Final = ("RESULTS", "WEB_APPLICATION_LIST")
PLACES: Final = {
    **{kind: (f"{kind}_LIST", COUNTS) for kind in KINDS},
    "GENERATION_DATETIME": ("HEADER",),
    "FILTER": ("FILTERS",),
    "QID": ("QID_LIST",),
    "OWASP": ("OWASP_LIST",),
    "WASC": ("WASC_LIST",),
    "RESULTS": (SCAN_REPORT, WEBAPP_REPORT),
    SECTION: (*SECTION_PLACES, "APPENDIX", "TARGET"),
    "WEBAPP": ("RESULTS", "APPENDIX", "WEBAPP_LIST"),
    "SUMMARY_STAT": ("SUMMARY_STATS",),
    "SCAN": ("SCAN_LIST", "TARGET"),
}
"""What is looked at, by the names of its parents. Some of it only to be dropped, as there may be
much of it; in TARGET web applications have nothing but a name."""


def read_overview(document: Document) -> Overview:
    """Read all of a report but its rows, which are counted.

    Raises:
        ReportError: when it is not a report, or not well-formed.
    """
    if document.root not in {SCAN_REPORT, WEBAPP_REPORT}:
        msg = f"its root is {cut(document.root, 60)}, not {SCAN_REPORT} or {WEBAPP_REPORT}"
        raise ReportError(msg)
    reading = _Reading(document.root)
    for element in document.elements(PLACES):
        reading.take(element)
    overview = reading.finished()
    overview.notes.replaced += document.replaced
    return overview


def read_rows(document: Document, shape: Shape, notes: Notes) -> Iterator[Row]:
    """Read the rows of a report that has been looked through before.

    Args:
        document: the report.
        shape: of the rows.
        notes: gets what is odd; a row whose QID is no number is rejected, and one that tells
            neither its QID nor its unique id.
    """
    section = 0
    for element in document.elements({**ROW_PLACES, SECTION: SECTION_PLACES}):
        if element.tag == SECTION:
            section += _is_section(element)
            continue
        try:
            raw = shape(element, notes)
        except Rejected as rejected:
            notes.reject(str(rejected))
            continue
        if raw["QID"] is None and raw["UNIQUE_ID"] is None:
            notes.reject("report: QID is missing")
            continue
        kind = str(element.tag)
        yield Row(values_of(kind, raw), section if _in_section(element) else None)


class _Reading:
    """Learns from the elements of a report in the order in which they end."""

    def __init__(self, root: str) -> None:
        self._overview = Overview(root)
        self._names = glossary.ClassNames()

    def take(self, element: Element) -> None:
        tag, overview = str(element.tag), self._overview
        if tag in KINDS:
            self._row_or_count(element, tag)
        elif tag == "QID":
            self._entry(element)
        elif tag.lower() in glossary.CLASSES:
            name = (element.findtext("NAME") or "").strip()
            self._names.learn(tag.lower(), element.findtext("CODE") or "", name)
        elif tag == SECTION and _is_section(element):
            shown = _lists_of(element)
            overview.shown = overview.shown & shown if overview.sections else shown
            overview.sections.append(read_webapp(element, overview.notes))
        elif tag == "RESULTS" and not overview.sections:
            overview.shown = _lists_of(element)
        elif tag in {SECTION, "WEBAPP"} and _parent(element) != "TARGET":
            overview.webapps.append(read_webapp(element, overview.notes))
        elif tag == "FILTER":
            overview.note_filter(element.findtext("VALUE") or element.findtext("NAME"))
        elif tag == "GENERATION_DATETIME":
            overview.generated = to_utc((element.text or "").strip())

    def finished(self) -> Overview:
        self._names.give(self._overview.glossary.values())
        return self._overview

    def _row_or_count(self, element: Element, kind: str) -> None:
        overview = self._overview
        if _parent(element) == COUNTS:
            told = loose_whole(element.text or "")
            if told is not None:
                overview.told[kind] = told
            return
        overview.listed[kind] += 1
        overview.is_flat = overview.is_flat or not _in_section(element)
        has_detection = loose_whole(element.findtext("DETECTION_ID") or "") is not None
        overview.unnamed += has_detection and not (element.findtext("UNIQUE_ID") or "").strip()

    def _entry(self, element: Element) -> None:
        try:
            qid, entry = glossary.read_entry(element, self._overview.notes)
        except Rejected as rejected:
            self._overview.notes.reject(str(rejected))
            return
        if qid is not None:
            self._overview.glossary[qid] = entry


def _lists_of(element: Element) -> set[str]:
    tags = {str(child.tag) for child in element}
    return {kind for kind in KINDS if f"{kind}_LIST" in tags}


def _parent(element: Element) -> str | None:
    parent = element.getparent()
    return None if parent is None else str(parent.tag)


def _in_section(row: Element) -> bool:
    around = row.getparent()
    section = None if around is None else around.getparent()
    return section is not None and section.tag == SECTION and _is_section(section)


def _is_section(element: Element) -> bool:
    """Tell whether a web application stands where those with findings do."""
    return _parent(element) in SECTION_PLACES and any(
        around.tag == "RESULTS" for around in element.iterancestors()
    )
