"""Full or incremental, and from when: decided from settings, state and the server's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from qualyswas_ciscovm.accounts import same, same_view
from qualyswas_ciscovm.dates import parse_strict, to_text
from qualyswas_ciscovm.server_clock import AGREEMENT
from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    import logging

    from qualyswas_ciscovm.accounts import Account
    from tap_qualyswas.sync.origin import Origin

Mode = Literal["full", "incremental"]

GRACE: Final = timedelta(hours=1)
"""A schedule that begins some minutes early still gets its full sync on the day it is due."""


@dataclass(frozen=True, slots=True)
class History:
    """What the state tells of earlier syncs.

    Attributes:
        last_sync_at: start of the last sync that ended.
        last_full_sync_at: start of the last complete full sync.
        same_filters: whether the filters are those of the last sync; None when it is not known.
        same_streams: whether the selected streams are those of the last sync; None likewise.
        has_bookmark: whether there is a bookmark to start from.
        full_sync_asked: whether the target asked for a full sync.
        account: of the last sync; None when it is not known.
        latest: the latest moment that the state names; None when it names none.
    """

    last_sync_at: str | None
    last_full_sync_at: str | None
    same_filters: bool | None
    same_streams: bool | None
    has_bookmark: bool
    full_sync_asked: bool = False
    account: Account | None = None
    latest: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What decides between full and incremental: settings, and the catalog.

    Attributes:
        reads_reports: whether findings come from reports.
        full_table: whether the catalog asks for all findings each time.
    """

    full_sync: bool
    full_sync_every_days: int
    overlap_hours: int
    start_date: str | None
    reads_reports: bool = False
    full_table: bool = False

    def require_past(self, now: datetime) -> None:
        """Refuse a start date in the future, from which on there is nothing to read.

        Raises:
            SettingsError: when it lies there.
        """
        if self.start_date is not None and self.start_date > to_text(now):
            msg = (
                f"start_date {self.start_date} lies in the future (Qualys has {to_text(now)}), so "
                "nothing would be read. Set it to a moment that has passed."
            )
            raise SettingsError(msg)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sync is done.

    Attributes:
        mode: `full` when everything is read with no lower bound.
        restart: whether the bookmarks are ignored.
        reason: why, for the log.
    """

    mode: Mode
    restart: bool
    reason: str


def restart_reason(history: History, options: Options) -> str | None:
    """Say why the bookmarks are ignored, as far as this is known without the time."""
    lacks_full = history.last_full_sync_at is None and has_schedule(options)
    reasons = (
        (options.full_sync, "full_sync is set"),
        (options.reads_reports, "reports are always read as a whole"),
        (options.full_table, "the catalog says FULL_TABLE for the findings"),
        (history.full_sync_asked, "the target asks for it: CVM lacks something"),
        (not history.has_bookmark and history.last_sync_at is None, "there is no earlier sync"),
        (history.same_filters is False, "a filter setting has changed"),
        (history.same_streams is False, "other streams are selected than last time"),
        (lacks_full, "no full sync has been completed yet"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def has_schedule(options: Options) -> bool:
    """Tell whether full syncs are due after some days."""
    return options.full_sync_every_days > 0 and options.start_date is None


def needs_answer(history: History, options: Options) -> bool:
    """Tell whether the plan depends on the time and the account that an answer of Qualys tells."""
    return restart_reason(history, options) is None or options.start_date is not None


def make_plan(history: History, options: Options, now: datetime | None, account: Account) -> Plan:
    """Decide how to sync.

    Args:
        history: what the state tells.
        options: what the settings say.
        now: the server's time; may be None where `needs_answer` says no.
        account: that is read now.
    """
    reason = restart_reason(history, options) or _reason_of_now(history, options, now, account)
    if reason is None:
        return Plan("incremental", restart=False, reason="what changed since the last sync")
    if options.start_date is not None:  # it does not read everything
        return Plan("incremental", restart=True, reason=f"all since start_date, as {reason}")
    return Plan("full", restart=True, reason=reason)


def _reason_of_now(
    history: History, options: Options, now: datetime | None, account: Account
) -> str | None:
    if history.account is not None and not same(history.account, account):
        return "another Qualys account is read than last time"
    if history.account is not None and not same_view(history.account, account):
        return "another login is used than last time, which may see more or less of the account"
    if now is None:
        return None
    if history.latest is not None and history.latest > to_text(now + AGREEMENT):
        return f"the state names a moment in the future ({history.latest})"
    last = history.last_full_sync_at
    if last and has_schedule(options):
        age = now - parse_strict(last)
        if age >= timedelta(days=options.full_sync_every_days) - GRACE:
            return f"the last full sync was at {last}"
    return None


def window_start(bookmark: str | None, options: Options) -> str | None:
    """Give the moment after which rows are asked for; None for all of them.

    GREATER is strict, so the bound lies one second before the first moment to include.

    Args:
        bookmark: the bookmark of the stream; None when there is none, or it is ignored.
        options: what the settings say.
    """
    bounds: list[datetime] = []
    if options.start_date is not None:
        bounds.append(parse_strict(options.start_date) - timedelta(seconds=1))
    if bookmark is not None:
        overlap = timedelta(hours=options.overlap_hours) or timedelta(seconds=1)
        bounds.append(parse_strict(bookmark) - overlap)
    return to_text(max(bounds)) if bounds else None


def next_bookmark(old: str | None, greatest: str | None, *, horizon: datetime) -> str | None:
    """Give the new bookmark: never backwards, never past the horizon.

    Args:
        old: the bookmark so far.
        greatest: the greatest value that was read.
        horizon: the moment up to which everything has been read.
    """
    if greatest is None:
        return old
    new = to_text(min(parse_strict(greatest), horizon))
    return new if old is None else max(old, new)


class Planner:
    """Makes the plan of a run when it is first needed, as it may have to ask for the time.

    Args:
        history: what the state tells.
        options: what the settings say.
        origin: asked for the server's time.
        logger: gets the plan, in one line.
    """

    def __init__(
        self, history: History, options: Options, origin: Origin, logger: logging.Logger
    ) -> None:
        self.history = history
        self.options = options
        self._origin = origin
        self._logger = logger

    @property
    def is_ready(self) -> bool:
        """Whether the plan can be made without a call that only asks for the time."""
        return self._origin.knows_time or not needs_answer(self.history, self.options)

    @property
    def is_of_same_account(self) -> bool:
        """Whether account and login are those of the last sync, as far as they are known."""
        last = self.history.account
        return last is None or same_view(last, self._origin.account)

    @cached_property
    def plan(self) -> Plan:
        """The plan.

        Raises:
            SettingsError: when the start date lies in the future.
        """
        now = self._origin.started_at() if needs_answer(self.history, self.options) else None
        if now is not None:
            self.options.require_past(now)
        plan = make_plan(self.history, self.options, now, self._origin.account)
        self._logger.info("%s sync: %s.", plan.mode.capitalize(), plan.reason)
        return plan
