"""The spool: records on disk while they arrive in any order, and in the order of assets after.

One SQLite file in the run's folder, without journal: it is thrown away at every end. A full disk
shows as SQLite's own error, which `folders.writing_in` turns into a sentence.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

BATCH: Final = 2000
CACHE_KIB: Final = 64 * 1024

SCHEMA: Final = """
CREATE TABLE finding(
    identifier TEXT NOT NULL UNIQUE, asset TEXT, webapp INTEGER, fixed INTEGER NOT NULL,
    raw BLOB NOT NULL, seen TEXT NOT NULL
);
CREATE TABLE other(
    stream TEXT NOT NULL, key TEXT NOT NULL, raw BLOB NOT NULL, PRIMARY KEY(stream, key)
);
CREATE TABLE lost(asset TEXT PRIMARY KEY);
CREATE TABLE lost_finding(identifier TEXT PRIMARY KEY);
"""


class FindingRow(NamedTuple):
    """A finding as it is kept: what joins go by, and the record as it came.

    `asset` is None while only the web application's own row can tell it; `fixed` is 0 or 1; `seen`
    is when Qualys last looked at it, in UTC as text.
    """

    identifier: str
    asset: str | None
    webapp: int | None
    fixed: int
    raw: bytes
    seen: str


class Spool:
    """The records of one run.

    Args:
        path: where the file is made; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, uri=True)
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "main.locking_mode=EXCLUSIVE",
            f"cache_size=-{CACHE_KIB}",
            "temp_store=FILE",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.executescript(SCHEMA)
        self.connection.execute("BEGIN")
        self._findings: list[FindingRow] = []
        self._others: list[tuple[str, str, bytes]] = []

    def __enter__(self) -> Self:
        """Give the spool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        self.remove()

    def add_finding(self, row: FindingRow) -> None:
        """Keep a finding in place of an earlier one of the same identifier."""
        self._findings.append(row)
        if len(self._findings) >= BATCH:
            self.flush()

    def add(self, stream: str, key: str, raw: bytes) -> None:
        """Keep a row of another stream in place of an earlier one of the same key."""
        self._others.append((stream, key, raw))
        if len(self._others) >= BATCH:
            self.flush()

    def add_lost(self, asset: str, identifier: str | None = None) -> None:
        """Remember an asset that a record was lost of, and which finding it was."""
        self.execute("INSERT OR IGNORE INTO lost VALUES(?)", (asset,))
        if identifier is not None:
            self.execute("INSERT OR IGNORE INTO lost_finding VALUES(?)", (identifier,))

    def flush(self) -> None:
        """Write what is still in memory."""
        self._many(
            "INSERT INTO finding VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(identifier) DO UPDATE SET "
            "asset = excluded.asset, webapp = excluded.webapp, fixed = excluded.fixed, "
            "raw = excluded.raw, seen = excluded.seen",
            self._findings,
        )
        self._many("INSERT OR REPLACE INTO other VALUES(?, ?, ?)", self._others)
        self._findings.clear()
        self._others.clear()

    def execute(self, statement: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, tuple(values))

    def _many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self.connection.executemany(statement, rows)

    def insert(self, table: str, rows: Iterable[tuple[object, ...]], columns: int) -> None:
        """Add rows to a table, those of the same key replaced."""
        marks = ", ".join("?" * columns)
        self._many(f"INSERT OR REPLACE INTO {table} VALUES({marks})", rows)

    def begin_joins(self, tables: str) -> None:
        """Write all, and make room for what is made of the records.

        Databases can be attached only between two transactions, so one ends here; `BEGIN` is the
        caller's to say again.
        """
        self.flush()
        self.connection.executescript(tables)

    def number(self, statement: str, values: Iterable[object] = ()) -> int:
        """Give the one number that a query tells."""
        row = self.execute(statement, values).fetchone()
        return int(row[0] or 0) if row else 0

    def rows(self, stream: str) -> Iterator[bytes]:
        """Give the rows of a stream other than findings, as they came."""
        for (raw,) in self.execute("SELECT raw FROM other WHERE stream = ?", (stream,)):
            yield raw

    def remove(self) -> None:
        """Close and delete the file; does nothing the second time."""
        self.connection.close()
        self.path.unlink(missing_ok=True)
