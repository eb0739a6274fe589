"""What all report files say together: web applications, QIDs, and what each file may speak for.

Only the newest of what the files say counts. A report of web applications without filters shows all
that there is of them at its time: older files say nothing more of these. Newer ones that show less
(reports of scans, reports with filters, CSV) add to it, and then nothing is proven.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from qualyswas_ciscovm.wording import cut, one_line
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.parsing import HEAD_BYTES
from tap_qualyswas.records.portal import csv_report, xml_report
from tap_qualyswas.records.portal.document import cleaned, open_document, open_utf8
from tap_qualyswas.records.portal.report import CSV, SHOW_IGNORED, WEBAPP_REPORT, ReportError
from tap_qualyswas.sources.report_files.paths import PACKED

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.portal.report import Entry, Overview, Row
    from tap_qualyswas.records.shapes import Shape

BLANKS: Final = b" \t\r\n\xef\xbb\xbf"
PACKED_BYTES: Final = (b"PK\x03\x04", b"\x1f\x8b")
"""With what a zip and a gzip file begin."""
UNDATED: Final = ""
"""Older than any date."""
NO_DATE: Final = "it does not say when it was made"
NAMED_AT_MOST: Final = 20
NAME_LENGTH: Final = 80


class NamedWebapp(NamedTuple):
    """A web application as a file names it.

    Attributes:
        id: None where it is not told, or no number.
    """

    id: int | None
    name: str | None
    url: str | None

    @classmethod
    def of(cls, webapp: Record) -> NamedWebapp:
        """Give the name of a row of the stream."""
        number, name, url = (webapp.get(field) for field in cls._fields)
        return cls(
            number if isinstance(number, int) else None,
            name if isinstance(name, str) else None,
            url if isinstance(url, str) else None,
        )


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file that has been looked through.

    Attributes:
        path: where it is.
        kind: its root, or CSV.
        generated: when it was made; empty where nothing tells it.
        is_whole: whether it shows all that there is of its web applications.
        is_cleaned: whether illegal characters are replaced in it.
        webapps: those of its appendix.
        sections: those of its sections, in order.
        unnamed: how many rows have the id of their detection, and no unique id.
    """

    path: Path
    kind: str
    generated: str
    is_whole: bool
    is_cleaned: bool
    webapps: tuple[NamedWebapp, ...]
    sections: tuple[NamedWebapp, ...]
    unnamed: int

    def rows(self, shape: Shape, notes: Notes) -> Iterator[Row]:
        """Read its rows.

        Raises:
            ReportError: when it can no longer be read.
        """
        with ExitStack() as stack:
            source = stack.enter_context(open_utf8(self.path))
            if self.kind == CSV:
                yield from csv_report.read_rows(source, notes)
                return
            document = open_document(source)
            if self.is_cleaned:
                document = stack.enter_context(cleaned(document)) or document
            yield from xml_report.read_rows(document, shape, notes)


@dataclass(slots=True)
class Survey:
    """What the files say together.

    Attributes:
        files: the newest first.
        webapps: rows of the stream without their nulls, by id.
        newest: when the newest file about a web application was made, by its id.
        whole: when the newest file that shows all of it was made, by its id.
        glossary: by QID.
        notes: what was odd in them.
        unread: how many files and folders cannot be read at all, so that any report may be missing.
    """

    files: list[ReportFile] = field(default_factory=list)
    webapps: dict[int, Record] = field(default_factory=dict)
    newest: dict[int, str] = field(default_factory=dict)
    whole: dict[int, str] = field(default_factory=dict)
    glossary: dict[int, Entry] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    unread: int = 0
    _ids: dict[tuple[str, str], set[int]] = field(default_factory=dict)

    @property
    def undated(self) -> set[int]:
        """Ids of web applications that a file is about of which nothing tells when it was made."""
        return {
            one.id
            for file in self.files
            if file.generated == UNDATED
            for one in (*file.webapps, *file.sections)
            if one.id is not None
        }

    def identified(self, webapp: NamedWebapp) -> NamedWebapp:
        """Give a web application with its id, where another file tells it."""
        if webapp.id is not None:
            return webapp
        ids = self._ids.get(_key(webapp), set())
        return webapp._replace(id=next(iter(ids))) if len(ids) == 1 else webapp

    def identify(self) -> None:
        """Find the ids of web applications that some files only name."""
        for number, webapp in self.webapps.items():
            self._ids.setdefault(_key(NamedWebapp.of(webapp)), set()).add(number)
        for at, file in enumerate(self.files):
            listed = tuple(map(self.identified, file.webapps))
            sections = tuple(map(self.identified, file.sections))
            if (listed, sections) == (file.webapps, file.sections):
                continue
            self.files[at] = replace(file, webapps=listed, sections=sections)
            for number in {one.id for one in (*listed, *sections) if one.id is not None}:
                self.newest[number] = max(file.generated, self.newest.get(number, UNDATED))


def _key(webapp: NamedWebapp) -> tuple[str, str]:
    return (" ".join((webapp.name or "").split()), (webapp.url or "").strip().rstrip("/"))


def survey(
    paths: Iterable[Path], kinds: Sequence[str], latest: str, logger: logging.Logger
) -> Survey:
    """Look through report files. One that cannot be read is named and passed over.

    Args:
        paths: of the files.
        kinds: the finding types that are wanted.
        latest: moment after which no report can have been made.
        logger: gets what is passed over or not proven, and why.
    """
    found = Survey()
    dated: dict[int, str] = {}
    for path in paths:
        try:
            overview, is_cleaned = _look_through(path)
        except (ReportError, OSError) as error:
            told = (one_line(str(path)), reason_of(error))
            logger.warning("Passed over the report %s: %s.", *told)
            found.unread += isinstance(error, OSError)
            continue
        undated = _undated(overview, latest)
        miscounts, doubts = _miscounts(overview), _doubts(overview, kinds, undated)
        # Of another report nobody expects that it proves anything.
        is_whole_kind = overview.kind == WEBAPP_REPORT
        is_told = [*miscounts, *(one for one in doubts if is_whole_kind or one in undated)]
        if is_told:
            told = (one_line(str(path)), "; ".join(is_told))
            logger.warning("The report %s proves nothing: %s.", *told)
        file = _file(path, overview, is_cleaned=is_cleaned, is_whole=not (miscounts or doubts))
        found.files.append(file)
        found.notes.add(overview.notes)
        _add(found, dated, overview, file)
    found.identify()
    found.files.sort(key=lambda one: (one.generated, one.is_whole, str(one.path)), reverse=True)
    return found


def reason_of(error: ReportError | OSError) -> str:
    """Say why a file cannot be read."""
    return str(error.strerror if isinstance(error, OSError) else error)


def _look_through(path: Path) -> tuple[Overview, bool]:
    with open_utf8(path) as source:
        head = source.read(HEAD_BYTES).lstrip(BLANKS)
        if path.suffix.lower() in PACKED or head.startswith(PACKED_BYTES):
            msg = "it is packed. Unpack it"
            raise ReportError(msg)
        if not head:
            msg = "it is empty"
            raise ReportError(msg)
        if not head.startswith(b"<"):
            return (csv_report.read_overview(source), False)
        document = open_document(source)
        try:
            return (xml_report.read_overview(document), False)
        except ReportError:
            with cleaned(document) as legal:
                if legal is None:
                    raise
                return (xml_report.read_overview(legal), True)


def _miscounts(overview: Overview) -> list[str]:
    return [
        f"it counts {overview.told[kind]:,} of type {kind} and lists {overview.listed[kind]:,}"
        for kind in overview.miscounted()
    ]


def _undated(overview: Overview, latest: str) -> list[str]:
    """Say why nothing tells when a report was made; one from the future is taken for undated."""
    told = overview.generated
    if told is None:
        return [NO_DATE]
    if told <= latest:
        return []
    # It would make all others look old, also those of the nights to come.
    overview.generated = None
    msg = (
        f"it says that it was made at {told}, which lies in the future by the clock here; check "
        "the clock, or export it again"
    )
    return [msg]


def _doubts(overview: Overview, kinds: Sequence[str], undated: Sequence[str]) -> list[str]:
    """Say why a report may not show all that there is of its web applications."""
    if overview.kind != WEBAPP_REPORT:
        return ["it is not a report of web applications", *undated]
    doubts = [f"nothing tells whether it has any {kind}" for kind in overview.unshown(kinds)]
    if overview.filters:
        named = "; ".join(cut(value, NAME_LENGTH) for value in overview.filters[:NAMED_AT_MOST])
        doubts.append(f"it has filters ({named})")
    if not overview.shows_ignored:
        doubts.append(f'it does not name "{SHOW_IGNORED}", so ignored ones may be missing')
    doubts += undated
    if overview.notes.rejected:
        doubts.append("some of its entries cannot be read")
    if _has_strangers(overview):
        doubts.append("nothing tells for sure whose its findings are")
    return doubts


def _has_strangers(overview: Overview) -> bool:
    """Tell whether there may be findings of a web application that seems to have none of them."""
    webapps = {*map(NamedWebapp.of, (*overview.webapps, *overview.sections))}
    sections = {one.id for one in _sections(overview)}
    without_section = {webapp["id"] for webapp in overview.webapps} - sections
    return (overview.is_flat and len(webapps) != 1) or (None in sections and bool(without_section))


def _file(path: Path, overview: Overview, *, is_cleaned: bool, is_whole: bool) -> ReportFile:
    listed = tuple(map(NamedWebapp.of, overview.webapps))
    same = {one: one for one in listed}
    return ReportFile(
        path,
        overview.kind,
        overview.generated or UNDATED,
        is_whole=is_whole,
        is_cleaned=is_cleaned,
        webapps=listed,
        sections=tuple(same.get(one, one) for one in _sections(overview)),
        unnamed=overview.unnamed,
    )


def _sections(overview: Overview) -> Iterator[NamedWebapp]:
    """Give the web application of each section, as the appendix names it where that is sure."""
    by_name: defaultdict[str | None, list[NamedWebapp]] = defaultdict(list)
    for one in dict.fromkeys(map(NamedWebapp.of, overview.webapps)):
        by_name[one.name].append(one)
    return (_of_appendix(NamedWebapp.of(one), by_name) for one in overview.sections)


def _of_appendix(
    section: NamedWebapp, by_name: Mapping[str | None, Sequence[NamedWebapp]]
) -> NamedWebapp:
    """Give the web application of a section, by its name where it has no id."""
    if section.id is not None:
        return section
    found = [one for one in by_name.get(section.name, ()) if section.url in {None, one.url}]
    return found[0] if len(found) == 1 else section


def _add(found: Survey, dated: dict[int, str], overview: Overview, file: ReportFile) -> None:
    """Add what a file says, as far as no newer one says it too."""
    own: dict[int, Record] = {}
    for webapp in (*overview.webapps, *overview.sections):
        number = webapp["id"]
        if isinstance(number, int):
            # A section tells less of its web application than the appendix does.
            told = {name: value for name, value in webapp.items() if value is not None}
            own[number] = {**own.get(number, {}), **told}
    for number, webapp in own.items():
        known = found.webapps.get(number, {})
        if file.generated >= found.newest.get(number, UNDATED):
            found.newest[number] = file.generated
            found.webapps[number] = {**known, **webapp}
        else:
            found.webapps[number] = {**webapp, **known}
        if file.is_whole:
            found.whole[number] = max(file.generated, found.whole.get(number, UNDATED))
    for qid, entry in overview.glossary.items():
        if file.generated >= dated.get(qid, UNDATED):
            dated[qid] = file.generated
            found.glossary[qid] = entry
