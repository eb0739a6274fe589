"""One run of the tap: its parts put together, its end, and its `syncs` row."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.accounts import same
from qualyswas_ciscovm.dates import to_text
from qualyswas_ciscovm.plugin import package_version
from tap_qualyswas.errors import SettingsError
from tap_qualyswas.sync.bookmarks import Bookmarks
from tap_qualyswas.sync.coverage import Coverage
from tap_qualyswas.sync.cursors import Cursors
from tap_qualyswas.sync.pending_reports import PendingReports
from tap_qualyswas.sync.plan import History, Options, Planner
from tap_qualyswas.sync.proof import (
    CONTRACT,
    Circumstances,
    incomplete_reasons,
    missing_streams,
    stream_row,
)
from tap_qualyswas.sync.qids import Qids
from tap_qualyswas.sync.reader import Reader
from tap_qualyswas.sync.scope import Scope, find_scope
from tap_qualyswas.sync.tallies import Tally

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Sequence

    from qualyswas_ciscovm.accounts import Account
    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.origin import Origin
    from tap_qualyswas.sync.state import State

NEEDS: Final = {"knowledge_base": "findings", "scan_results": "scans"}
"""Streams by whose records others are found."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the catalog asks for.

    Attributes:
        streams: names of the selected streams, in their order, `syncs` left out.
        missing: properties of these that a proof needs, and that the catalog leaves out.
        full_table: whether it asks for all findings each time.
    """

    streams: tuple[str, ...]
    missing: tuple[str, ...] = ()
    full_table: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """The parts of a run, each of which alone owns what it keeps.

    Attributes:
        settings: of the run.
        client: the session to Qualys.
        origin: where the records come from: that session, or files.
        state: what earlier runs left.
        selection: what the catalog asks for.
        bookmarks: where each stream starts, and how far it may move.
        qids: those of the findings.
        pending_reports: those of the finished scans.
        reader: what the streams are read with.
        sync_id: a name for the run.
    """

    settings: Settings
    client: QualysClient
    origin: Origin
    state: State
    selection: Selection
    bookmarks: Bookmarks
    qids: Qids
    pending_reports: PendingReports
    reader: Reader
    sync_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @cached_property
    def scope(self) -> Scope:
        """The web applications of the run, resolved when they are first needed.

        Raises:
            NothingMatches: when no web application passes the filters.
        """
        settings, reader = self.settings, self.reader
        tally = next(iter(reader.tallies.values()))
        return find_scope(self.client, settings.filters, settings.page_size, tally, reader.logger)

    def end(self) -> None:
        """Remember the sync in the state: its streams have all ended."""
        history, plan = self.reader.planner.history, self.reader.planner.plan
        is_anew = plan.restart and not self.reader.cursors.resumed
        self.state.set_sync(
            started_at=self._began(),
            filters=self.settings.filters.as_state(),
            streams=self.selection.streams,
            anew=is_anew,
            full=is_anew and plan.mode == "full",
            account=self._account(),
            worked=self.client.worked,
            same=(
                history.same_filters is not False
                and history.same_streams is not False
                and self.reader.planner.is_of_same_account
            ),
        )

    def _account(self) -> Account:
        """Give the account to remember: with the name that it had, where no answer names it."""
        account, last = self.origin.account, self.state.account
        if last is None or account.subscription or not same(last, account):
            return account
        return account._replace(subscription=last.subscription)

    def _began(self) -> str:
        """Give the moment to remember: a clock that is behind moves nothing backwards."""
        told, last = to_text(self.origin.started_at()), self.state.last_sync_at
        return max(told, last) if last and self.bookmarks.clock_is_behind else told

    def row(self, emitted: Callable[[str], int]) -> Record:
        """Give the row of the `syncs` stream.

        Args:
            emitted: gives the number of records of a stream that were written.
        """
        reasons = [*self._incomplete_reasons(), *missing_streams(self.selection.streams)]
        history, plan = self.reader.planner.history, self.reader.planner.plan
        # One that begins anew with a start date is the first of a chain of its own.
        continues = plan.mode == "full" or not plan.restart
        streams: list[Json] = [
            stream_row(name, tally, emitted(name)) for name, tally in self.reader.tallies.items()
        ]
        incomplete: list[Json] = [*reasons]
        findings = self.reader.tallies.get("findings")
        since = findings.window_start if findings else None
        return {
            "syncId": self.sync_id,
            "contract": CONTRACT,
            "tapVersion": package_version(),
            "mode": plan.mode,
            "startedAt": to_text(self.origin.started_at()),
            "finishedAt": to_text(self.origin.time_now()),
            "previousSyncAt": history.last_sync_at if continues else None,
            "previousFullSyncAt": history.last_full_sync_at,
            "complete": not reasons,
            "incompleteReasons": incomplete,
            "apiUrl": self.settings.platform.api_url,
            "subscription": self.origin.subscription,
            "login": self.origin.account.login,
            "filters": self.settings.filters.as_state(),
            "coverage": self.reader.coverage.row(self.settings.filters, since),
            "streams": streams,
        }

    def _incomplete_reasons(self) -> list[str]:
        planner = self.reader.planner
        # With a start date no earlier sync is needed: it says from when on findings are read.
        is_first = planner.plan.mode == "full" or self.settings.filters.start_date is not None
        circumstances = Circumstances(
            resumed=self.reader.cursors.resumed,
            has_base=is_first or planner.history.last_full_sync_at is not None,
            evaluation=self.origin.evaluation,
            mixed=self.origin.is_mixed,
            deselected=self.selection.missing,
        )
        return incomplete_reasons(self.reader.tallies, circumstances)


def prepare_run(  # noqa: PLR0913 - the parts that a run is made of
    settings: Settings,
    client: QualysClient,
    state: State,
    selection: Selection,
    logger: logging.Logger,
    *,
    files: Origin | None = None,
) -> Run:
    """Put the parts of a run together. Nothing is sent yet.

    Args:
        settings: of the run.
        client: the session to Qualys.
        state: what earlier runs left; changed in place.
        selection: what the catalog asks for.
        logger: of the tap.
        files: that the records come from; None where they come from Qualys.

    Raises:
        SettingsError: when a later version of the tap has written the state.
    """
    state.require_known_form()
    if settings.useless:
        logger.warning(
            "Ignoring %s, which has no effect with source %s.",
            *(" and ".join(settings.useless), settings.filters.source),
        )
    client.remember(state.worked_for(client.account))
    selected = selection.streams
    options = Options(
        settings.full_sync,
        settings.full_sync_every_days,
        settings.overlap_hours,
        settings.filters.start_date,
        reads_reports=settings.filters.source != "api",
        full_table=selection.full_table,
    )
    origin = files or client
    planner = Planner(_history(state, settings, selected), options, origin, logger)
    bookmarks = Bookmarks(state, planner, origin.started_at, logger)
    cursors = Cursors(state, origin, bookmarks, logger, ignore=settings.full_sync)
    tallies = {name: Tally() for name in selected}
    return Run(
        settings=settings,
        client=client,
        origin=origin,
        state=state,
        selection=selection,
        bookmarks=bookmarks,
        qids=Qids(state, wanted="knowledge_base" in selected),
        pending_reports=PendingReports(state, wanted="scan_results" in selected),
        reader=Reader(client, planner, cursors, tallies, Coverage(), logger),
    )


def _history(state: State, settings: Settings, selected: Sequence[str]) -> History:
    streams = state.streams
    return History(
        last_sync_at=state.last_sync_at,
        last_full_sync_at=state.last_full_sync_at,
        full_sync_asked=state.full_sync_asked,
        account=state.account,
        latest=state.latest_moment(selected),
        same_filters=state.has_filters(settings.filters.as_state()),
        same_streams=all(one in streams for one in selected) if isinstance(streams, list) else None,
        has_bookmark=any(
            state.has_bookmark(name) for name in ("findings", "scans") if name in selected
        ),
    )


def require_selection(
    selected: Collection[str], logger: logging.Logger, *, reads_files: bool
) -> None:
    """Refuse a run that would read nothing, and tell of streams that would stay empty.

    Args:
        selected: names of the selected streams.
        logger: gets a line for each stream that stays empty.
        reads_files: whether records come from files, which tell of QIDs by themselves.

    Raises:
        SettingsError: when nothing is selected that can be read.
    """
    if not selected:
        msg = "No stream is selected, so nothing would be read. Select at least one."
        raise SettingsError(msg)
    if reads_files:
        return
    empty = [name for name, needed in NEEDS.items() if name in selected and needed not in selected]
    told = [
        f"{name} stays empty without {NEEDS[name]}. Select {NEEDS[name]} too." for name in empty
    ]
    if empty and not {*selected} - {*empty, "syncs"}:
        raise SettingsError(" ".join(told))
    for line in told:
        logger.warning("%s", line)
