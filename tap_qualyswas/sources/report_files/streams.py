"""The streams that report files fill."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import counted, one_line
from tap_qualyswas.errors import ReportChanged
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.portal.evidence import ReportEvidence
from tap_qualyswas.records.portal.report import CSV, ReportError
from tap_qualyswas.records.portal.rows import as_finding, identify, row_shape
from tap_qualyswas.records.portal.webapps import BLANK
from tap_qualyswas.sources.finding_search import evidence_of
from tap_qualyswas.sources.knowledge_base import KB_PROPERTIES
from tap_qualyswas.sources.report_files.attribution import NOBODY, Attribution
from tap_qualyswas.sources.report_files.ids import ReportIds
from tap_qualyswas.sources.report_files.reports import passes
from tap_qualyswas.sources.report_files.survey import UNDATED, NamedWebapp, reason_of
from tap_qualyswas.sync.qids import CLASSES
from tap_qualyswas.sync.tallies import log_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.portal.report import Row
    from tap_qualyswas.records.shapes import Shape
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sources.report_files.reports import ReportFiles
    from tap_qualyswas.sources.report_files.survey import ReportFile
    from tap_qualyswas.sync.reader import Reader


def read_stream(
    stream: str, reader: Reader, settings: Settings, reports: ReportFiles
) -> Iterator[Record]:
    """Give the rows of a stream; none of a stream that reports say nothing about.

    Raises:
        QualysError: when the reports cannot be read.
    """
    if stream in _STREAMS:
        yield from _STREAMS[stream](reader, settings, reports)


def _read_webapps(reader: Reader, _settings: Settings, reports: ReportFiles) -> Iterator[Record]:
    tally = reader.tallies["webapps"]
    for number in sorted(reports.webapp_ids):
        record = {**BLANK, **reports.survey.webapps[number]}
        reader.coverage.note_webapp(record)
        tally.fetched += 1
        yield record
    log_notes(reports.survey.notes, "reports", reader.logger)


def _read_findings(reader: Reader, settings: Settings, reports: ReportFiles) -> Iterator[Record]:
    return _FindingReading(reader, settings, reports).records()


def _read_knowledge_base(
    reader: Reader, _settings: Settings, reports: ReportFiles
) -> Iterator[Record]:
    tally = reader.tallies["knowledge_base"]
    for qid, entry in sorted(reports.survey.glossary.items(), key=lambda one: one[0]):
        if reports.qids is None or qid in reports.qids:
            tally.fetched += 1
            yield {**dict.fromkeys((*KB_PROPERTIES, *CLASSES)), **entry.row, "qid": qid}


_STREAMS: Final[Mapping[str, Callable[[Reader, Settings, ReportFiles], Iterator[Record]]]] = (
    MappingProxyType(
        {
            "webapps": _read_webapps,
            "findings": _read_findings,
            "knowledge_base": _read_knowledge_base,
        }
    )
)
"""Reports name scans without their ids, so they fill no row of `scans`."""


class _FindingReading:
    """Reads the findings of one run, from the newest report to the oldest."""

    def __init__(self, reader: Reader, settings: Settings, reports: ReportFiles) -> None:
        self._reader = reader
        self._filters = settings.filters
        self._reports = reports
        self._survey = reports.survey
        evidence = evidence_of(settings)
        self._shape = row_shape(ReportEvidence(evidence) if evidence else None)
        self._tally = reader.tallies["findings"]
        self._ids = ReportIds()
        self._newest = {number: self._survey.newest[number] for number in reports.webapp_ids}
        self._undated: set[int] = set()
        self._qids: set[int] = set()
        self._superseded = self._nameless = 0

    def records(self) -> Iterator[Record]:
        """Give the findings, each once, as the newest report that has it says it."""
        self._reports.qids = self._qids
        self._name_rows()
        for file in self._survey.files:
            notes, webapps = Notes(), Attribution(file, self._survey)
            yield from self._findings(file, webapps, notes)
            if notes.rejected:
                self._reader.coverage.leave_out(webapps.ids)
            self._tally.notes.add(notes)
        # What is missing is so in web applications that are left out.
        self._tally.settled = True
        self._conclude()

    def _name_rows(self) -> None:
        """Learn the unique ids of rows that other files give without one."""
        files = self._survey.files
        if not any(file.unnamed for file in files):
            return
        shape = row_shape(None)
        for file in files:
            webapps = Attribution(file, self._survey)
            for row in _rows(file, shape, Notes()) if file.kind != CSV else ():
                self._ids.name(row.values, webapps.webapp_of(row).id)

    def _findings(self, file: ReportFile, webapps: Attribution, notes: Notes) -> Iterator[Record]:
        for row in _rows(file, self._shape, notes):
            values = row.values
            if values["type"] not in self._filters.finding_types:
                continue
            webapp = webapps.webapp_of(row)
            unique = values["uniqueId"]
            named = None if unique else self._ids.named(values)
            if named is not None:
                unique = named[0]
                if webapp.id is None and named[1] is not None:
                    webapp = webapp._replace(id=named[1])
            if webapp == NOBODY and not values["url"]:
                notes.reject(
                    f"{one_line(file.path.name)}: nothing tells whose QID {values['qid']} is"
                )
                continue
            if not self._is_wanted(webapp, file):
                continue
            unique = str(unique or identify(values, webapp._asdict()))
            if not self._ids.is_new(unique):
                self._tally.duplicates += 1
                continue
            self._tally.fetched += 1
            yield self._finding(values, unique, webapp)

    def _finding(self, values: Record, unique: str, webapp: NamedWebapp) -> Record:
        self._nameless += webapp.id is None
        entry = None
        if isinstance(qid := values["qid"], int):
            self._qids.add(qid)
            entry = self._survey.glossary.get(qid)
        # As the newest report names it, whichever the row is from.
        newest = self._survey.webapps.get(webapp.id) if webapp.id is not None else None
        named = NamedWebapp.of(newest) if newest else webapp
        return as_finding(values, unique, named._asdict(), entry)

    def _is_wanted(self, webapp: NamedWebapp, file: ReportFile) -> bool:
        """Tell whether a file is to be asked about a web application, and note what it is."""
        number = webapp.id
        if number is None:
            return passes(self._filters, number, webapp.name)
        if number not in self._reports.webapp_ids:
            return False
        if file.generated == UNDATED:  # it may be the newest
            self._undated.add(number)
            return True
        older = (of.get(number, UNDATED) for of in (self._survey.whole, self._reports.kept))
        if file.generated < max(older):
            self._superseded += 1
            return False
        self._newest[number] = max(file.generated, self._newest[number])
        return True

    def _conclude(self) -> None:
        reader, tally = self._reader, self._tally
        if self._survey.unread:
            unread = counted(self._survey.unread, "path")
            tally.gaps.append(f"report_paths: {unread} cannot be read")
            reader.logger.warning(
                "%s in report_paths cannot be read, so any report may be missing: nothing is "
                "closed because it is gone. Let the tap read what is named above, or remove it.",
                unread,
            )
        covered = self._reports.covered(self._newest) - self._undated
        missing = (self._reports.webapp_ids | self._reports.outdated) - covered
        reader.coverage.leave_out(missing)
        if missing:
            reader.logger.warning(
                "Nothing is proven for %s: the newest report of each is not a report of web "
                "applications without filters. Their findings are read; none is closed because "
                "it is gone.",
                counted(len(missing), "web application"),
            )
        if self._nameless:
            are = "row is" if self._nameless == 1 else "rows are"
            reader.logger.warning(
                "findings: %s %s of a web application whose id no report tells: none of them is "
                "ever closed because it is gone. Export an XML report of it.",
                *(f"{self._nameless:,}", are),
            )
        if self._superseded:
            reader.logger.info(
                "findings: passed over %s of older reports", counted(self._superseded, "row")
            )
        if tally.duplicates:
            reader.logger.info("findings: dropped %s", counted(tally.duplicates, "duplicate row"))
        log_notes(tally.notes, "findings", reader.logger)
        self._reports.keep(self._newest)


def _rows(file: ReportFile, shape: Shape, notes: Notes) -> Iterator[Row]:
    try:
        yield from file.rows(shape, notes)
    except (ReportError, OSError) as error:
        raise ReportChanged(str(file.path), reason_of(error)) from None
