"""Tap and target together in this process, against the sandbox's two servers."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, Final, cast

from qualyswas_ciscovm.endings import Ending, ending_well
from tap_qualyswas.errors import QualysError
from tests.pair.asked import asked_of, is_whole
from tests.sandbox.faults.switches import Switches
from tests.sandbox.oracle.memory import Installation
from tests.sandbox.sandbox import Sandbox
from tests.support.json_lines import json_lines
from tests.tap.syncs import PatientTap, as_read
from tests.target.loads import QuickTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from tests.sandbox.oracle.coverage import Reading
    from tests.sandbox.oracle.oracle import Comparison
    from tests.sandbox.oracle.watch import Watch

MINUTES: Final = timedelta(minutes=5)
QUICK: Final = {"rate_limit": 0, "run_seconds": 0}
"""Switches that make CVM answer at once; they change nothing of what it does."""


@dataclass
class Synced:
    """One run of both, and how the tenant stands after it.

    Attributes:
        tap_exit: exit code of the tap.
        exit_code: of the target.
        outcome: as the report says; empty when there is none.
        message: of the report, in one line.
        proven: whether the target closed by absence.
        found: the tenant held against the world.
    """

    tap_exit: int
    exit_code: int
    outcome: str
    message: str
    proven: bool
    found: Comparison


@dataclass
class Pair:
    """A tap and a target with the state that lies between their runs.

    Attributes:
        state: what the target passed on last.
        settings: of the target, besides those that point at the sandbox; None leaves one out.
        own_watch: judges the runs in place of the sandbox's, where another account or connector is
            meant.
        installation: what the judge knows of this state and this ledger.
        catalog: what is selected, for the tap; its own selection when it is None.
        earlier: the states before it, oldest first.
        written: what the tap wrote last, for replays.
        is_written_whole: whether each row was written as it was read.
        reading: what there was to read then.
        report: what the target told last.
        syncs: how many runs there were.
    """

    sandbox: Sandbox
    home: Path
    state: dict[str, Any] = field(default_factory=dict)
    earlier: list[dict[str, Any]] = field(default_factory=list)
    tap_settings: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    own_watch: Watch | None = None
    installation: Installation = field(default_factory=Installation)
    catalog: dict[str, Any] | None = None
    written: bytes = b""
    is_written_whole: bool = True
    reading: Reading | None = None
    report: dict[str, Any] = field(default_factory=dict)
    syncs: int = 0

    @property
    def watch(self) -> Watch:
        """Give what judges the runs."""
        return self.own_watch or self.sandbox.watch

    def sync(
        self,
        spoil: Callable[[bytes], bytes] = bytes,
        meanwhile: Callable[[bytes], None] | None = None,
        *,
        died: bool = False,
        **tap_settings: object,
    ) -> Synced:
        """Run the tap, then the target with what the tap wrote.

        Args:
            spoil: what becomes of the lines on their way.
            meanwhile: is called with them as soon as the target begins to read.
            died: whether the tap died when it had written what `spoil` leaves.
            tap_settings: for this run only.
        """
        # Runs follow one another by minutes in reality; within a second no order could be told.
        self.sandbox.clock.advance(MINUTES)
        told = {**self.tap_settings, **tap_settings}
        self.watch.oracle.asked = asked_of(told, self.catalog)
        # What people did since the last sync is there for this one to see.
        self._begin()
        tap_exit = self.read(**tap_settings)
        lines = spoil(self.written)
        whole = _rows(lines) == _rows(self.written) and self.is_written_whole
        return self._load(lines, tap_exit, whole=whole, died=died, meanwhile=meanwhile)

    def load(self, lines: bytes, reading: Reading | None = None) -> Synced:
        """Run the target with lines that a tap wrote earlier, pass its state on, and judge.

        Args:
            lines: that the tap wrote.
            reading: what there was to read then; not known by default.
        """
        self._begin(reading)
        return self._load(lines, 0, whole=True)

    def _begin(self, reading: Reading | None = None) -> None:
        self.watch.oracle.ours = self.installation
        self.watch.oracle.reading = reading
        self.watch.begin()

    def _load(
        self,
        lines: bytes,
        tap_exit: int,
        *,
        whole: bool,
        died: bool = False,
        meanwhile: Callable[[bytes], None] | None = None,
    ) -> Synced:
        exit_code, report = self.run_target(_Pipe(lines, meanwhile))
        outcome = report.get("outcome", "")
        # Whoever runs the pair sees both exit codes: a failed tap is a failed run.
        failed = exit_code or tap_exit or died or outcome == "aborted"
        found = self.watch.settle(int(bool(failed)), whole=whole and not tap_exit)
        self.syncs += 1
        return Synced(
            tap_exit,
            exit_code,
            outcome,
            report.get("message", ""),
            bool(report.get("proof", {}).get("proven")) and exit_code == 0,
            found,
        )

    def read(self, **settings: object) -> int:
        """Run the tap alone; what it wrote is in `written`. Give its exit code."""
        env = self.sandbox.env
        config = {
            "api_url": env["TAP_QUALYSWAS_API_URL"],
            "username": env["TAP_QUALYSWAS_USERNAME"],
            "password": env["TAP_QUALYSWAS_PASSWORD"],
            "max_attempts": 4,
            **self.tap_settings,
            **settings,
        }
        told = {**self.tap_settings, **settings}
        asked, start = asked_of(told, self.catalog), len(self.watch.face.log)
        reading = self.watch.oracle.read(asked)
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        exit_code = 0
        with redirect_stdout(out), quiet():
            try:
                tap = PatientTap(
                    config=config,
                    state=as_read(self.state),
                    catalog=as_read(self.catalog),
                )
                tap.sync()
            except QualysError as error:
                exit_code = error.exit_code
            finally:
                out.flush()
        self.written = out.buffer.getvalue()
        self.is_written_whole = is_whole(told, self.catalog, reading.severities)
        proves = not exit_code and self.is_written_whole and self.watch.proves(asked, start)
        self.reading = replace(reading, proves=proves)
        return exit_code

    @property
    def target_config(self) -> dict[str, Any]:
        """Give what the target is run with."""
        env = self.sandbox.env
        config = {
            "api_url": env["TARGET_CISCOVM_API_URL"],
            "api_key": env["TARGET_CISCOVM_API_KEY"],
            "connector_id": int(env["TARGET_CISCOVM_CONNECTOR_ID"]),
            "output_path": str(self.home),
            "keep_runs": 2,
            "run_timeout_seconds": 3,
            "poll_seconds": 1,
            **self.settings,
        }
        return {name: value for name, value in config.items() if value is not None}

    def audit(self) -> int:
        """Run the target's audit; give its exit code."""
        with quiet():
            try:
                with ending_well(logging.getLogger("target-ciscovm")):
                    QuickTarget(config=self.target_config).look(audit=True)
            except Ending as ending:
                return ending.exit_code
        return 0

    def run_target(self, lines: IO[bytes]) -> tuple[int, dict[str, Any]]:
        """Run the target alone and pass its state on; give its exit code and its report."""
        printed = io.BytesIO()
        target: QuickTarget | None = None
        exit_code = 0
        with redirect_stdout(io.TextIOWrapper(printed)) as out, quiet():
            try:
                with ending_well(logging.getLogger("target-ciscovm")):
                    target = QuickTarget(config=self.target_config)
                    target.listen(cast("IO[str]", lines))
            except Ending as ending:
                exit_code = ending.exit_code
        out.flush()
        for state in json_lines(printed.getvalue()):
            self.earlier.append(self.state)
            self.state = state
        self.report = self._report(target)
        return (exit_code, self.report)

    @staticmethod
    def _report(target: QuickTarget | None) -> dict[str, Any]:
        folder = target.run.folder if target is not None else None
        if folder is None or not (folder / "report.json").exists():
            return {}
        found: dict[str, Any] = json.loads((folder / "report.json").read_text())
        return found


def _rows(lines: bytes) -> list[bytes]:
    """Give the records: a load that lacks only what comes after the last one lacks nothing."""
    return [line for line in lines.splitlines() if b'"RECORD"' in line]


def asks_for_full_sync(state: dict[str, Any]) -> bool:
    """Tell whether a state makes the tap's next sync a full one."""
    syncs = state.get("bookmarks", {}).get("syncs", {})
    return syncs.get("fullSyncAsked") is True


def auto_closed(sandbox: Sandbox) -> list[str]:
    """Give what CVM has closed by itself, as a load lacked it: nobody may ever ask for that."""
    closings = sandbox.tenant.state.closings
    return [one.scanner_identifier for one in closings if one.cause == "auto"]


class _Pipe(io.BytesIO):
    """Lines for a target; `meanwhile` is called when it begins to read them."""

    def __init__(self, lines: bytes, meanwhile: Callable[[bytes], None] | None) -> None:
        super().__init__(lines)
        self._meanwhile = meanwhile

    def __iter__(self) -> Self:
        if self._meanwhile is not None:
            self._meanwhile(self.getvalue())
        return self


class quiet:  # noqa: N801 - used like a function
    """Keep both plugins from logging while the block runs."""

    def __enter__(self) -> None:
        self._disabled = logging.root.manager.disable
        logging.disable(logging.CRITICAL)

    def __exit__(self, *_: object) -> None:
        logging.disable(self._disabled)


def open_sandbox(
    *,
    apps: int,
    findings: int,
    qids: int = 8,
    scans: int = 6,
    seed: int = 1,
    **switches: Any,  # noqa: ANN401
) -> Sandbox:
    """Give a sandbox of a small world, not yet entered."""
    return Sandbox(
        apps=apps,
        findings=findings,
        qids=qids,
        scans=scans,
        seed=seed,
        switches=Switches(**{**QUICK, **switches}),
    )
