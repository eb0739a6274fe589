"""A run of the target: intake, proof, closing, build, guard, send, wait, settle, report."""

from __future__ import annotations

import gc
import logging
import sqlite3
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.errors import Interrupted
from target_ciscovm.apply import delivery, judging, remembering
from target_ciscovm.apply.loading import Load
from target_ciscovm.apply.preflight import OVERAGE, connect, look
from target_ciscovm.errors import CiscoVMError, Refused, SettingsError, StillRunning
from target_ciscovm.intake.intake import Intake, IntakeRules
from target_ciscovm.intake.rejections import Rejections
from target_ciscovm.intake.spool import Spool
from target_ciscovm.ledger.ledger import Ledger
from target_ciscovm.ledger.unsettled import read_as_one
from target_ciscovm.outcomes import EXIT_CODES, PASSES_STATE_ON
from target_ciscovm.output.folders import remove_old_runs, require_disk, run_folder, writing_in
from target_ciscovm.output.lock import connector_lock
from target_ciscovm.output.private_files import private_folder
from target_ciscovm.output.timing import Ticker
from target_ciscovm.plan.closing import identity_problem, identity_text
from target_ciscovm.report.closing_lines import failed_step, succeeded_message, succeeded_step
from target_ciscovm.report.files import write_html, write_json
from target_ciscovm.report.model import Report
from target_ciscovm.report.summary import summarise
from target_ciscovm.report.table import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from target_ciscovm.outcomes import Outcome
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)

LEAST_ROOM: Final = 20_000_000
"""Bytes without which nothing is begun."""
LOOK_EVERY: Final = 20_000
"""Records between two looks at the disk and the clock."""
OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000
RESET_WARNING: Final = (
    "reset_tags wipes all tags of the assets in this load, those set by hand too, and creates "
    "Qualys's anew."
)


class Run:
    """One run, from the first look at CVM to the report.

    Attributes:
        report: filled as the run goes.

    Args:
        settings: of the target.
        pass_state: is given the state's value once the load is safe.
    """

    def __init__(self, settings: Settings, pass_state: Callable[[bytes], None]) -> None:
        self.report = Report(
            data_model=settings.data_model, destination=settings.destination, exit_code=1
        )
        self.folder: Path | None = None
        self._settings = settings
        self._pass_state = pass_state
        self._state: bytes | None = None
        self._load: Load | None = None
        self._intake: Intake | None = None
        self._ticker = Ticker()

    def execute(self, read: Callable[[], None]) -> Report:
        """Load what `read` hands to `take` and `keep_state`.

        Returns:
            The report, which has been written into the run's folder.

        Raises:
            CiscoVMError: when not even a folder for the report can be made.
        """
        settings = self._settings
        with (
            _rare_collections(),
            run_folder(settings.output_path) as folder,
            writing_in(folder.path),
            ExitStack() as stack,
        ):
            self.folder = folder.path
            rejections = Rejections(folder.file("rejected.jsonl"))
            stack.callback(rejections.close)
            spool = stack.enter_context(Spool(folder.spool / "records.db"))
            ledger = stack.enter_context(Ledger(settings.ledger_path))
            load = self._load = Load(settings, folder, spool, ledger, ledger, rejections)
            try:
                with writing_in(folder.path):
                    self._run(load, stack, read)
            except CiscoVMError as error:
                self._end_by(error)
            except Interrupted as stop:
                self._end("interrupted", stop.exit_code, str(stop))
                self.report.next_step = "Run again: nothing was marked as sent."
            self._write_report(load)
            # While this run holds its folder, which is then safe from its own tidying.
            removal = remove_old_runs(settings.output_path, settings.keep_runs)
            for name, cause in removal.failed.items():
                LOGGER.warning("Old run folder %s could not be removed: %s.", name, cause)
        return self.report

    def take(self, line: int, stream: str, record: bytes) -> None:
        """Take one record.

        Raises:
            DiskFull: when there is no room for it.
        """
        if self._intake is None or self._load is None:
            msg = "records are taken while the run reads"
            raise ValueError(msg)
        self._intake.take(line, stream, record)
        if line % LOOK_EVERY == 0:
            spool = self._load.spool
            require_disk(spool.path.parent, spool.size + LEAST_ROOM)
            received = self._load.counts.received
            self._ticker.tick(
                "received %s findings, %s records in all so far",
                f"{received['findings']:,}",
                f"{received.total():,}",
            )

    def keep_state(self, value: bytes) -> None:
        """Keep a state to be passed on when the load is safe."""
        self._state = value

    @property
    def notes(self) -> Counter[str]:
        """Give the counts of what was not quite as expected."""
        return Counter() if self._load is None else self._load.counts.notes

    def note_unknown(self, kind: str) -> None:
        """Count a message of a type that means nothing here."""
        self.notes[f"message of unknown type {kind[:40]}: passed over"] += 1

    def _run(self, load: Load, stack: ExitStack, read: Callable[[], None]) -> None:
        with load.stages.stage("looking at the connector"):
            self._begin(load, stack)
        self._intake = intake = Intake(
            load.spool,
            load.rejections,
            load.counts,
            IntakeRules(load.settings.identity, load.settings.mapping, load.settings.filters),
        )
        with load.stages.stage("reading"):
            read()
            load.spool.flush()
        for stream, count in load.counts.foreign.items():
            LOGGER.info("Stream %s is not one of ours: %s records passed over.", stream, count)
        nothing = judging.is_nothing(load, intake)
        if nothing:
            load.sync = intake.sync
            self._abort(nothing)
            return
        require_disk(load.folder.path, load.spool.size + LEAST_ROOM)
        with load.stages.stage("building"):
            judging.prepare(load, intake)
            judging.build(load, intake.shared)
            judging.check_guard(load)
            load.rejections.flush()
        self._deliver(load)

    def _begin(self, load: Load, stack: ExitStack) -> None:
        settings = load.settings
        require_disk(load.folder.path, LEAST_ROOM)
        if settings.login is not None:
            home = settings.ledger_path.parent if settings.ledger_path else settings.output_path
            private_folder(home, "output_path" if home == settings.output_path else "ledger_path")
            stack.enter_context(connector_lock(home, str(settings.login.connector_id)))
            load.api = connect(settings.login, settings.retry_policy)
            load.opening = look(load.api)
            if load.opening.overage:
                load.warnings.append(OVERAGE)
            if not settings.dry_run:
                load.kept.require_writable()
        load.ledger = stack.enter_context(read_as_one(load.kept, load.folder.spool))
        self._check_identity(load)
        if settings.reset_tags:
            LOGGER.warning("%s", RESET_WARNING)
            load.warnings.append(RESET_WARNING)

    def _check_identity(self, load: Load) -> None:
        before, settings = load.kept.identity, load.settings
        load.has_ledger = load.ledger.exists
        if before is None:
            return
        now = identity_text(settings.identity, settings.data_model)
        problem = identity_problem(before.settings, now, load.kept.open_count())
        if problem and not settings.accept_identity_change:
            raise SettingsError(problem)
        load.identity_changed = problem is not None
        load.model_changed = (
            problem is not None and before.settings.get("data_model") != now["data_model"]
        )

    def _deliver(self, load: Load) -> None:
        if load.api is not None and load.parts and not load.settings.dry_run:
            with load.stages.stage("uploading"):
                delivery.upload(load, load.api)
            if load.uploaded:
                with load.stages.stage("waiting for CVM"):
                    delivery.run(load, load.api)
                if not delivery.has_failed_payloads(load):
                    with load.stages.stage("remembering"):
                        remembering.settle(load)
        outcome: Outcome = "succeeded" if load.verdict.valid else "succeeded_unproven"
        self._end(outcome, EXIT_CODES[outcome], succeeded_message(load))
        self.report.next_step = succeeded_step(load)
        passes = outcome in PASSES_STATE_ON and not load.settings.dry_run
        if passes and self._state is not None and not delivery.has_failed_payloads(load):
            self._pass_state(self._state)

    def _abort(self, why: str) -> None:
        code = 1 if self._settings.fail_on_abort else EXIT_CODES["aborted"]
        self._end("aborted", code, f"Nothing was loaded and nothing closed: {why}.")
        self.report.next_step = (
            "If something should have come, look at the tap's log, its filters and the scope of "
            "the Qualys account."
        )

    def _end_by(self, error: CiscoVMError) -> None:
        outcome: Outcome = "failed"
        if isinstance(error, Refused):
            outcome = "refused"
        elif isinstance(error, StillRunning):
            outcome = "still_running"
        self._end(outcome, error.exit_code, str(error))
        self.report.next_step = failed_step(self._load)

    def _end(self, outcome: Outcome, exit_code: int, message: str) -> None:
        self.report.outcome = outcome
        self.report.exit_code = exit_code
        self.report.message = message

    def _write_report(self, load: Load) -> None:
        report = self.report
        try:
            summarise(load, report)
        except (sqlite3.Error, CiscoVMError) as error:
            LOGGER.warning("The report lacks what the files could not tell: %s.", error)
        # What went wrong is said once, by the command's last line.
        lines = table(report)[1:] if report.exit_code else table(report)
        for line in lines if load.counts.received else ():
            LOGGER.info("%s", line)
        try:
            load.rejections.close()
            write_json(report, load.folder.file("report.json"))
            write_html(report, load.folder.file("report.html"))
        except (OSError, CiscoVMError) as error:
            LOGGER.warning("The report could not be written: %s", error)
        else:
            LOGGER.info("The report is %s", load.folder.file("report.html").resolve())


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for cycles less often: records have none, and it took a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
