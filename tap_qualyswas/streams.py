"""The streams: the name and key of each, and what reads it."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast

from singer_sdk import SchemaDirectory, Stream, StreamSchema
from singer_sdk.exceptions import MapExpressionError
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib import SelectionMask

from qualyswas_ciscovm.digest import DIGESTED
from tap_qualyswas import schemas

# ruff: noqa: PLC0415 - what only a sync needs is imported by it, so that `--help` and the like are quick

if sys.version_info >= (3, 13):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.mapper import StreamMap

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sources.knowledge_base import Calls
    from tap_qualyswas.sources.report_files.reports import ReportFiles
    from tap_qualyswas.sync.run import Run
    from tap_qualyswas.sync.writer import CountingWriter

NEVER: Final = 1 << 62
SDK_COMPLAINT: Final = "An unhandled error occurred"


class QualysTap(Protocol):
    """What the streams need of their tap."""

    @property
    def run(self) -> Run:
        """The run that the streams share."""

    @property
    def reports(self) -> ReportFiles | None:
        """The files that all records come from; None where they come from Qualys."""

    @property
    def message_writer(self) -> CountingWriter:
        """Where messages go."""

    def begin(self, stream: str) -> None:
        """Begin to read a stream, if it is selected, while another one is read."""

    def emitted(self, stream: str) -> int:
        """Give the number of records of a stream that were written."""


class QualysStream(Stream):
    """What all streams have in common."""

    schema: ClassVar[StreamSchema] = StreamSchema(SchemaDirectory(schemas))

    # The records already have the types of the schema.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    # The reader writes the state at each page.
    STATE_MSG_FREQUENCY = NEVER

    def __init__(self, tap: QualysTap) -> None:
        super().__init__(cast("Tap", tap))  # the SDK names its own class
        self._qualys = tap
        self._unread: Generator[Sequence[Record]] | None = None

    @property
    def run(self) -> Run:
        """The run that the streams share."""
        return self._qualys.run

    @property
    @override
    def mask(self) -> SelectionMask:
        # Without a catalog nothing of a stream is deselected; the SDK looks at each property.
        if self._mask is None and self._tap.input_catalog is None:
            self._mask = SelectionMask({(): self.selected_by_default})
        return super().mask

    def begin(self) -> None:
        """Ask for something now, while another stream is read; by default for nothing."""

    def read(self) -> Iterator[Sequence[Record]]:
        """Give the records by pages, each of which is written before the next one is asked for."""
        raise NotImplementedError

    def _read(self) -> Iterator[Sequence[Record]]:
        reports, run = self._qualys.reports, self.run
        if reports is None:
            return self.read()
        from tap_qualyswas.sources.report_files.streams import read_stream

        return singly(read_stream(self.name, run.reader, run.settings, reports))

    def _pages(self) -> Generator[Sequence[Record]]:
        """Give the records, counted and with the id of the sync."""
        tally = self.run.reader.tallies.get(self.name)
        if tally is None:
            yield from self.read()
            self._qualys.message_writer.flush()
            return
        values, sync_id = DIGESTED.get(self.name), self.run.sync_id
        for records in self._read():
            tally.read += len(records)
            for record in records:
                record["syncId"] = sync_id
            if values is not None:
                tally.digest.add_all(map(values, records))
            yield records
        self._qualys.message_writer.flush()
        tally.ended = True

    @override
    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        return chain.from_iterable(self._unread or self._pages())

    @override
    def _sync_records(
        self, context: Any = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        # A read that is given up is closed: else it would go on telling that it waits for Qualys.
        with closing(self._pages()) as self._unread:
            if write_messages and self._is_plain:
                self._write_pages(self._unread, context)
            else:
                yield from super()._sync_records(context, write_messages=write_messages)

    def _write_pages(self, pages: Iterable[Sequence[Record]], context: Context | None) -> None:
        # For each record the SDK looks for children, partitions, limits and deselected properties,
        # and makes two objects of the message. Without any of these that is useless, and takes a
        # third of the time of a sync.
        self._write_starting_replication_value(context)
        write = self._qualys.message_writer.write_records
        maps = self.stream_maps
        is_unchanged = len(maps) == 1 and _is_unchanged(maps[0])
        with self.get_record_counter() as counter, self.get_sync_timer():
            for records in pages:
                if is_unchanged:
                    write(maps[0].stream_alias, records)
                else:
                    for alias, mapped in _mapped(records, maps):
                        write(alias, (mapped,))
                counter.increment(len(records))
        self._finalize_state(self.stream_state)
        self._write_state_message()

    @property
    def _is_plain(self) -> bool:
        """Whether each record is written as a whole, and nothing else is made of it."""
        limit, version = self.ABORT_AT_RECORD_COUNT, self._stream_version
        return limit is None and version is None and all(self.mask.values())

    @override
    def get_replication_key_signpost(self, context: Any = None) -> None:
        """Give none: the bookmarks do not depend on the local clock."""

    @override
    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        # The SDK would take the greatest value of the rows, even behind a running scan, warn about
        # each row without a date, and move backwards when only older rows come.
        pass

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        # The plugin logs the error itself, once and in one line.
        if not message.startswith(SDK_COMPLAINT):
            super().log(message, *args, level=level, **kwargs)


def singly(records: Iterable[Record]) -> Iterator[Sequence[Record]]:
    """Give records that come one by one as pages."""
    return ((record,) for record in records)


def _is_unchanged(stream_map: StreamMap) -> bool:
    return isinstance(stream_map, SameRecordTransform) and not stream_map.flattening_enabled


def _mapped(
    records: Sequence[Record], maps: Sequence[StreamMap]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what stream maps make of records, with the name of the stream that it goes to."""
    for record in records:
        for one in maps:
            try:
                mapped = one.transform(record)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                msg = f"{type(error).__name__}: {error}, in a record of {one.stream_alias}"
                raise MapExpressionError(msg) from error
            if mapped is not None:
                yield (one.stream_alias, mapped)


class Webapps(QualysStream):
    """Web applications."""

    name = "webapps"
    primary_keys = ("id",)

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        from tap_qualyswas.sources.webapps import read_webapps

        run = self.run
        return read_webapps(
            run.reader,
            run.scope,
            run.settings,
            run.bookmarks.unended_scans,
            partial(self._qualys.begin, Scans.name),
        )


class Scans(QualysStream):
    """Scans."""

    name = "scans"
    primary_keys = ("id",)
    replication_key = "launchedDate"
    _begun: Iterator[Sequence[Record]] | None = None

    @override
    def begin(self) -> None:
        """Ask for the first page now, so that it comes while another stream is read."""
        self._begun = self._begin()

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        begun, self._begun = self._begun, None
        return begun or self._begin()

    def _begin(self) -> Iterator[Sequence[Record]]:
        from tap_qualyswas.sources.scans import read_scans

        run = self.run
        return read_scans(run.reader, run.scope, run.settings, run.bookmarks, run.pending_reports)


class Findings(QualysStream):
    """Findings."""

    name = "findings"
    primary_keys = ("uniqueId",)
    replication_key = "lastDetectedDate"

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        from tap_qualyswas.sources.findings import read_findings

        run = self.run
        for page in read_findings(run.reader, run.scope, run.settings, run.bookmarks, run.qids):
            yield page
            self._qualys.begin(KnowledgeBase.name)


class KnowledgeBase(QualysStream):
    """Knowledge base entries of the QIDs of a sync."""

    name = "knowledge_base"
    primary_keys = ("qid",)
    _begun: Calls | None = None

    @override
    def begin(self) -> None:
        """Make the first call now, if it is not made yet and there are QIDs for a whole one."""
        from tap_qualyswas.qualys.knowledge_base import KB_IDS
        from tap_qualyswas.sources.knowledge_base import begin_calls

        run = self.run
        if self._begun is None and len(run.qids) >= KB_IDS:
            self._begun = begin_calls(run.reader, run.qids, run.settings)

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        from tap_qualyswas.sources.knowledge_base import read_knowledge_base

        run, begun = self.run, self._begun
        return singly(read_knowledge_base(run.reader, run.qids, run.settings, begun))


class ScanResults(QualysStream):
    """Entries of the reports of finished scans."""

    name = "scan_results"
    primary_keys = ("resultId",)
    selected_by_default = False

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        from tap_qualyswas.sources.scan_results import read_scan_results

        return singly(read_scan_results(self.run.reader, self.run.pending_reports))


class Tags(QualysStream):
    """Tags of the subscription."""

    name = "tags"
    primary_keys = ("id",)
    selected_by_default = False

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        from tap_qualyswas.sources.tags import read_tags

        return singly(read_tags(self.run.reader, self.run.settings))


class Syncs(QualysStream):
    """One row about the run itself."""

    name = "syncs"
    primary_keys = ("syncId",)

    @override
    def read(self) -> Iterator[Sequence[Record]]:
        self.run.end()
        yield (self.run.row(self._qualys.emitted),)


STREAMS: Final[tuple[type[QualysStream], ...]] = (
    Webapps,
    Scans,
    Findings,
    KnowledgeBase,
    ScanResults,
    Tags,
    Syncs,
)
"""In the order in which they are read: `syncs` last, as it proves all the others."""

ORDER: Final = ("webapps", "scans", "findings", "knowledge_base", "scan_results", "tags", "syncs")
