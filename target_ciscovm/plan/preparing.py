"""From what arrived to a plan: sources read, findings placed, the proof judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import days_before, parse, to_text, to_utc
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.mapping import records
from target_ciscovm.mapping.asset import Sources
from target_ciscovm.mapping.catalogue import Catalogue
from target_ciscovm.mapping.locators import Place, asset_key, place_of
from target_ciscovm.mapping.scans_seen import latest
from target_ciscovm.plan import closures, joins
from target_ciscovm.plan.closing import Read
from target_ciscovm.plan.proof import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from target_ciscovm.intake.counts import Counts
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.mapping.locators import Identity
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.plan.build import Plan

NAME_OF_QID: Final = re.compile(r"QID (\d+)(?: |$)")
INACTIVE: Final = "asset_inactivity_days"
WEBAPP_FILTERS: Final = ("webapp_ids", "webapp_tag_ids", "webapp_name_contains")
"""Filters of the tap, by the names that its row of `syncs` gives them."""


@dataclass(frozen=True)
class Closable:
    """What the plan has to know of closing.

    Attributes:
        lost: ids of web applications whose own row was rejected.
        close_deleted: the setting `close_deleted_webapps`.
    """

    lost: frozenset[int] = frozenset()
    close_deleted: bool = False


def count_kept(spool: Spool, counts: Counts) -> None:
    """Tell the counts how many rows the spool holds."""
    counts.kept[FINDINGS] = spool.number("SELECT COUNT(*) FROM finding")
    for stream, count in spool.execute("SELECT stream, COUNT(*) FROM other GROUP BY stream"):
        counts.kept[stream] = count


def read_sources(spool: Spool) -> Sources:
    """Read web applications and the latest finished scan of each."""
    decode = msgspec.json.Decoder(records.WebApp).decode
    webapps = {app.id: app for raw in spool.rows("webapps") if (app := decode(raw)).id is not None}
    scan = msgspec.json.Decoder(records.Scan).decode
    return Sources(webapps, latest(scan(raw) for raw in spool.rows("scans")))


def read_catalogue(spool: Spool, *, has_ledger: bool) -> Catalogue:
    """Read the knowledge base, and the names that were last sent."""
    decode = msgspec.json.Decoder(records.KnowledgeBaseEntry).decode
    entries = [decode(raw) for raw in spool.rows("knowledge_base")]
    return Catalogue(entries, dict(_sent_names(spool)) if has_ledger else {})


def _sent_names(spool: Spool) -> Iterator[tuple[int, str]]:
    for (name,) in spool.execute("SELECT DISTINCT name FROM ledger.entry ORDER BY name"):
        if match := NAME_OF_QID.match(name):
            yield (int(match[1]), name)


def place_findings(
    spool: Spool, sources: Sources, apps: Sequence[records.WebAppRef], identity: Identity
) -> list[str]:
    """Find the asset of findings that only the web application's own row can tell.

    Args:
        spool: with the findings.
        sources: rows of web applications.
        apps: web applications as the findings name them, by number.
        identity: how assets are told apart.

    Returns:
        Identifiers of those without any asset, which are not in the spool any more.
    """
    rows = spool.execute(
        "SELECT rowid, identifier, url, app FROM finding WHERE asset IS NULL"
    ).fetchall()
    nowhere = []
    for rowid, identifier, url, app in rows:
        key = asset_key(_place(url, None if app is None else apps[app], sources), identity)
        if key is not None:
            spool.execute("UPDATE finding SET asset = ? WHERE rowid = ?", (key, rowid))
            continue
        nowhere.append(identifier)
        spool.execute("DELETE FROM finding WHERE rowid = ?", (rowid,))
    return nowhere


def _place(url: str | None, named: records.WebAppRef | None, sources: Sources) -> Place:
    place = place_of(url, named)
    app = sources.webapps.get(place.webapp_id) if place.webapp_id is not None else None
    if app is None:
        return place
    return Place(place.url or app.url, place.webapp_id, place.webapp_name or app.name)


def inactive_webapps(
    sources: Sources, sync: Sync | None, now: datetime | None, days: int
) -> frozenset[int]:
    """Give the web applications that no scan has finished on for so long; none but in full syncs.

    One without any finished scan is kept: nothing tells when it was seen.
    """
    if not days or now is None or sync is None or sync.mode != FULL:
        return frozenset()
    limit = to_text(days_before(now, days))
    return frozenset(number for number, scan in sources.scans.items() if scan.seen < limit)


def what_was_read(
    sync: Sync | None, sources: Sources, inactive: frozenset[int], closable: Closable
) -> Read:
    """Tell which web applications the sync has read to the end."""
    not_proven = frozenset(sync.not_proven if sync else ())
    listed = frozenset(sources.webapps) | closable.lost
    filters = (sync.filters if sync else None) or {}
    return Read(
        listed - closable.lost - not_proven - inactive,
        listed | not_proven,
        whole_account=sync is not None and not any(filters.get(name) for name in WEBAPP_FILTERS),
        close_deleted=closable.close_deleted,
    )


def join_ledger(spool: Spool, plan: Plan, sync: Sync | None) -> None:
    """Hold the findings against the ledger: what is fixed, what moved, what must stay open."""
    joins.leave_out(spool, plan.inactive, INACTIVE)
    if not plan.has_ledger:
        joins.mark_fixed_before(spool, _window_start(sync) if plan.fresh else None)
        return
    if not plan.fresh:
        joins.mark_outdated(spool)
    joins.mark_fixed(spool)
    if plan.now:
        closures.find_moved(spool)
    known = joins.webapps_before(spool) | set(plan.read.listed)
    closures.hold_assets(spool, (number for number in known if plan.read.may_close(number)))


def _window_start(sync: Sync | None) -> str | None:
    streams = sync.streams if sync else ()
    return to_utc(next((one.window_start for one in streams if one.stream == FINDINGS), None))


def previous_sync(sync: Sync | None) -> str | None:
    """Give when the sync before this one began, None when this one read everything."""
    if sync is None or sync.mode == FULL:
        return None
    moment = parse(sync.previous_sync_at)
    return None if moment is None else to_text(moment)
