"""Full or incremental, and from when: decided from settings, state and the server's time.

Pure: values in, values out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from qualyswas_ciscovm.dates import parse_strict, to_text

Mode = Literal["full", "incremental"]

HANGING_AFTER: Final = timedelta(days=30)
"""A scan that runs longer than this holds no bookmark back."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the state says of earlier syncs.

    Attributes:
        last_sync_at: start of the last sync that ended.
        last_full_sync_at: start of the last full one that left nothing out.
        same_filters: whether the filters are those of the last sync; None when it is not known.
        same_streams: whether the selected streams are those of the last sync; None likewise.
        has_bookmark: whether there is a bookmark to begin from.
    """

    last_sync_at: str | None
    last_full_sync_at: str | None
    same_filters: bool | None
    same_streams: bool | None
    has_bookmark: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How a sync is done.

    Attributes:
        mode: `full` when everything is read with no lower bound.
        restart: whether the bookmarks are passed over.
        why: the reason, for the log.
    """

    mode: Mode
    restart: bool
    why: str


def restart_reason(
    memory: Memory, *, full_sync: bool, has_start_date: bool, every_days: int
) -> str | None:
    """Give why the bookmarks are passed over, as far as it is known without the time of day."""
    if full_sync:
        return "full_sync is set"
    if not memory.has_bookmark and memory.last_sync_at is None:
        return "there is no earlier sync"
    if memory.same_filters is False:
        return "a filter setting has changed"
    if memory.same_streams is False:
        return "other streams are selected than last time"
    if memory.last_full_sync_at is None and every_days and not has_start_date:
        return "no full sync has been completed yet"
    return None


def needs_time(memory: Memory, *, full_sync: bool, has_start_date: bool, every_days: int) -> bool:
    """Tell whether the plan depends on the server's time."""
    known = restart_reason(
        memory, full_sync=full_sync, has_start_date=has_start_date, every_days=every_days
    )
    return known is None and every_days > 0 and not has_start_date


def make_plan(
    memory: Memory,
    *,
    full_sync: bool,
    has_start_date: bool,
    every_days: int,
    now: datetime | None,
) -> Plan:
    """Decide how to sync.

    Args:
        memory: what the state says.
        full_sync: the setting.
        has_start_date: whether `start_date` is set; then no sync is a full one.
        every_days: `full_sync_every_days`.
        now: the server's time; may be None where `needs_time` says so.
    """
    reason = restart_reason(
        memory, full_sync=full_sync, has_start_date=has_start_date, every_days=every_days
    )
    last = memory.last_full_sync_at
    if reason is None and now is not None and last and every_days and not has_start_date:
        age = now - parse_strict(last)
        if age >= timedelta(days=every_days):
            reason = f"the last complete full sync is {age.days} days old"
    if reason is None:
        return Plan("incremental", restart=False, why="what changed since the last sync")
    return Plan("incremental" if has_start_date else "full", restart=True, why=reason)


def window_start(
    bookmark: str | None,
    *,
    restart: bool,
    start_date: str | None,
    overlap_hours: int,
) -> str | None:
    """Give the moment after which rows are asked for; None for all.

    GREATER is strict, so a bound is taken one second before the moment that has to be included.
    """
    bounds: list[datetime] = []
    if start_date is not None:
        bounds.append(parse_strict(start_date) - timedelta(seconds=1))
    if bookmark is not None and not restart:
        overlap = timedelta(hours=overlap_hours) or timedelta(seconds=1)
        bounds.append(parse_strict(bookmark) - overlap)
    return to_text(max(bounds)) if bounds else None


def next_bookmark(old: str | None, greatest: str | None, *, horizon: datetime) -> str | None:
    """Give the new bookmark: never backwards, never past the horizon.

    Args:
        old: the bookmark so far.
        greatest: the greatest value that was seen.
        horizon: the moment up to which what was read is all that there is: now, or the launch of a
            scan that has not ended.
    """
    if greatest is None:
        return old
    new = to_text(min(parse_strict(greatest), horizon))
    return new if old is None else max(old, new)


def clamp(bookmark: str | None, now: datetime) -> str | None:
    """Give the bookmark, or now when it lies in the future."""
    return bookmark if bookmark is None else min(bookmark, to_text(now))
