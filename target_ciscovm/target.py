"""The target plugin: its settings, and the way from input lines to the run."""

from __future__ import annotations

import signal
import sys
import threading
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import click
from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities

from qualyswas_ciscovm.endings import Ending, ending_well
from qualyswas_ciscovm.errors import Interrupted
from qualyswas_ciscovm.plugin import Plugin
from target_ciscovm.cvm.retry_policy import RetryPolicy
from target_ciscovm.intake.drain import draining
from target_ciscovm.intake.singer_lines import SingerLines
from target_ciscovm.mapping.records import TYPES
from target_ciscovm.settings.schema import CONFIG_SCHEMA

# ruff: noqa: PLC0415 - what only a run needs is imported by it, so that `--help` and the like are quick
if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    import msgspec
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_ciscovm.intake.stream_maps import StreamMaps
    from target_ciscovm.mapping.records import Finding
    from target_ciscovm.report.model import Report
    from target_ciscovm.run import Run
    from target_ciscovm.settings.values import Settings


COMMANDS: Final = {
    "--verify": "Check the API key, the connector and output_path, and end.",
    "--audit": "Hold what CVM has open against the ledger, and end; 1 where they differ.",
    "--rebuild-ledger": "Make the ledger anew from what CVM holds, and end.",
}


class TargetCiscoVM(Plugin, Target):
    """Loads web application findings into Cisco Vulnerability Management."""

    name = "target-ciscovm"
    config_jsonschema = CONFIG_SCHEMA
    message_reader_class = SingerLines
    message_reader: SingerLines

    first_wait_seconds: ClassVar[float] = RetryPolicy.first_wait_seconds
    """First wait before a call is tried again; the next ones grow."""
    pace_seconds: ClassVar[float] = RetryPolicy.pace_seconds
    """Shortest time between two calls."""
    show_seconds: ClassVar[tuple[float, ...]] = RetryPolicy.show_seconds
    """Waits before CVM is asked again for what it does not show."""

    # All of the SDK's, except its validation of records: they are checked by their types.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the SDK's own
        super().__init__(**kwargs)
        self._end_with_the_terminal()
        self.message_reader.handler = self
        self.report: Report | None = None

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        # Load method, record metadata and batch size belong to the SDK's sinks, which are not used.
        super(Target, cls).append_builtin_config(config_jsonschema)

    @cached_property
    def settings(self) -> Settings:
        """The settings, checked against each other."""
        from target_ciscovm.settings.values import read_settings

        found = read_settings(self.config)
        policy = replace(
            found.retry_policy,
            first_wait_seconds=self.first_wait_seconds,
            pace_seconds=self.pace_seconds,
            show_seconds=self.show_seconds,
        )
        return replace(found, retry_policy=policy)

    @cached_property
    def run(self) -> Run:
        """The run. It does nothing before the first line is read."""
        from target_ciscovm.run import Run

        return Run(self.settings, self._pass_state)

    def load(self, read: Callable[[], None]) -> None:
        """Load an input; `read` passes its messages on, one by one.

        Raises:
            Ending: when the load failed.
        """
        report = self.report = self.run.execute(read)
        if report.exit_code:
            raise Ending(report.message, report.exit_code, self.logger)

    def look(self, *, audit: bool = False, rebuild_ledger: bool = False) -> None:
        """Look at CVM without a load: check the login, audit the ledger, or make it anew.

        Raises:
            Ending: when CVM and the ledger differ.
        """
        from target_ciscovm.apply.verification import check
        from target_ciscovm.audit import commands

        if rebuild_ledger:
            commands.rebuild(self.settings)
        elif audit:
            done = commands.audit(self.settings)
            if done.exit_code:
                raise Ending(done.message, done.exit_code, self.logger)
            self.logger.info("%s", done.message)
        else:
            check(self.settings)

    @property
    def on_findings(self) -> Callable[[int, list[Finding]], None] | None:
        """Hand findings on that are read already; None where maps want them as they came."""
        return None if self._maps else self.run.take_findings

    def on_record(self, line: int, stream: str, record: msgspec.Raw) -> None:
        """Hand a record to the run, mapped if maps are set."""
        read = self.run.arrivals.add(stream, record)
        if self._maps is None:
            self.run.take(line, stream, record, read)
            return
        raw = bytes(record)
        mapped = list(self._maps.apply(line, stream, raw, self.run.counts.notes))
        for name, found in mapped:
            self.run.take(line, name, found)
        self.run.compare(stream, raw, mapped)
        if mapped and stream in TYPES and all(name not in TYPES for name, _ in mapped):
            self.run.arrivals.renamed[stream] = mapped[0][0]

    def on_schema(self, stream: str, schema: bytes, key_properties: object) -> None:
        """Pass a schema to the stream maps; records are checked by their types instead."""
        if self._maps is not None:
            self._maps.learn(stream, schema, key_properties)

    def on_state(self, value: bytes) -> None:
        """Keep a state until the load is safe."""
        self.run.keep_state(value)

    def on_unknown(self, kind: str) -> None:
        """Count a message of an unknown type."""
        self.run.note_unknown(kind)

    @override
    def process_endofpipe(self) -> None:
        """Say last why nothing was loaded; all else is done, and the state passed on."""
        if self.report is not None and self.report.outcome == "aborted":
            self.logger.warning("%s", self.report.message)

    @cached_property
    def _maps(self) -> StreamMaps | None:
        from target_ciscovm.intake.stream_maps import StreamMaps

        return StreamMaps(self.mapper) if self.config.get("stream_maps") else None

    @staticmethod
    def _pass_state(value: bytes) -> None:
        sys.stdout.buffer.write(value.strip() + b"\n")
        sys.stdout.flush()

    @classmethod
    @override
    def invoke(  # type: ignore[override] # as the SDK's own target does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
        verify: bool = False,
        audit: bool = False,
        rebuild_ledger: bool = False,
    ) -> None:
        if about:
            cls.print_about(about_format)
            return
        # Before a signal is handled: msgspec swallows what a handler raises while types are made.
        from target_ciscovm import run  # noqa: F401
        from target_ciscovm.watching.notices import announcing

        cls.print_version(print_fn=cls.logger.info)
        if audit:
            with ending_well(cls.logger), announcing(cls.given(config), "audit"):
                cls.from_command(config).look(audit=True)
            return
        if verify or rebuild_ledger:
            with ending_well(cls.logger):
                cls.from_command(config).look(rebuild_ledger=rebuild_ledger)
            return
        with draining(file_input), ending_well(cls.logger), announcing(cls.given(config)):
            cls.from_command(config).listen(file_input)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        for name, text in COMMANDS.items():
            command.params.append(click.Option([name], is_flag=True, help=text))
        return command

    def _end_with_the_terminal(self) -> None:
        """Take the end of the terminal as the other signals to stop, unless `nohup` ignores it."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._handle_termination)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK's handler drains and exits with 0, but a stopped run must send nothing.
        raise Interrupted(signum)
