"""What a proven load has read to its end; nothing else may be called gone because of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from qualyswas_ciscovm.dates import days_before, parse, to_text, to_utc
from target_ciscovm.intake.intake import Lost
from target_ciscovm.mapping.records import LETTERS

if TYPE_CHECKING:
    from datetime import datetime

    from target_ciscovm.mapping.asset import Sources
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.plan.proof import Verdict

DELETED_AFTER_DAYS = 1


class Coverage(msgspec.Struct, frozen=True):
    """What a load covers, and where it stands.

    Attributes:
        proven: whether anything may be called gone.
        account: number of the Qualys account; None where it is not known.
        source: the tap's `source`.
        started: beginning of the sync; None where no sync told it.
        types: letters of the finding types that were walked to their end.
        webapps: web applications that were read to their end.
        listed: all that Qualys was seen to have.
        unsettled: those of which something is known to be missing: not proven, changed, or a record
            of theirs rejected.
        inactive: those that `asset_inactivity_days` leaves out.
        whole_account: whether no filter of web applications was set.
    """

    proven: bool = False
    account: int | None = None
    source: str | None = None
    started: str | None = None
    types: frozenset[str] = frozenset()
    webapps: frozenset[int] = frozenset()
    listed: frozenset[int] = frozenset()
    unsettled: frozenset[int] = frozenset()
    inactive: frozenset[int] = frozenset()
    whole_account: bool = False


class Bounds(msgspec.Struct, frozen=True):
    """What narrows a coverage beside the row of `syncs` itself.

    Attributes:
        account: number of the Qualys account; None where it is not known.
        lost: what rejected records may have told of.
        inactive: web applications that are left out.
        close_gone: whether anything may be called gone at all, by the settings.
    """

    account: int | None = None
    lost: Lost = msgspec.field(default_factory=Lost)
    inactive: frozenset[int] = frozenset()
    close_gone: bool = True


def coverage_of(sync: Sync | None, verdict: Verdict, sources: Sources, bounds: Bounds) -> Coverage:
    """Give what a load covers.

    Args:
        sync: the row of `syncs`.
        verdict: what it proves.
        sources: rows of web applications.
        bounds: what narrows it.
    """
    account = bounds.account
    told = sync.coverage if sync else None
    if sync is None or told is None:
        return Coverage(account=account, started=to_utc(sync.started_at) if sync else None)
    apps = told.web_apps
    unsettled = {*bounds.lost.webapps}
    if apps is not None:
        unsettled |= {*(apps.not_proven or ()), *(apps.changed or ())}
    listed = frozenset(sources.webapps)
    may_close = bounds.close_gone and account is not None and not bounds.lost.unknown
    return Coverage(
        proven=verdict.proven and may_close,
        account=account,
        source=(told.source or "").strip() or None,
        started=to_utc(sync.started_at),
        types=frozenset(LETTERS[name] for name in told.finding_types or () if name in LETTERS),
        webapps=listed - unsettled - bounds.inactive,
        listed=listed,
        unsettled=frozenset(unsettled),
        inactive=bounds.inactive,
        whole_account=told.whole_account is True,
    )


def inactive_webapps(
    sources: Sources, sync: Sync | None, now: datetime | None, days: int
) -> frozenset[int]:
    """Give the web applications that no scan has worked on for so long; none but in full syncs.

    One without any such scan is kept: nothing tells when it was seen.
    """
    if not days or now is None or sync is None or sync.mode != "full":
        return frozenset()
    limit = to_text(days_before(now, days))
    return frozenset(number for number, scan in sources.scans.items() if scan.seen < limit)


def a_day_before(started: str) -> str:
    """Give the moment before which a web application must have been missing to count as deleted."""
    moment = parse(started)
    return started if moment is None else to_text(days_before(moment, DELETED_AFTER_DAYS))
