"""The file of the ledger: how it is opened, checked and attached. See `tables` for what it holds.

`user_version` is the version of its form, `application_id` tells the file from other SQLite files.
There is one file and no write-ahead log, so that a copy of the file is a copy of the ledger.
"""

from __future__ import annotations

import sqlite3
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.errors import LedgerDamaged, LedgerRefused, LedgerUnusable
from target_ciscovm.ledger.tables import INDEXES, TABLES
from target_ciscovm.output.private_files import private_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

APPLICATION_ID: Final = 0x51574356
"""`QWCV` in ASCII."""
FORMAT: Final = 2
CACHE_KIB: Final = 16 * 1024
CAUSES: Final = {
    "unable to open database file": "it, or its folder, is closed to this user",
    "attempt to write a readonly database": "it, or its folder, is read-only for this user",
    "database is locked": "another process has it open",
}
"""SQLite's words, where they would leave a person at a loss."""
UNREADABLE: Final = ("Could not decode", "malformed JSON")
"""How SQLite's words begin where a value is not what it must be."""


def open_ledger(path: Path, busy_seconds: float) -> sqlite3.Connection | None:
    """Open a ledger that is there and check it; None when there is no file.

    What a killed process left half written is taken back by SQLite on this occasion.

    Raises:
        LedgerRefused: a version of another form wrote it.
        LedgerDamaged: it cannot be used; also when it is empty, or another program's.
        LedgerUnusable: it cannot be read now.
    """
    if not _is_there(path):
        return None
    with sql_errors(path, "read"):
        connection = connect(path, busy_seconds)
    try:
        with sql_errors(path, "read"):
            _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def create_ledger(path: Path, meta: Mapping[str, str]) -> None:
    """Make the file of a ledger whole, or not at all: a kill in between leaves nothing behind.

    Args:
        path: of the file.
        meta: JSON that it holds by name from the beginning.

    Raises:
        LedgerUnusable: it cannot be written.
    """
    made = path.with_name(f".{path.name}.new")
    made.unlink(missing_ok=True)
    private_file(made, "ledger_path")
    with sql_errors(path, "written"):
        connection = connect(made, 0)
        try:
            # One transaction: else each statement waits for the disk.
            connection.execute("BEGIN IMMEDIATE")
            create_tables(connection)
            connection.executemany("INSERT INTO meta VALUES(?, ?)", meta.items())
            connection.execute("COMMIT")
        finally:
            connection.close()
    put_in_place(made, path)


def put_in_place(made: Path, path: Path) -> None:
    """Let a ledger stand where there is none now.

    SQLite would take what a killed process has left half written of an earlier one as this one's.
    """
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    made.replace(path)


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
        connection.execute(f"CREATE TABLE IF NOT EXISTS {schema}.{name}{columns}")
    for name, columns in INDEXES.items():
        connection.execute(f"CREATE INDEX IF NOT EXISTS {schema}.{name} ON {columns}")
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
        if text.startswith(UNREADABLE):
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
        raise LedgerUnusable(path, "read", "it is not a file, as ledger_path must be")
    return True


def _check(connection: sqlite3.Connection, path: Path) -> None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not tables and not application:
        raise LedgerDamaged(path, "it is empty")
    if application != APPLICATION_ID:
        raise LedgerDamaged(path, "another program wrote it")
    if version < FORMAT:
        why = (
            f"it has the form {version} of an earlier version, which this one ({FORMAT}) cannot use"
        )
        raise LedgerRefused(path, why)
    if version > FORMAT:
        why = (
            f"a later version of target-ciscovm wrote it (form {version}, this one reads "
            f"{FORMAT}): install that version"
        )
        raise LedgerRefused(path, why)
    missing = TABLES.keys() - tables
    if missing:
        raise LedgerDamaged(path, f"it lacks the table {min(missing)}")
    problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise LedgerDamaged(path, f"it is damaged ({' '.join(problem.split())})")
