"""Full or incremental, and from when: decided from settings, state and the server's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from qualyswas_ciscovm.dates import parse_strict, to_text
from qualyswas_ciscovm.wording import counted

if TYPE_CHECKING:
    import logging

    from tap_qualyswas.qualys.client import QualysClient

Mode = Literal["full", "incremental"]


@dataclass(frozen=True, slots=True)
class History:
    """What the state tells of earlier syncs.

    Attributes:
        last_sync_at: start of the last sync that ended.
        last_full_sync_at: start of the last complete full sync.
        same_filters: whether the filters are those of the last sync; None when it is not known.
        same_streams: whether the selected streams are those of the last sync; None likewise.
        has_bookmark: whether there is a bookmark to start from.
    """

    last_sync_at: str | None
    last_full_sync_at: str | None
    same_filters: bool | None
    same_streams: bool | None
    has_bookmark: bool


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that decide between full and incremental."""

    full_sync: bool
    full_sync_every_days: int
    overlap_hours: int
    start_date: str | None


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
    if options.full_sync:
        return "full_sync is set"
    if not history.has_bookmark and history.last_sync_at is None:
        return "there is no earlier sync"
    if history.same_filters is False:
        return "a filter setting has changed"
    if history.same_streams is False:
        return "other streams are selected than last time"
    if history.last_full_sync_at is None and has_schedule(options):
        return "no full sync has been completed yet"
    return None


def has_schedule(options: Options) -> bool:
    """Tell whether full syncs are due after some days."""
    return options.full_sync_every_days > 0 and options.start_date is None


def needs_time(history: History, options: Options) -> bool:
    """Tell whether the plan depends on the server's time."""
    return has_schedule(options) and restart_reason(history, options) is None


def make_plan(history: History, options: Options, now: datetime | None) -> Plan:
    """Decide how to sync.

    Args:
        history: what the state tells.
        options: what the settings say.
        now: the server's time; may be None where `needs_time` says no.
    """
    reason = restart_reason(history, options)
    last = history.last_full_sync_at
    if reason is None and now is not None and last and has_schedule(options):
        age = now - parse_strict(last)
        if age >= timedelta(days=options.full_sync_every_days):
            reason = f"the last complete full sync is {counted(age.days, 'day')} old"
    if reason is None:
        return Plan("incremental", restart=False, reason="what changed since the last sync")
    # A sync with a start date does not read everything.
    mode: Mode = "full" if options.start_date is None else "incremental"
    return Plan(mode, restart=True, reason=reason)


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
        client: asked for the server's time.
        logger: gets the plan, in one line.
    """

    def __init__(
        self, history: History, options: Options, client: QualysClient, logger: logging.Logger
    ) -> None:
        self.history = history
        self.options = options
        self._client = client
        self._logger = logger

    @property
    def is_ready(self) -> bool:
        """Whether the plan can be made without a call that only asks for the time."""
        return self._client.knows_time or not needs_time(self.history, self.options)

    @cached_property
    def plan(self) -> Plan:
        """The plan."""
        now = self._client.started_at() if needs_time(self.history, self.options) else None
        plan = make_plan(self.history, self.options, now)
        self._logger.info("%s sync: %s.", plan.mode.capitalize(), plan.reason)
        return plan
