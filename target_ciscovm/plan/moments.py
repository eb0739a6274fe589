"""What time it is for a load, and which beginning of a sync is believed. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import parse, to_text

if TYPE_CHECKING:
    from target_ciscovm.mapping.records import Sync

CLOCKS_APART: Final = timedelta(days=1)
"""So far the clocks of two servers may be apart."""
BEGUN_TOGETHER: Final = timedelta(minutes=10)


def believed(sync: Sync | None, now: datetime | None) -> Sync | None:
    """Give the row of `syncs`, without a beginning that lies in the future.

    What such a sync has sent would count as later than every sync to come.

    Args:
        sync: the row.
        now: CVM's time, None where nobody told it.
    """
    if sync is None or clocks_apart(sync, now) is None:
        return sync
    return msgspec.structs.replace(sync, started_at=None)


def clocks_apart(sync: Sync | None, now: datetime | None) -> str | None:
    """Say that a sync began later than can be, None where it did not: a clock must be wrong."""
    started = parse(sync.started_at) if sync else None
    if now is None or started is None or started <= now + CLOCKS_APART:
        return None
    return (
        f"the sync began at {to_text(started)} by the clock of Qualys, and by the clock of CVM it "
        f"is {to_text(now)}: one of them, or that of a proxy between, has to be set right"
    )


def is_ahead(sync: Sync | None, now: datetime | None) -> bool:
    """Tell whether a sync began later than it is at CVM: its beginning tells no order then.

    Some minutes do not count. The target asks CVM for its time as soon as it starts, and the tap
    begins its sync beside it.
    """
    started = parse(sync.started_at) if sync else None
    return started is not None and now is not None and started > now + BEGUN_TOGETHER


def present(sync: Sync | None, now: datetime | None) -> str | None:
    """Give the time of a load: CVM's or that of Qualys, the later one; None where nobody told it.

    Args:
        sync: the row of `syncs`, as it is believed.
        now: CVM's time.
    """
    started = parse(sync.started_at) if sync else None
    known = [moment for moment in (started, now) if moment is not None]
    return to_text(max(known)) if known else None
