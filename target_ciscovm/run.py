"""A load, stage by stage: look, read, plan, write, guard, send, wait, settle, report."""

from __future__ import annotations

import gc
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import msgspec

from qualyswas_ciscovm.errors import Interrupted
from qualyswas_ciscovm.wording import counted, cut, one_line
from target_ciscovm.apply import pending
from target_ciscovm.apply.delivery import Way
from target_ciscovm.apply.files import keys_of, write_files
from target_ciscovm.apply.preflight import OVERAGE, connect, look
from target_ciscovm.apply.uploads import STILL_TOO_LARGE, TOO_LARGE
from target_ciscovm.audit import catching_up
from target_ciscovm.audit.asking import Inquiry
from target_ciscovm.conclusion import announce, conclude, pass_on
from target_ciscovm.errors import CiscoVMError, LimitReached, SettingsError, TooManyRejected
from target_ciscovm.intake.arrivals import Arrivals
from target_ciscovm.intake.counts import FINDINGS, Counts, rejection_problem
from target_ciscovm.intake.future_dates import NOTE as FUTURE_DATES
from target_ciscovm.intake.future_dates import bring_to_now
from target_ciscovm.intake.intake import Intake, IntakeRules
from target_ciscovm.intake.received import Received
from target_ciscovm.intake.rejections import Rejections
from target_ciscovm.intake.spool import Spool
from target_ciscovm.kdi.files import Files
from target_ciscovm.ledger.ledger import Ledger, home_of
from target_ciscovm.ledger.soundness import blaming
from target_ciscovm.mapping.asset import AssetRules
from target_ciscovm.output.folders import LEAST_ROOM, require_disk, run_folder, writing_in
from target_ciscovm.output.lock import connector_lock
from target_ciscovm.output.private_files import private_folder
from target_ciscovm.output.timing import Stages, Ticker
from target_ciscovm.plan import identity
from target_ciscovm.plan.accounting import account_for
from target_ciscovm.plan.decisions import renamed_while_open
from target_ciscovm.plan.guard import NEVER_STOP, guard
from target_ciscovm.plan.moments import believed, clocks_apart, present
from target_ciscovm.plan.plan import Tenant, balance_of, make_plan
from target_ciscovm.plan.proof import INCREMENTAL
from target_ciscovm.plan.sources import (
    count_kept,
    missing_for_tags,
    place_findings,
    read_sources,
)
from target_ciscovm.report import endings
from target_ciscovm.report.changes import write_changes
from target_ciscovm.report.facts import Facts
from target_ciscovm.report.model import Report
from target_ciscovm.report.planned import planned
from target_ciscovm.sending import send
from target_ciscovm.watching.kept_runs import remove_old

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from target_ciscovm.apply.files import Written
    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.mapping.records import Finding, Record
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.report.endings import Ending
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)

LOOK_EVERY: Final = 20_000
"""Records between two looks at the disk and the clock."""
NEW_OBJECTS: Final = 50_000
"""Objects between two looks for cycles: records have none, and it took a tenth of the time."""
STREAM_NAME: Final = 60
"""Characters of a foreign stream's name in the log."""
LONGEST_KEY: Final = 200
"""Characters of an asset's key in a message."""
NOWHERE: Final = "nothing in it tells an asset: no value for any of locator_order"
RESET_WARNING: Final = (
    "reset_tags wipes all tags of the assets in this load, those set by hand too, and creates "
    "Qualys's anew."
)


class _Place(msgspec.Struct, frozen=True):
    """Where a load works."""

    folder: RunFolder
    spool: Spool
    ledger: Ledger
    rejections: Rejections


class Run:
    """One run, from the first look at CVM to the report.

    Attributes:
        report: filled at the end.
        folder: of the run; None before it has begun.
        counts: what became of each record.
        arrivals: what arrived, before any stream map.
        facts: what the stages have found so far.

    Args:
        settings: of the target.
        pass_state: is given the state's value once the load is safe.
    """

    def __init__(self, settings: Settings, pass_state: Callable[[bytes], None]) -> None:
        self.report = Report(
            data_model=settings.data_model, destination=settings.destination, exit_code=1
        )
        self.folder: Path | None = None
        self.counts = Counts()
        self.arrivals = Arrivals()
        self._settings = settings
        self._pass_state = pass_state
        self._state: bytes | None = None
        self._intake: Intake | None = None
        self._spool: Spool | None = None
        self._ticker = Ticker()
        self._stages = Stages()
        self.facts = Facts(settings, self.counts, self._stages)

    def execute(self, read: Callable[[], None]) -> Report:
        """Load what `read` hands to `take` and `keep_state`.

        Returns:
            The report, which has been written into the run's folder.

        Raises:
            CiscoVMError: when not even a folder for the report can be made.
        """
        settings = self._settings
        gc.set_threshold(NEW_OBJECTS)
        with (
            run_folder(settings.output_path) as folder,
            writing_in(folder.path),
            ExitStack() as stack,
        ):
            self.folder = folder.path
            stack.enter_context(self._stages)
            rejections = Rejections(folder.file("rejected.jsonl"))
            stack.callback(rejections.close)
            spool = self._spool = stack.enter_context(Spool(folder.spool / "records.db"))
            ledger = stack.enter_context(Ledger(settings.ledger_path, home_of(settings)))
            place = _Place(folder, spool, ledger, rejections)
            self.note(folder=folder)
            ending = self._ending(place, stack, read)
            conclude(self.report, ending, self.facts, ledger, rejections)
            # While this run holds its folder, which is then safe from its own tidying.
            removal = remove_old(settings)
            for name, cause in removal.failed.items():
                LOGGER.warning("Old run folder %s could not be removed: %s.", name, cause)
            pass_on(self.report, ending.state_of(self._state), self._pass_state)
        announce(self.report, self.folder, settings)
        return self.report

    def take(self, line: int, stream: str, raw: bytes, record: Record | None = None) -> None:
        """Take one record, as it is in its line, and as its type where it was read already.

        Raises:
            DiskFull: when there is no room for it.
        """
        if self._intake is None or self._spool is None:
            msg = "records are taken while the run reads"
            raise ValueError(msg)
        self._intake.take(line, stream, raw, record)
        if line % LOOK_EVERY == 0:
            self._look_around(self._spool)

    def take_findings(self, line: int, findings: Sequence[Finding]) -> None:
        """Take findings that are read already, of this line and those after it.

        Raises:
            DiskFull: when there is no room for them.
        """
        if self._intake is None or self._spool is None:
            msg = "records are taken while the run reads"
            raise ValueError(msg)
        self.arrivals.add_findings(findings)
        self._intake.take_findings(line, findings)
        if (line + len(findings) - 1) // LOOK_EVERY > (line - 1) // LOOK_EVERY:
            self._look_around(self._spool)

    def _look_around(self, spool: Spool) -> None:
        require_disk(spool.path.parent, spool.size + LEAST_ROOM)
        received = self.counts.received
        self._ticker.tick(
            "received %s findings, %s records in all so far",
            f"{received[FINDINGS]:,}",
            f"{received.total():,}",
        )

    def compare(self, stream: str, record: bytes, mapped: Sequence[tuple[str, bytes]]) -> None:
        """Take note of what stream maps have made of a record."""
        if self._intake is not None:
            self._intake.compare(stream, record, mapped)

    def keep_state(self, value: bytes) -> None:
        """Keep a state to be passed on when the load is safe."""
        self._state = value

    def note_unknown(self, kind: str) -> None:
        """Count a message of a type that means nothing here."""
        self.counts.unknown_messages += 1
        self.counts.note(f"message of unknown type {kind[:40]}: passed over")

    def note(self, **found: Any) -> None:  # noqa: ANN401 - each is of the type that Facts names
        """Keep what a stage has found for the report."""
        self.facts = msgspec.structs.replace(self.facts, **found)

    def warn(self, text: str) -> None:
        """Warn, in the log and in the report."""
        text = one_line(text)
        LOGGER.warning("%s", text)
        self.note(warnings=(*self.facts.warnings, text))

    def _ending(self, place: _Place, stack: ExitStack, read: Callable[[], None]) -> Ending:
        try:
            with writing_in(place.folder.path), blaming(place.ledger.path):
                ending = self._carry_out(place, stack, read)
        except CiscoVMError as error:
            ending = endings.by_error(error, self.facts)
        except Interrupted as stop:
            ending = endings.by_signal(stop, self.facts)
        return endings.noticing_silence(ending, self.facts, place.ledger)

    def _carry_out(self, place: _Place, stack: ExitStack, read: Callable[[], None]) -> Ending:
        with self._stages.stage("looking at the connector"):
            api, place = self._look(place, stack)
        with self._stages.stage("reading"):
            intake = self._read(place, read)
        if not self.counts.received.total():
            return endings.aborted(endings.NO_RECORD, self.facts)
        if api is not None:
            place = self._catch_up(place, api, stack)
        require_disk(place.folder.path, place.spool.size + LEAST_ROOM)
        with self._stages.stage("planning"):
            received = self._receive(place, intake)
            written = self._plan_and_write(place, received)
        if endings.is_no_report(received):
            return endings.aborted(endings.NO_REPORT, self.facts)
        if api is not None and not self._settings.dry_run:
            send(self, self._way(place, api, received), written, received.sync)
        return endings.loaded(self.facts, place.ledger)

    def _look(self, place: _Place, stack: ExitStack) -> tuple[CiscoVMClient | None, _Place]:
        """Give the client, None without a login, and the ledger as CVM tells it."""
        settings = self._settings
        require_disk(place.folder.path, LEAST_ROOM)
        api = None
        if settings.login is not None:
            home = settings.ledger_path.parent if settings.ledger_path else settings.output_path
            private_folder(home, "output_path" if home == settings.output_path else "ledger_path")
            stack.enter_context(connector_lock(home, str(settings.login.connector_id)))
            api = connect(settings.login, settings.retry_policy)
            opening = look(api)
            self.note(
                opening=opening,
                tenant=Tenant(opening.now, opening.first_run, opening.overage),
                api_url=api.api_url,
            )
            if opening.overage:
                self.note(warnings=(*self.facts.warnings, OVERAGE))
            if not settings.dry_run:
                place.ledger.require_writable()
            if place.ledger.pending:
                place = self._changeable(place, stack)
                pending.look_up(place.ledger, api.runs())
        self._refuse_identity_change(place.ledger)
        if settings.reset_tags:
            self.warn(RESET_WARNING)
        return (api, place)

    def _changeable(self, place: _Place, stack: ExitStack) -> _Place:
        """Give the ledger to be brought up to date; a dry run does so with a copy."""
        path = place.folder.spool / "ledger.db"
        if not self._settings.dry_run or place.ledger.path == path:
            return place
        ledger = stack.enter_context(place.ledger.copied(path))
        return msgspec.structs.replace(place, ledger=ledger)

    def _refuse_identity_change(self, ledger: Ledger) -> None:
        """Refuse a changed setting at once; a changed source is seen when the input has ended.

        Raises:
            SettingsError: when it would make what is open anew.
        """
        settings = self._settings
        now = identity.identity_text(settings.identity, settings.data_model)
        change = identity.changed(ledger.identity or {}, now)
        count = ledger.open_count() if change else 0
        if count and not settings.accept_identity_change:
            raise SettingsError(identity.problem(change, count), identity.accepting(change))

    def _read(self, place: _Place, read: Callable[[], None]) -> Intake:
        settings = self._settings
        rules = IntakeRules(settings.identity, settings.mapping, settings.filters)
        intake = self._intake = Intake(place.spool, place.rejections, self.counts, rules)
        read()
        place.spool.flush()
        self.note(sync=intake.sync)
        for stream, count in self.counts.foreign.items():
            name, records = cut(stream, STREAM_NAME), counted(count, "record")
            LOGGER.info(
                "Ignored %s of the stream %s, which is not one of Qualys WAS.", records, name
            )
        if unknown := self.counts.unknown_messages:
            were = "was" if unknown == 1 else "were"
            messages = counted(unknown, "message")
            LOGGER.info("%s of unknown types %s passed over.", messages, were)
        return intake

    def _catch_up(self, place: _Place, api: CiscoVMClient, stack: ExitStack) -> _Place:
        """Bring the ledger up to runs that it does not know."""
        reason = catching_up.why(place.ledger, self.facts.runs_before)
        if reason is None:
            return place
        place = self._changeable(place, stack)
        with self._stages.stage("catching up"):
            inquiry = Inquiry(api, self._settings, place.ledger, place.folder.spool)
            self.warn(catching_up.caught_up(inquiry, reason))
        return place

    def _receive(self, place: _Place, intake: Intake) -> Received:
        """Give what has arrived, the last row of each key, and each finding at its asset.

        Raises:
            LimitReached: when too much was rejected.
        """
        place.spool.supersede()
        count_kept(place.spool, self.counts)
        sync = believed(intake.sync, self.facts.tenant.now)
        now = present(sync, self.facts.tenant.now)
        if now is not None and (count := bring_to_now(place.spool, now)):
            self.counts.notes[FUTURE_DATES] += count
        sources = read_sources(place.spool, now)
        for text in missing_for_tags(sources, self._settings.tags):
            self.warn(text)
        apps = intake.references.apps
        rules = self._settings.identity
        for number, identifier in place_findings(place.spool, sources, apps, rules):
            self._reject_late(place, number, identifier, NOWHERE)
        self._require_few_rejections()
        return Received(
            sync,
            self.arrivals,
            intake.proof_is_last,
            intake.lost,
            intake.references,
            sources,
            clocks_apart(intake.sync, self.facts.tenant.now),
        )

    def _plan_and_write(self, place: _Place, received: Received) -> Written:
        """Decide what is to be done, and write it into files.

        Raises:
            LimitReached: when too much was rejected, or too much would be closed.
        """
        settings, spool = self._settings, place.spool
        plan = make_plan(spool, received, place.ledger, settings, self.facts.tenant)
        account_for(self.counts, self.arrivals, plan.decided)
        if place.ledger.path is not None:  # without one, nobody knows what is a change
            self.note(changes=write_changes(spool, plan, place.folder))
        rules = AssetRules(
            settings.identity,
            settings.tags,
            settings.reset_tags,
            settings.ignore_scanner_last_seen,
        )
        files = Files(place.folder.path, settings.part_max_bytes, plan.catalogue.json)
        written = write_files(spool, plan, received.references, rules, files)
        place.rejections.flush()
        if plan.renamed and self.facts.plan is None:
            self.warn(endings.renamed(plan.renamed))
        if self.facts.plan is None and (count := renamed_while_open(spool)):
            self.warn(endings.renamed_by_maps(count))
        limit = settings.part_max_bytes
        large = [keys_of(spool, part)[0] for part in written.parts if part.bytes > limit]
        if self.facts.plan is None and large:
            self.warn(endings.assets_above(limit, large))
        self.note(plan=plan, planned=planned(spool, plan), parts=tuple(written.parts))
        # Only now: a load that is stopped has a list of its changes, and a report that adds up.
        self._require_few_rejections()
        if problem := guard(balance_of(plan, place.folder.path), settings.max_close_percent):
            raise LimitReached(problem, NEVER_STOP)
        return written

    def _way(self, place: _Place, api: CiscoVMClient, received: Received) -> Way:
        return Way(
            api,
            place.ledger,
            place.spool,
            self._settings.run_timeout_seconds,
            lambda: self._plan_and_write(place, received),
            lambda keys: self._refuse(place, keys),
            self.warn,
        )

    def _refuse(self, place: _Place, keys: Sequence[str]) -> None:
        """Take assets out of the load that are too large for CVM.

        Raises:
            LimitReached: when one of them was made smaller already.
        """
        for key in keys:
            if place.spool.number("SELECT COUNT(*) FROM refused WHERE asset = ?", (key,)):
                msg = f"Nothing was run in CVM: of {cut(key, LONGEST_KEY)}, {STILL_TOO_LARGE}"
                raise LimitReached(msg)
            rows = place.spool.execute(
                "SELECT finding, identifier FROM decision WHERE asset = ? AND action = 'open'",
                (key,),
            ).fetchall()
            for number, identifier in rows:
                self._reject_late(place, number, identifier, TOO_LARGE)
            place.spool.insert("refused", [(key,)], 1)

    def _reject_late(self, place: _Place, number: int, identifier: str, reason: str) -> None:
        self.counts.reject_late(FINDINGS, reason)
        line = self._intake.lines.of(number) if self._intake else 0
        place.rejections.write(line, FINDINGS, identifier, reason)

    def _require_few_rejections(self) -> None:
        sync = self.facts.sync
        problem = rejection_problem(
            self.counts,
            self._settings.max_failed_percent,
            incremental=sync is not None and sync.mode == INCREMENTAL,
        )
        if problem:
            raise TooManyRejected(problem)
