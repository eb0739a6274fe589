"""What a load is planned from: web applications, scans, the knowledge base, places of findings."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import parse, to_text
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.ledger.tables import DEFINITION
from target_ciscovm.mapping import records
from target_ciscovm.mapping.asset import Sources
from target_ciscovm.mapping.catalogue import Catalogue
from target_ciscovm.mapping.definition import qid_of
from target_ciscovm.mapping.locators import Place, asset_key, last_key, place_of
from target_ciscovm.mapping.scans_seen import latest
from target_ciscovm.mapping.tag_tree import TagTree
from target_ciscovm.mapping.urls import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.intake.counts import Counts
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.mapping.locators import Identity
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.mapping.tags import TagRules

NO_TREE: Final = (
    "tag_ancestors and tag_paths need the tap's stream tags, of which no record came: tags are "
    "sent by their names alone. Add that stream to those that the tap reads, with an account that "
    "may read tags."
)
NO_ATTRIBUTES: Final = (
    "attribute_tags is set, but no web application came with its custom attributes. Set the tap's "
    "webapp_details to true."
)
REMEMBERED: Final = "SELECT value FROM ledger.meta WHERE key = ?"
INACTIVE: Final = "asset_inactivity_days"
LEAVE_OUT: Final = """
UPDATE finding_row SET filter = ?
WHERE state = 'open' AND webapp IN (SELECT value FROM json_each(?))
"""


def count_kept(spool: Spool, counts: Counts) -> None:
    """Tell the counts how many rows the spool holds."""
    counts.kept[FINDINGS] = spool.number("SELECT COUNT(*) FROM finding_row")
    for stream, count in spool.execute("SELECT stream, COUNT(*) FROM other GROUP BY stream"):
        counts.kept[stream] = count


def read_sources(spool: Spool, now: str | None) -> Sources:
    """Read web applications, the latest scan of each (none later than now), and all tags."""
    decode = msgspec.json.Decoder(records.WebApp).decode
    webapps = {app.id: app for raw in spool.rows("webapps") if (app := decode(raw)).id is not None}
    scan = msgspec.json.Decoder(records.Scan).decode
    tag = msgspec.json.Decoder(records.TagNode).decode
    tree = TagTree(tag(raw) for raw in spool.rows("tags"))
    return Sources(webapps, latest((scan(raw) for raw in spool.rows("scans")), now), tree)


def missing_for_tags(sources: Sources, rules: TagRules) -> Iterator[str]:
    """Say what is missing for the tags that the settings want."""
    if rules.need_tree and not sources.tree.is_known:
        yield NO_TREE
    apps = sources.webapps.values()
    if rules.attributes and not rules.skip and apps and all(a.attributes is None for a in apps):
        yield NO_ATTRIBUTES


def read_catalogue(spool: Spool) -> Catalogue:
    """Read the knowledge base, and the names and definitions that were last sent."""
    decode = msgspec.json.Decoder(records.KnowledgeBaseEntry).decode
    entries = [decode(raw) for raw in spool.rows("knowledge_base")]
    return Catalogue(entries, dict(_sent_names(spool)), partial(_remembered, spool))


def _remembered(spool: Spool, name: str) -> bytes | None:
    row = spool.execute(REMEMBERED, (f"{DEFINITION}{name}",)).fetchone()
    return row[0].encode() if row else None


def _sent_names(spool: Spool) -> Iterator[tuple[int, str]]:
    for (name,) in spool.execute("SELECT DISTINCT name FROM ledger.entry ORDER BY sent_at, name"):
        if (qid := qid_of(name)) is not None:
            yield (qid, name)


def place_findings(
    spool: Spool, sources: Sources, apps: Sequence[records.WebAppRef], identity: Identity
) -> list[tuple[int, str]]:
    """Find the asset of findings that only the web application's own row can tell.

    Args:
        spool: with the findings.
        sources: rows of web applications.
        apps: web applications as the findings name them, by number.
        identity: how assets are told apart.

    Returns:
        Numbers and identifiers of those without any asset, which are not in the spool any more.
    """
    rows = spool.execute(
        "SELECT number, identifier, url, app FROM finding_row WHERE asset IS NULL"
    ).fetchall()
    nowhere = []
    for number, identifier, url, app in rows:
        place = _place(url, None if app is None else apps[app], sources)
        key = asset_key(place, identity) or last_key(place, identity)
        if key is not None:
            asset = spool.asset_number(key)
            spool.execute("UPDATE finding_row SET asset = ? WHERE number = ?", (asset, number))
            continue
        nowhere.append((number, identifier))
        spool.execute("DELETE FROM finding_row WHERE number = ?", (number,))
        spool.add_lost(identifier)
    return nowhere


def _place(url: str | None, named: records.WebAppRef | None, sources: Sources) -> Place:
    place = place_of(url, named)
    app = sources.webapps.get(place.webapp_id) if place.webapp_id is not None else None
    if app is None:
        return place
    return Place(resolved(place.url, app.url), place.webapp_id, place.webapp_name or app.name)


def leave_out_inactive(spool: Spool, webapps: frozenset[int]) -> None:
    """Leave out what is open of some web applications, before any other filter."""
    if webapps:
        spool.execute(LEAVE_OUT, (INACTIVE, json.dumps(sorted(webapps))))


def previous_sync(sync: Sync | None) -> str | None:
    """Give when the sync before this one began, None when this one read everything."""
    if sync is None or sync.mode == "full":
        return None
    moment = parse(sync.previous_sync_at)
    return None if moment is None else to_text(moment)
