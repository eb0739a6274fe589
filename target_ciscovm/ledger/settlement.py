"""Settling: bringing the ledger up to what a successful run has done, in one transaction.

What the caller gives is first put aside in temporary tables, so the file is locked for a short time
only, and an error in the caller's own reading changes nothing. Entries are written in the order of
their keys, which is several times as fast for a million of them as any other order.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.ledger.file import create_tables, sql_errors

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from target_ciscovm.ledger.ledger import LedgerAsset, Settlement

BATCH: Final = 5000

STAGES: Final = {
    "now_open": "identifier TEXT, asset TEXT, name TEXT, webapp_id INTEGER, seen TEXT",
    "now_closed": "identifier TEXT PRIMARY KEY",
    "now_asset": "key TEXT PRIMARY KEY, locators TEXT, application TEXT, webapp_ids TEXT",
    "now_whole": "key TEXT PRIMARY KEY",
    "now_removed": "key TEXT PRIMARY KEY",
}

DROP_REMOVED: Final = "DELETE FROM entry WHERE asset IN (SELECT key FROM temp.now_removed)"
FORGET_REMOVED: Final = "DELETE FROM asset WHERE key IN (SELECT key FROM temp.now_removed)"
DROP_LACKING: Final = (
    "DELETE FROM entry WHERE asset IN (SELECT key FROM temp.now_whole) AND NOT EXISTS "
    "(SELECT 1 FROM temp.now_open o WHERE o.identifier = entry.identifier)"
)
DROP_CLOSED: Final = (
    "DELETE FROM entry WHERE identifier IN (SELECT identifier FROM temp.now_closed)"
)
KEEP_OPEN: Final = (
    "INSERT INTO entry SELECT identifier, asset, name, webapp_id, seen FROM temp.now_open WHERE "
    "true ORDER BY identifier, rowid ON CONFLICT(identifier) DO UPDATE SET asset = excluded.asset, "
    "name = excluded.name, webapp_id = excluded.webapp_id, seen = excluded.seen WHERE asset <> "
    "excluded.asset OR name <> excluded.name OR webapp_id IS NOT excluded.webapp_id OR seen IS NOT "
    "excluded.seen"
)
"""A row that says the same is not written: a page that is not written needs no journal either."""
KEEP_ASSETS: Final = (
    "INSERT INTO asset SELECT key, locators, application, webapp_ids FROM temp.now_asset WHERE "
    "true ON CONFLICT(key) DO UPDATE SET locators = both(asset.locators, excluded.locators), "
    "application = COALESCE(excluded.application, asset.application), webapp_ids = "
    "excluded.webapp_ids"
)
"""A locator that was sent once stays at the asset in CVM, also when it is left out later."""
CHANGES: Final = (
    DROP_REMOVED,
    FORGET_REMOVED,
    DROP_LACKING,
    DROP_CLOSED,
    KEEP_OPEN,
    KEEP_ASSETS,
)

PRUNE: Final = (
    "DELETE FROM asset WHERE key NOT IN (SELECT key FROM temp.now_asset) AND NOT EXISTS "
    "(SELECT 1 FROM entry e WHERE e.asset = asset.key)"
)
"""After a full load: assets that were not in it and have nothing open need no closing ever."""


def stage(connection: sqlite3.Connection, settlement: Settlement, path: Path) -> None:
    """Put aside what is to be settled. Errors of the settlement's iterators pass as they are."""
    unstage(connection)
    with sql_errors(path, "written"):
        for name, columns in STAGES.items():
            connection.execute(f"CREATE TEMP TABLE {name}({columns})")
    for name, rows in (
        ("now_open", settlement.opened),
        ("now_closed", ((identifier,) for identifier in settlement.closed)),
        ("now_asset", map(_asset_row, settlement.assets)),
        ("now_whole", ((key,) for key in settlement.whole)),
        ("now_removed", ((key,) for key in settlement.removed)),
    ):
        _fill(connection, name, rows, path)
    with sql_errors(path, "written"):
        connection.execute("CREATE INDEX temp.now_open_identifier ON now_open(identifier)")


def apply(connection: sqlite3.Connection, settlement: Settlement, path: Path) -> None:
    """Bring the ledger up to what was put aside: all of it, or nothing."""
    with sql_errors(path, "written"):
        connection.create_function("both", 2, _both, deterministic=True)
        connection.execute("BEGIN IMMEDIATE")
        try:
            create_tables(connection)
            for change in CHANGES:
                connection.execute(change)
            if settlement.full_open is not None:
                connection.execute(PRUNE)
            connection.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", _meta(settlement))
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def unstage(connection: sqlite3.Connection) -> None:
    """Forget what was put aside."""
    for name in STAGES:
        connection.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _fill(
    connection: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]], path: Path
) -> None:
    """Write in batches: an error of the file's is told from one of where the rows come from."""
    marks = ", ".join("?" for _ in STAGES[table].split(", "))
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        with sql_errors(path, "written"):
            connection.executemany(f"INSERT OR REPLACE INTO temp.{table} VALUES({marks})", batch)


def _asset_row(asset: LedgerAsset) -> tuple[str, str, str | None, str]:
    return (
        asset.key,
        msgspec.json.encode(asset.locators).decode(),
        asset.application,
        msgspec.json.encode(sorted(asset.webapp_ids)).decode(),
    )


def _both(before: str, now: str) -> str:
    """Give the locators of two JSON texts as one; of two values of one it is the later."""
    if before == now:
        return now
    found: dict[str, str] = msgspec.json.decode(before) | msgspec.json.decode(now)
    return msgspec.json.encode(found).decode()


def _meta(settlement: Settlement) -> list[tuple[str, str]]:
    values: dict[str, object] = {
        "identity": settlement.identity,
        "last_run_id": settlement.run_id,
    }
    if settlement.full_open is not None:
        values["last_full_open"] = settlement.full_open
    return [(name, msgspec.json.encode(value).decode()) for name, value in values.items()]
