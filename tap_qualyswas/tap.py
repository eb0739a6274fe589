"""TapQualysWAS: its settings, the order of its streams, and how it ends."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final, cast

from singer_sdk import Tap
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib import Catalog

from qualyswas_ciscovm.endings import ClosedOutput, ending_well
from qualyswas_ciscovm.errors import SIGNAL_EXIT, ignore_signals
from qualyswas_ciscovm.metric_lines import name_streams
from qualyswas_ciscovm.plugin import Plugin
from qualyswas_ciscovm.wording import cut
from tap_qualyswas.errors import SettingsError
from tap_qualyswas.input_files import FULL_TABLE, read_catalog, read_state
from tap_qualyswas.qualys.retries import FIRST_WAIT_SECONDS
from tap_qualyswas.settings.schema import CONFIG_SCHEMA
from tap_qualyswas.streams import ORDER, STREAMS, QualysStream
from tap_qualyswas.sync.writer import CountingWriter, EachState

# ruff: noqa: PLC0415 - what only a sync needs is imported by it, so that `--help` and the like are quick

if sys.version_info >= (3, 13):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    import click
    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sources.report_files.reports import ReportFiles
    from tap_qualyswas.sync.run import Run
    from tap_qualyswas.sync.state import State

PROOF: Final = "syncs"
TEST_HELP: Final = (
    "--test checks the login and the right to read each stream, and reads nothing. --test=schema "
    "writes the schemas only."
)
NEW_OBJECTS: Final = 10_000
"""So many are there before the garbage collector looks for cycles: some five pages of findings.

Records make no cycles. At Python's own 700 it goes through each of them several times.
"""
TURN_SECONDS: Final = 0.05
"""So long a thread goes on while another one waits for its turn: two pages of findings.

At Python's own 0.005, pages are read in turns of a few rows, which cost each other the cache.
"""
LONGEST: Final = 300
"""Characters of what the SDK says of a stream map."""
CLOSED_OUTPUT: Final = (
    "The standard output is closed, and records are written there. Send it to a target or a file."
)
CHECK_ACCESS: Final = "all"
"""What `--test` without a value stands for."""
SCHEMAS: Final = "schema"


class TapQualysWAS(Plugin, Tap):
    """Extracts web applications, scans and findings from Qualys Web Application Scanning."""

    name = "tap-qualyswas"
    config_jsonschema = deepcopy(CONFIG_SCHEMA)  # the SDK adds settings of its own to it
    message_writer_class = CountingWriter
    message_writer: CountingWriter

    first_wait_seconds: ClassVar[float] = FIRST_WAIT_SECONDS
    """The first wait before a call is tried again; each further one is twice as long."""

    # All of the SDK's but BATCH: records are not written to files.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return [stream(self) for stream in STREAMS]

    @override
    def setup_mapper(self) -> None:
        with _explained():
            self._set_up_mapper()

    def _set_up_mapper(self) -> None:
        # The SDK copies each schema four times to leave out what a catalog deselects. Where nothing
        # of a stream is, that is most of the time in which a tap starts.
        PluginBase.setup_mapper(self)
        mapper, catalog = self.mapper, self.input_catalog
        changes = mapper.stream_maps_dict or mapper.flattening_options.enabled
        for name, stream in self.streams.items():
            if catalog is not None and stream.selected and not all(stream.mask.values()):
                mapper.register_raw_streams_from_catalog(Catalog({name: catalog[name]}))
            elif changes:
                schema = stream.effective_schema
                mapper.register_raw_stream_schema(name, schema, stream.primary_keys)
            else:
                # This one would copy it as well, though nothing is going to change it.
                unchanged = mapper.default_mapper_type(name, {}, stream.primary_keys, None)
                unchanged.transformed_schema = stream.effective_schema
                mapper.stream_maps[name] = [unchanged]

    @property
    @override
    def streams(self) -> dict[str, Stream]:
        # The SDK sorts by name, but `syncs` proves what came before, and QIDs come from findings.
        by_name = super().streams
        return {name: by_name[name] for name in ORDER}

    @cached_property
    @override
    def state_writer(self) -> EachState:
        return EachState(self.message_writer)

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked against one another."""
        from tap_qualyswas.settings.values import read_settings

        return read_settings(self.config)

    @cached_property
    def run(self) -> Run:
        """The run that the streams share. Nothing is sent before the first of them reads."""
        from tap_qualyswas.sync.connection import connect
        from tap_qualyswas.sync.run import Selection, prepare_run

        selected = [name for name, stream in self.streams.items() if stream.selected]
        return prepare_run(
            self.settings,
            connect(self.settings, self.logger, first_wait=self.first_wait_seconds),
            self.own_state,
            Selection(
                streams=tuple(name for name in selected if name != PROOF),
                missing=tuple(
                    name for name in self._deselected() if name.partition(".")[0] in selected
                ),
                full_table=self.streams["findings"].replication_method == FULL_TABLE,
            ),
            self.logger,
            files=self.reports,
        )

    @cached_property
    def own_state(self) -> State:
        """What the tap keeps from run to run."""
        from tap_qualyswas.sync.state import State

        return State(cast("dict[str, Any]", self.state), self._write_state)

    @cached_property
    def reports(self) -> ReportFiles | None:
        """The files that all records come from; None where they come from Qualys."""
        if not self.settings.filters.reads_files:
            return None
        from tap_qualyswas.sources.report_files.reports import ReportFiles

        return ReportFiles(self.settings, self.own_state, self.logger)

    def begin(self, stream: str) -> None:
        """Begin to read a stream, if it is selected, while another one is read."""
        found = self.streams[stream]
        if isinstance(found, QualysStream) and found.selected:
            found.begin()

    def _deselected(self) -> Iterator[str]:
        from tap_qualyswas.sync.proof import NEEDED_PROPERTIES

        for stream, names in NEEDED_PROPERTIES.items():
            mask = self.streams[stream].mask
            for name in names:
                path: tuple[str, ...] = ()
                for part in name.split("."):
                    path += ("properties", part)
                    if not mask[path]:
                        yield f"{stream}.{'.'.join(path[1::2])}"
                        break

    def _write_state(self) -> None:
        self.state_writer.write_state(self.state)

    def emitted(self, stream: str) -> int:
        """Give the number of records of a stream that were written."""
        return self.message_writer.emitted[self.streams[stream].stream_maps[0].stream_alias]

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as the SDK's own tap does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        name_streams()
        with ending_well(cls.logger):
            if isinstance(sys.stdout, ClosedOutput):
                raise SettingsError(CLOSED_OUTPUT)
            tap = cls.from_command(
                config, state=read_state(state, cls.logger), catalog=read_catalog(catalog)
            )
            tap.sync()
            ignore_signals()

    def sync(self) -> None:
        """Read all selected streams.

        Raises:
            QualysError: when the sync cannot go on.
        """
        from tap_qualyswas.notices import catalog_notices, map_notices
        from tap_qualyswas.sync.run import require_selection

        selected = [name for name, stream in self.streams.items() if stream.selected]
        require_selection(selected, self.logger, reads_files=self.settings.filters.reads_files)
        maps = map_notices(self.mapper.stream_maps_dict, self.streams)
        for notice in (*catalog_notices(self.streams), *maps):
            self.logger.warning("%s", notice)
        gc.set_threshold(NEW_OBJECTS)
        sys.setswitchinterval(TURN_SECONDS)
        _ = self.run  # settings that do not go together are refused before anything is written
        with _explained():
            self.sync_all()
        if PROOF not in selected:
            self.run.end()
            self._write_state()

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for option in command.params:
            if option.name == "test":
                option.help = TEST_HELP
        return command

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        if value not in {CHECK_ACCESS, SCHEMAS}:
            super().cb_test(ctx, param, value)
            return
        from tap_qualyswas.sync.access import check_access

        with ending_well(cls.logger):
            tap = cls.from_command(ctx.params.get("config"))
        if value == SCHEMAS:
            tap.write_schemas()
            ctx.exit()
        with ending_well(cls.logger):
            if tap.reports is None:
                check_access(tap.run, cls.logger)
            else:
                tap.reports.check()
        ctx.exit()

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK's handler exits with 0 and writes a state in the middle of whatever runs. The
        # state of the last page is on stdout already; all that matters is to end between two lines.
        self.logger.info("Stopped by signal %d. The next run goes on from the last state.", signum)
        self.message_writer.stop(SIGNAL_EXIT + signum)


@contextmanager
def _explained() -> Iterator[None]:
    """Tell what is wrong with stream maps.

    Raises:
        SettingsError: when they do not fit the records.
    """
    try:
        yield
    except MappingError as error:
        msg = f"stream_maps cannot be applied: {cut(str(error), LONGEST).rstrip('.')}. Correct it."
        raise SettingsError(msg) from error
