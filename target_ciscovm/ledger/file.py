"""The file of the ledger: its tables, and how it is opened, checked and attached.

    entry(identifier PRIMARY KEY, asset, name, webapp_id, seen)  what is open, by scanner_identifier
    asset(key PRIMARY KEY, locators, application, webapp_ids)    JSON object, text, JSON list
    meta(key PRIMARY KEY, value)                                 JSON

`user_version` is the version of this format, `application_id` tells the file from other SQLite
files. There is one file and no write-ahead log, so that a copy of the file is a copy of the ledger.
"""

from __future__ import annotations

import sqlite3
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.errors import LedgerDamaged, LedgerUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator

APPLICATION_ID: Final = 0x51574356
"""`QWCV` in ASCII."""
FORMAT: Final = 1
CACHE_KIB: Final = 16 * 1024
TABLES: Final = {
    "entry": "identifier TEXT PRIMARY KEY, asset TEXT NOT NULL, name TEXT NOT NULL, "
    "webapp_id INTEGER, seen TEXT",
    "asset": "key TEXT PRIMARY KEY, locators TEXT NOT NULL, application TEXT, "
    "webapp_ids TEXT NOT NULL",
    "meta": "key TEXT PRIMARY KEY, value TEXT NOT NULL",
}
CAUSES: Final = {
    "unable to open database file": "it, or its folder, is closed to this user",
    "attempt to write a readonly database": "it, or its folder, is read-only for this user",
    "database is locked": "another process has it open",
}
"""SQLite's words, where they would leave a person at a loss."""


def open_ledger(path: Path, busy_seconds: float) -> sqlite3.Connection | None:
    """Open a ledger that is there and check it; None when nothing has been settled in it yet.

    What a killed process left half written is taken back by SQLite on this occasion.

    Raises:
        LedgerDamaged: it cannot be used; also when another program or a newer version wrote it.
        LedgerUnusable: it cannot be read now.
    """
    if not _is_there(path):
        return None
    with sql_errors(path, "read"):
        connection = connect(path, busy_seconds)
    try:
        with sql_errors(path, "read"):
            if _is_used(connection, path):
                return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Connect to a file that must be there; each statement is a transaction of its own."""
    # mode=rw creates nothing, and unlike mode=ro can take back a half-written change.
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=rw", timeout=busy_seconds, isolation_level=None, uri=True
    )
    try:
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute("PRAGMA synchronous=EXTRA")
    except BaseException:
        connection.close()
        raise
    return connection


def empty_ledger() -> sqlite3.Connection:
    """Give a ledger in memory, in place of one that is not there."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create_tables(connection)
    return connection


def create_tables(connection: sqlite3.Connection, schema: str = "main") -> None:
    """Create the tables where they are missing, and mark the file as a ledger."""
    for name, columns in TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {schema}.{name}({columns}) WITHOUT ROWID")
    connection.execute(f"CREATE INDEX IF NOT EXISTS {schema}.entry_asset ON entry(asset)")
    connection.execute(f"PRAGMA {schema}.application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA {schema}.user_version={FORMAT}")


def attach_empty(connection: sqlite3.Connection, schema: str) -> None:
    """Attach the tables of a ledger that is not there."""
    connection.execute(f"ATTACH ':memory:' AS {schema}")
    create_tables(connection, schema)


def attach_file(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    """Attach a checked ledger to another connection, to read it as it is now.

    Raises:
        ValueError: the connection was not opened with `uri=True`.
    """
    # immutable: without locks, which the other connection's transaction would hold against ours.
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        connection.execute(f"ATTACH ? AS {schema}", (uri,))
    except sqlite3.OperationalError as error:
        message = f"cannot attach {path}; the connection must be opened with uri=True"
        raise ValueError(message) from error


def try_writing(connection: sqlite3.Connection, path: Path) -> None:
    """Write to the file and take it back.

    Raises:
        LedgerUnusable: it cannot be written.
    """
    with sql_errors(path, "written"):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(f"PRAGMA user_version={FORMAT}")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


@contextmanager
def sql_errors(path: Path | None, doing: str) -> Iterator[None]:
    """Turn errors of SQLite, and JSON that is none, into a line that names the ledger."""
    path = path or Path(":memory:")
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if text.startswith("Could not decode"):
            raise LedgerDamaged(path, f"it is damaged ({text})") from error
        raise LedgerUnusable(path, doing, CAUSES.get(text, text)) from error
    except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
        raise LedgerDamaged(path, f"it is damaged ({error})") from error


def _is_there(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LedgerUnusable(path, "read", error.strerror or str(error)) from error
    if not stat.S_ISREG(mode):
        raise LedgerUnusable(path, "read", "it is not a file")
    return True


def _is_used(connection: sqlite3.Connection, path: Path) -> bool:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not tables and not application:
        return False
    if application != APPLICATION_ID:
        raise LedgerDamaged(path, "another program wrote it")
    if version != FORMAT:
        why = f"its format is {version} and this version of target-ciscovm reads {FORMAT}"
        raise LedgerDamaged(path, f"{why}: install the version that wrote it")
    missing = TABLES.keys() - tables
    if missing:
        raise LedgerDamaged(path, f"it lacks the table {min(missing)}")
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise LedgerDamaged(path, f"it is damaged ({' '.join(problem.split())})")
    return True
