"""Settling: what a run does in CVM is put down before it begins, and taken over when it is known.

Both are one transaction each. A process that dies in between leaves what is pending, and the next
run looks at CVM for how it ended.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.ledger.file import attach_file, sql_errors
from target_ciscovm.ledger.tables import (
    LIVE,
    PENDING,
    Covered,
    Entry,
    Link,
    SentAsset,
    ShownWebApp,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

BATCH: Final = 5000

KEEP_ENTRIES: Final = """
INSERT INTO entry SELECT * FROM pending_entry WHERE true ORDER BY identifier
ON CONFLICT(identifier, asset, model) DO UPDATE SET
    state = excluded.state, name = excluded.name, type = excluded.type, webapp = excluded.webapp,
    source = COALESCE(excluded.source, source), account = COALESCE(excluded.account, account),
    sent_at = excluded.sent_at, seen = excluded.seen, severity = excluded.severity
"""
DOUBT_ENTRIES: Final = f"""
INSERT INTO entry
SELECT asset, identifier, model, 'perhaps', name, type, webapp, source, account, sent_at, seen,
    severity
FROM pending_entry WHERE {LIVE}
ON CONFLICT(identifier, asset, model) DO UPDATE SET state = 'perhaps'
WHERE entry.state IN ('closed', 'closing')
"""  # noqa: S608 - ours
DOUBT_CLOSINGS: Final = """
UPDATE entry SET state = 'closing'
WHERE state IN ('open', 'perhaps') AND (identifier, asset, model) IN (
    SELECT identifier, asset, model FROM pending_entry WHERE state = 'closed'
)
"""
KEEP_ASSETS: Final = (
    "INSERT INTO asset SELECT * FROM pending_asset WHERE true ON CONFLICT(key) DO UPDATE SET "
    "locators = json_patch(asset.locators, excluded.locators), last_seen = "
    "COALESCE(excluded.last_seen, asset.last_seen), tags = COALESCE(excluded.tags, asset.tags)"
)
"""A locator that was sent once stays at the asset in CVM, also when it is left out later.

No function of Python is called from a statement: SQLite would take a signal to stop for its error.
"""
KEEP_WEBAPPS: Final = (
    "INSERT INTO webapp SELECT * FROM pending_webapp WHERE true ON CONFLICT DO UPDATE SET "
    "name = excluded.name, shown_at = excluded.shown_at, missing_since = excluded.missing_since "
    "WHERE excluded.shown_at >= shown_at"
)
KEEP_COVERAGE: Final = (
    "INSERT INTO coverage SELECT * FROM pending_coverage WHERE true ON CONFLICT DO UPDATE SET "
    "covered_at = max(covered_at, excluded.covered_at)"
)
KEEP_CHAIN: Final = (
    "INSERT INTO chain SELECT * FROM pending_chain WHERE true ON CONFLICT DO UPDATE SET began = "
    "max(began, excluded.began), findings = CASE WHEN excluded.began < began THEN findings "
    "ELSE COALESCE(excluded.findings, findings) END"
)
KEEP_META: Final = "INSERT OR REPLACE INTO meta SELECT * FROM pending_meta"
KEEP_IDENTITY: Final = f"{KEEP_META} WHERE key = 'identity'"
"""What is open was sent by it: a change of it was let through, and need not be again."""
FORGET_CLOSED: Final = (
    "DELETE FROM entry WHERE state = 'closed' AND sent_at < (SELECT date(max(sent_at), '-90 days') "
    "FROM pending_entry)"
)
"""Entries that were closed so long ago are of no use for telling what comes again."""
FORGET_ASSETS: Final = (
    "DELETE FROM asset WHERE EXISTS (SELECT 1 FROM pending_coverage) AND COALESCE(last_seen, '') < "
    "(SELECT date(max(sent_at), '-90 days') FROM pending_entry) AND key NOT IN (SELECT key FROM "
    "pending_asset) AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.asset = asset.key)"
)
"""Clean web applications come with each full load, and CVM has their assets."""

SETTLED: Final = (
    *(KEEP_ENTRIES, KEEP_ASSETS, KEEP_WEBAPPS, KEEP_COVERAGE, KEEP_CHAIN, KEEP_META),
    *(FORGET_CLOSED, FORGET_ASSETS),
)
DOUBTED: Final = (DOUBT_ENTRIES, KEEP_ASSETS)


class Selection(NamedTuple):
    """Rows that SQLite takes from another database by itself, which is several times as fast.

    Attributes:
        path: of the database. It is read without locks, so nobody may be writing to it.
        statements: each gives rows with the columns of the table that they go into.
        values: of the statements' parameters.
    """

    path: Path
    statements: tuple[str, ...]
    values: Mapping[str, object]


class Settlement(msgspec.Struct, frozen=True):
    """What a run does in CVM. Iterables are read once, in the order of the attributes.

    Attributes:
        entries: what it opens and closes, with the state that each has afterwards.
        assets: those of the load.
        webapps: web applications that the sync was shown, or that it missed.
        coverage: what the sync read to its end.
        chain: the scope's new end; nothing where no sync told its beginning.
        meta: what is kept by name, as JSON.
    """

    entries: Iterable[Entry] | Selection = ()
    assets: Iterable[SentAsset] = ()
    webapps: Iterable[ShownWebApp] = ()
    coverage: Iterable[Covered] = ()
    chain: Iterable[Link] = ()
    meta: Mapping[str, object] = msgspec.field(default_factory=dict)


def put_down(
    connection: sqlite3.Connection, settlement: Settlement, path: Path, meta: Mapping[str, object]
) -> None:
    """Write down what a run is about to do, in place of what was pending.

    Args:
        connection: to the ledger.
        settlement: what the run does.
        path: of the ledger.
        meta: what is kept by name from now on, whatever comes of the run.
    """
    entries = settlement.entries
    with _attached(connection, entries), transaction(connection, path):
        with sql_errors(path, "written"):
            _clear(connection)
        if isinstance(entries, Selection):
            with sql_errors(path, "written"):
                for select in entries.statements:
                    connection.execute(f"INSERT INTO pending_entry {select}", entries.values)
        else:
            _fill(connection, "pending_entry", entries, path)
        for table, rows in (
            ("pending_asset", settlement.assets),
            ("pending_webapp", settlement.webapps),
            ("pending_coverage", settlement.coverage),
            ("pending_chain", settlement.chain),
            ("pending_meta", texts(settlement.meta)),
            ("meta", texts(meta)),
        ):
            _fill(connection, table, rows, path)


@contextmanager
def _attached(connection: sqlite3.Connection, entries: object) -> Iterator[None]:
    """Attach the database that entries are selected from, if they are."""
    if not isinstance(entries, Selection):
        yield
        return
    attach_file(connection, entries.path, "load")
    try:
        yield
    finally:
        connection.execute("DETACH load")


def take_over(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the ledger up to what is pending: the run has done it."""
    with transaction(connection, path), sql_errors(path, "written"):
        for change in SETTLED:
            connection.execute(change)
        _clear(connection)


def doubt(
    connection: sqlite3.Connection, path: Path, *, keep: bool, link: bool, in_part: bool
) -> None:
    """Take what is pending as perhaps open: the run has failed, or nobody knows how it ended.

    Args:
        connection: to the ledger.
        path: of the ledger.
        keep: whether it stays pending, as the run is still going on.
        link: whether its sync is a link of the chain all the same.
        in_part: whether the run has done most of it, and failed the rest.
    """
    also = [*([DOUBT_CLOSINGS, KEEP_IDENTITY] if in_part else ()), *([KEEP_CHAIN] if link else ())]
    with transaction(connection, path), sql_errors(path, "written"):
        for change in (*DOUBTED, *also):
            connection.execute(change)
        if not keep:
            _clear(connection)


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Do all of what follows, or nothing; what it raises passes as it is."""
    with sql_errors(path, "written"):
        connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        with sql_errors(path, "written"):
            connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _clear(connection: sqlite3.Connection) -> None:
    for table in PENDING:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - ours


def texts(meta: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give what is kept by name as the ledger writes it."""
    return ((name, msgspec.json.encode(value).decode()) for name, value in meta.items())


def _fill(
    connection: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]], path: Path
) -> None:
    """Write in batches."""
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        marks = ", ".join("?" * len(batch[0]))
        with sql_errors(path, "written"):
            # sqlite3 takes plain tuples in half the time of named ones.
            plain = map(tuple, batch)
            connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES({marks})", plain)
