"""The spool: records on disk, written in any order and read back by asset.

It consists of two files in the run's folder, deleted at every end of the run: a database without
a journal, and beside it the KDI text of each finding, which is never searched. A full disk shows as
the system's own error, which `folders.writing_in` turns into a sentence.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from target_ciscovm.output.private_files import open_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

BATCH: Final = 2000
CACHE_KIB: Final = 16 * 1024
ITEMS_BUFFER: Final = 1 << 18

SCHEMA: Final = """
CREATE TABLE finding(
    identifier TEXT NOT NULL, asset TEXT, webapp INTEGER, type TEXT NOT NULL,
    state TEXT NOT NULL, filter TEXT,
    definition INTEGER NOT NULL, app INTEGER, url TEXT, severity INTEGER, seen TEXT NOT NULL,
    closed TEXT, item_at INTEGER NOT NULL, item_bytes INTEGER NOT NULL, page TEXT
);
CREATE TABLE other(
    stream TEXT NOT NULL, key TEXT NOT NULL, raw BLOB NOT NULL, PRIMARY KEY(stream, key)
);
CREATE TABLE lost(identifier TEXT PRIMARY KEY);
"""


FindingState = Literal["open", "fixed"]


class FindingRow(NamedTuple):
    """A finding as it is kept: what it is joined by, and where its KDI text is.

    Attributes:
        asset: key of its asset, None while only the web application's own row can tell it.
        webapp: id of its web application.
        type: letter of its type.
        state: as Qualys tells it.
        filter: the filter that leaves it out, empty when it stays.
        definition: number of its QID in `references.References`.
        app: number of its web application there.
        url: its own URL, where the asset's key does not tell the place; empty where it does.
        seen: when Qualys last looked at it, in UTC as text.
        closed: when it was found to be fixed, empty for one that is not.
        item_at: where its item begins, see `Spool.add_item`.
        item_bytes: how long it is.
        page: its own URL, for people, empty where the asset's key shows it.
    """

    identifier: str
    asset: str | None
    webapp: int | None
    type: str
    state: FindingState
    filter: str
    definition: int
    app: int | None
    url: str
    severity: int | None
    seen: str
    closed: str
    item_at: int
    item_bytes: int
    page: str = ""


EMPTY: Final = ("filter", "url", "closed", "page")
"""What is NULL in the table where it is empty. It is not given as None: sqlite3 looks for an
adapter of each None, and four of them take as long as all else of a row."""
INSERT: Final = "INSERT INTO finding VALUES({})".format(
    ", ".join("NULLIF(?, '')" if name in EMPTY else "?" for name in FindingRow._fields)
)


class Spool:
    """The records of one run.

    Args:
        path: of the database; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self.path = path
        self._items_path = path.with_suffix(".items")
        self._items = open_private(self._items_path, buffer_bytes=ITEMS_BUFFER)
        self._items_bytes = 0
        self._items_read = os.open(self._items_path, os.O_RDONLY)
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
        self._findings: list[tuple[object, ...]] = []
        self._others: list[tuple[str, str, bytes]] = []

    def __enter__(self) -> Self:
        """Give the spool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        self.remove()

    def add_finding(self, row: FindingRow) -> None:
        """Keep a finding; of several with the same identifier `supersede` keeps the last."""
        self._findings.append(tuple(row))  # sqlite3 takes plain tuples in half the time
        if len(self._findings) >= BATCH:
            self.flush()

    def add_item(self, item: bytes) -> int:
        """Keep the JSON of a finding's entry, which lacks the name of its definition.

        Returns:
            The offset where it begins.
        """
        begin = self._items_bytes
        self._items_bytes += self._items.write(item)
        return begin

    def item(self, begin: int, length: int) -> bytes:
        """Read an item back; `flush` must have been called."""
        return os.pread(self._items_read, length, begin)

    @property
    def size(self) -> int:
        """Bytes that it needs on disk."""
        return self.path.stat().st_size + self._items_bytes

    def add(self, stream: str, key: str, raw: bytes) -> None:
        """Keep a row of another stream, in place of an earlier one with the same key."""
        self._others.append((stream, key, raw))
        if len(self._others) >= BATCH:
            self.flush()

    def add_lost(self, identifier: str) -> None:
        """Remember a finding whose record was rejected: it may still be there."""
        self.execute("INSERT OR IGNORE INTO lost VALUES(?)", (identifier,))

    def flush(self) -> None:
        """Write what is still in memory."""
        self._items.flush()
        self._many(INSERT, self._findings)
        self._many("INSERT OR REPLACE INTO other VALUES(?, ?, ?)", self._others)
        self._findings.clear()
        self._others.clear()

    def supersede(self) -> None:
        """Write what is still in memory, and remove all but the last row of each identifier.

        Sorting all identifiers at once is several times faster than looking up each one.
        """
        self.flush()
        self.execute("CREATE INDEX finding_identifier ON finding(identifier)")
        repeated = "FROM finding GROUP BY identifier HAVING COUNT(*) > 1"
        self.execute(
            f"DELETE FROM finding WHERE identifier IN (SELECT identifier {repeated}) AND rowid NOT "  # noqa: S608 - ours
            f"IN (SELECT MAX(rowid) {repeated})"
        )

    def execute(self, statement: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, tuple(values))

    def _many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self.connection.executemany(statement, rows)

    def insert(self, table: str, rows: Iterable[tuple[object, ...]], columns: int) -> None:
        """Add rows to a table; they replace those with the same key."""
        marks = ", ".join("?" * columns)
        self._many(f"INSERT OR REPLACE INTO {table} VALUES({marks})", rows)

    def begin_joins(self, tables: str) -> None:
        """Write all, and create the tables that are made from the records.

        Databases can be attached only between two transactions, so one ends here; the caller has to
        `BEGIN` the next one.
        """
        self.flush()
        self.connection.executescript(tables)

    def commit(self) -> None:
        """Write all, so that another connection can read it."""
        self.flush()
        self.execute("COMMIT")
        self.execute("BEGIN")

    def number(self, statement: str, values: Iterable[object] = ()) -> int:
        """Give the one number that a query returns."""
        row = self.execute(statement, values).fetchone()
        return int(row[0] or 0) if row else 0

    def rows(self, stream: str) -> Iterator[bytes]:
        """Give the rows of a stream other than findings, as they arrived."""
        for (raw,) in self.execute("SELECT raw FROM other WHERE stream = ?", (stream,)):
            yield raw

    def remove(self) -> None:
        """Close and delete the files. A second call does nothing."""
        self.connection.close()
        if not self._items.closed:
            os.close(self._items_read)
            with suppress(OSError):  # closing writes what a full disk refused before
                self._items.close()
        self.path.unlink(missing_ok=True)
        self._items_path.unlink(missing_ok=True)
