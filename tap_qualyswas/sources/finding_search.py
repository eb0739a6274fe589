"""Findings from the finding search: each type on its own, as ids are unique within one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.dates import parse_strict, to_text
from tap_qualyswas.errors import InvalidRequest
from tap_qualyswas.qualys.request_bodies import equals, greater
from tap_qualyswas.records.evidence import Evidence
from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.search.ahead import Ahead
from tap_qualyswas.search.outlines import Outlines
from tap_qualyswas.search.sweeps import WEBAPP_ID, Sweep
from tap_qualyswas.sources.finding_counts import ReadFindings, settle_counts
from tap_qualyswas.sources.scans import find_unended_scans, spared_dates
from tap_qualyswas.sources.webapps import compare_webapps
from tap_qualyswas.sync.cursors import GREATEST, frame_of, greatest_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.bookmarks import Bookmarks
    from tap_qualyswas.sync.qids import Qids
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

BOOKMARK: Final = "lastDetectedDate"
WITH_STATUS: Final = frozenset({"VULNERABILITY", "SENSITIVE_CONTENT"})
"""Types whose findings have a status, and can be ignored."""


def read_findings(
    reader: Reader, scope: Scope, settings: Settings, bookmarks: Bookmarks, qids: Qids
) -> Iterator[Sequence[Record]]:
    """Read the findings of the window, by pages, then move their bookmark and keep their QIDs.

    Raises:
        QualysError: when the read cannot go on.
    """
    window_start = bookmarks.window_start("findings", BOOKMARK)
    if not bookmarks.unended_scans.is_known:
        find_unended_scans(reader, scope, settings, bookmarks.unended_scans)
    read = ReadFindings()
    collector = FindingCollector(qids, read)
    sweeps = finding_sweeps(scope, settings, window_start)
    frame = frame_of(settings, scope, window_start)
    yield from reader.pages("findings", sweeps, frame, collector)
    if reader.planner.plan.mode == "full" and not reader.cursors.resumed:
        comparing = Ahead(lambda: compare_webapps(reader, scope, settings))
        for record in settle_counts(reader, scope, sweeps, read, comparing):
            qids.add([record])
            yield [record]
        comparing.result()
    if window_start is not None and not reader.planner.plan.restart:
        yield from _read_ignored(reader, scope, settings, window_start, collector)
    bookmarks.move("findings", BOOKMARK, collector.greatest)
    qids.keep()


def _read_ignored(
    reader: Reader,
    scope: Scope,
    settings: Settings,
    window_start: str,
    collector: FindingCollector,
) -> Iterator[Sequence[Record]]:
    """Read the findings that people have ignored in the window: that moves no date of a test.

    Where Qualys cannot search by it, the next full sync brings them.
    """
    window: list[Criterion] = [greater("ignoredDate", window_start)]
    if settings.filters.start_date is not None:
        start = parse_strict(settings.filters.start_date) - timedelta(seconds=1)
        window.append(greater("lastTestedDate", to_text(start)))
    kinds = [kind for kind in settings.filters.finding_types if kind in WITH_STATUS]
    sweeps = _sweeps(scope, settings, kinds, window)
    known = {kind: frozenset(collector.read.ids(kind)) for kind in kinds}
    try:
        for records in reader.further_pages("findings", sweeps):
            fresh = [one for one in records if one["id"] not in known.get(str(one["type"]), ())]
            collector.take(fresh)
            yield fresh
    except InvalidRequest as refused:
        reader.logger.warning(
            "findings: cannot search by ignoredDate, so what people ignore comes with the next "
            "full sync (%s).",
            refused.reason,
        )


def finding_sweeps(scope: Scope, settings: Settings, window_start: str | None) -> list[Sweep]:
    """Give the searches: one for each type and each 500 filtered web applications."""
    # A fix moves lastTestedDate only, so the window is not on the bookmark's own field.
    window = () if window_start is None else (greater("lastTestedDate", window_start),)
    spares = spared_dates(window, settings)
    return _sweeps(scope, settings, settings.filters.finding_types, window, spares)


def _sweeps(
    scope: Scope,
    settings: Settings,
    kinds: Sequence[str],
    window: Sequence[Criterion],
    spares: tuple[str, ...] = (),
) -> list[Sweep]:
    read = finding_reader(settings)
    verbose = settings.include_evidence
    # Evidence is never the same; to look for outlines in it would be in vain.
    outlines = None if verbose else Outlines(finding_shape(), is_whole)
    return [
        Sweep(
            key=kind if number == 0 else f"{kind}/{number}",
            kind="finding",
            criteria=(equals("type", kind), *criteria, *window),
            read=read,
            page_size=settings.verbose_page_size if verbose else settings.page_size,
            verbose=verbose,
            row_type=kind,
            take_rows=None if outlines is None else outlines.take_rows,
            spares=spares,
        )
        for kind in kinds
        for number, criteria in enumerate(scope.criteria(WEBAPP_ID))
    ]


def finding_reader(settings: Settings) -> Callable[[Element, Notes], Record]:
    """Give what makes a record of a finding, with or without evidence."""
    shape = finding_shape(evidence_of(settings))

    def read(element: Element, notes: Notes) -> Record:
        record = shape(element, notes)
        if record["uniqueId"] is None:
            # As far as is known each finding has one; the id is unique within its type at least.
            record["uniqueId"] = f"{record['type']}-{record['id']}"
            notes.unreadable["Finding.uniqueId"] += 1
        return record

    return read


def is_whole(record: Record) -> bool:
    """Tell whether a finding has what none may lack: an id, a unique id and a type."""
    number = record["id"]
    known = isinstance(number, int) and number > 0
    return known and record["uniqueId"] is not None and record["type"] is not None


def evidence_of(settings: Settings) -> Evidence | None:
    """Give the readers of evidence; None where it is left out."""
    if not settings.include_evidence:
        return None
    return Evidence(redact=settings.redact_evidence, max_bytes=settings.evidence_max_bytes)


class FindingCollector:
    """Learns the greatest date and the QIDs of the findings.

    Args:
        qids: gets the QIDs.
        read: gets the numbers of rows.

    Attributes:
        greatest: the greatest date.
        read: the numbers of rows.
    """

    def __init__(self, qids: Qids, read: ReadFindings) -> None:
        self._qids = qids
        self.read = read
        self.greatest: str | None = None

    def take(self, records: Sequence[Record]) -> None:
        """Look at a page of findings."""
        self._qids.add(records)
        self.read.add(records)
        dates = [date for record in records if isinstance(date := record[BOOKMARK], str)]
        self.greatest = max([*dates, *filter(None, [self.greatest])], default=None)

    def carried(self) -> dict[str, Any]:
        """Give what an interrupted run hands on."""
        return {GREATEST: self.greatest, "qids": self._qids.as_state()}

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over what an interrupted run handed on."""
        self.greatest = greatest_in(carried)
        self._qids.restore(carried.get("qids"))
