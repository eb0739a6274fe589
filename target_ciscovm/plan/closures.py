"""What is closed, and how: by the absence of what an asset has no more, or one by one by name.

Asked of the spool and the ledger together; see `joins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from target_ciscovm.plan.joins import read_asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.plan.joins import SentAsset

NOT_CLOSABLE: Final = "webapp_id IS NOT NULL AND webapp_id NOT IN (SELECT webapp FROM closable)"


class Leaving(NamedTuple):
    """What is open in CVM at an asset, and is to be closed there by name.

    Its finding is at another asset now, or it is gone from an asset that cannot be closed by
    absence.
    """

    identifier: str
    name: str


class Absent(NamedTuple):
    """Findings open before that a proven load closes by their absence."""

    gone: int
    deleted: int
    by_filter: dict[str, int]

    @property
    def total(self) -> int:
        """Give all of them."""
        return self.gone + self.deleted + sum(self.by_filter.values())


def find_moved(spool: Spool) -> None:
    """Find what is open at another asset than where its finding is now."""
    spool.execute(
        "INSERT INTO leaving SELECT e.asset, e.identifier, e.name FROM finding f JOIN "
        "ledger.entry e ON e.identifier = f.identifier WHERE f.state = 0 AND f.asset <> e.asset"
    )


def hold_assets(spool: Spool, closable: Iterable[int]) -> None:
    """Mark assets where something is open that must not be closed by absence.

    That is what belongs to a web application that is not closable, and findings whose record was
    lost: those may have been at another asset before.
    """
    spool.insert("closable", ((number,) for number in closable), 1)
    spool.execute(
        f"INSERT INTO held SELECT DISTINCT asset FROM ledger.entry WHERE {NOT_CLOSABLE}"  # noqa: S608 - ours
    )
    spool.execute(
        "INSERT OR IGNORE INTO lost SELECT e.asset FROM lost_finding f JOIN ledger.entry e ON "
        "e.identifier = f.identifier"
    )


def kept_open(spool: Spool) -> int:
    """Count what is open of web applications that are not closable; see `hold_assets`."""
    return spool.number(f"SELECT COUNT(*) FROM ledger.entry WHERE {NOT_CLOSABLE}")  # noqa: S608 - ours


def leaving_from(spool: Spool, asset: str) -> list[Leaving]:
    """Give what moved away from an asset."""
    rows = spool.execute("SELECT identifier, name FROM leaving WHERE asset = ?", (asset,))
    return [Leaving(*row) for row in rows]


def gone_from(spool: Spool, asset: str, *, sent_too: bool) -> list[Leaving]:
    """Give what is open at an asset of web applications that may be closed, and not in the load.

    Nothing where a record was lost: it may be any of them.

    Args:
        spool: with the ledger attached.
        asset: its key.
        sent_too: whether what is in the load is given too, as it was sent in another data model.
    """
    if _is_in(spool, "lost", asset):
        return []
    rows = spool.execute(
        "SELECT identifier, name FROM ledger.entry WHERE asset = ?1 AND webapp_id IN (SELECT "
        "webapp FROM closable) AND identifier NOT IN (SELECT identifier FROM leaving WHERE "
        "asset = ?1) AND (?2 OR identifier NOT IN (SELECT identifier FROM sent WHERE asset = ?1)) "
        "ORDER BY identifier",
        (asset, sent_too),
    )
    return [Leaving(*row) for row in rows]


def left_behind(spool: Spool) -> list[str]:
    """Give the assets that no finding is at any more, but cannot be closed by absence.

    Something moved away from them, or they are held for another web application.
    """
    rows = spool.execute(
        "SELECT asset FROM (SELECT asset FROM leaving UNION SELECT asset FROM held) WHERE asset "
        "NOT IN (SELECT asset FROM finding WHERE asset IS NOT NULL) ORDER BY asset"
    )
    return [row[0] for row in rows]


def is_any_lost(spool: Spool) -> bool:
    """Tell whether there is any asset that must not be closed by absence."""
    return bool(spool.number("SELECT EXISTS (SELECT 1 FROM lost UNION ALL SELECT 1 FROM held)"))


def is_lost(spool: Spool, asset: str) -> bool:
    """Tell whether the asset must not be closed by absence."""
    return _is_in(spool, "lost", asset) or _is_in(spool, "held", asset)


def _is_in(spool: Spool, table: str, asset: str) -> bool:
    found = spool.execute(f"SELECT 1 FROM {table} WHERE asset = ?", (asset,))  # noqa: S608 - ours
    return found.fetchone() is not None


def assets_lacking(spool: Spool) -> Iterator[SentAsset]:
    """Give the assets with something open by the ledger that the load does not hold."""
    rows = spool.execute(
        "SELECT a.key, a.locators, a.application, a.webapp_ids FROM ledger.asset a WHERE a.key NOT "
        "IN (SELECT key FROM load_asset) AND a.key NOT IN (SELECT asset FROM lost) AND a.key NOT "
        "IN (SELECT asset FROM held) AND EXISTS (SELECT 1 FROM ledger.entry e WHERE e.asset = "
        "a.key) ORDER BY a.key"
    ).fetchall()
    yield from map(read_asset, rows)


def absent(spool: Spool, listed: Iterable[int]) -> Absent:
    """Count what is open by the ledger, and closed by the load without being named as a fix.

    That is what it lacks at assets that it holds whole, what is closed by name in its place where
    an asset cannot be, and what moved and is now filtered.
    """
    spool.insert("listed", ((number,) for number in listed), 1)
    rows = spool.execute(
        "SELECT f.filter, e.webapp_id IS NOT NULL AND e.webapp_id NOT IN (SELECT webapp FROM "
        "listed), COUNT(*) FROM ledger.entry e JOIN load_asset a ON a.key = e.asset AND (a.whole "
        "OR e.identifier IN (SELECT identifier FROM leaving)) "
        "LEFT JOIN finding f ON f.identifier = e.identifier AND f.filter IS NOT NULL WHERE NOT "
        "EXISTS (SELECT 1 FROM sent s WHERE s.identifier = e.identifier) GROUP BY 1, 2"
    ).fetchall()
    by_filter: dict[str, int] = {}
    gone = deleted = 0
    for name, is_deleted, count in rows:
        if name is not None:
            by_filter[name] = by_filter.get(name, 0) + count
        elif is_deleted:
            deleted += count
        else:
            gone += count
    return Absent(gone, deleted, by_filter)
