"""The spool: records on disk, written in any order and read back by asset.

It consists of two files in the run's folder, deleted at every end of the run: a database without
a journal, and beside it the KDI text of each finding, which is never searched. Both stay until the
load is over, as the KDI files may have to be made anew. So they are kept small: nothing is in them
twice, and the text of a large load is compressed. A full disk shows as the system's own error,
which `folders.writing_in` turns into a sentence.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from array import array
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from target_ciscovm.output.private_files import open_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Self

BATCH: Final = 2000
TOGETHER: Final = 50
"""Findings that one statement adds, which takes less time than a statement for each."""
REMEMBERED: Final = 100_000
"""Findings up to which repeated ones are noticed as they come, which needs some MB of memory."""
PAGE_BYTES: Final = 8192
"""SQLite adds rows to such pages faster than to its usual ones of half the size."""
CACHE_KIB: Final = 16 * 1024
ITEMS_BUFFER: Final = 1 << 18
BLOCK_BYTES: Final = 16 * 1024
"""Bytes of items that are written and read together. With more, reading one item takes longer, as
those of an asset may have come one by one."""
MOST_ITEMS: Final = 64
"""Items of a block."""
PLAIN_BYTES: Final = 28 << 20
"""Bytes of items after which they are compressed: it takes a tenth of a load's time, and less than
that is no burden to a disk."""
BLOCKS_KEPT: Final = 128
ASSETS_KEPT: Final = 8192
"""How many assets stay in memory: findings of one asset often come together."""

SCHEMA: Final = """
CREATE TABLE asset_key(number INTEGER PRIMARY KEY, key TEXT NOT NULL);
CREATE TABLE finding_row(
    number INTEGER PRIMARY KEY, identifier TEXT NOT NULL, asset INTEGER, webapp INTEGER,
    type TEXT NOT NULL, state TEXT NOT NULL, filter TEXT NOT NULL, definition INTEGER NOT NULL,
    app INTEGER, url TEXT NOT NULL, severity INTEGER, seen TEXT NOT NULL, closed TEXT NOT NULL,
    item INTEGER NOT NULL, page TEXT NOT NULL
);
CREATE VIEW finding AS
SELECT number, identifier, (SELECT key FROM asset_key k WHERE k.number = r.asset) AS asset, webapp,
    type, state, filter, definition, app, url, severity, seen, closed, item, page
FROM finding_row r;
CREATE TABLE other(
    stream TEXT NOT NULL, key TEXT NOT NULL, raw BLOB NOT NULL, PRIMARY KEY(stream, key)
);
CREATE TABLE repeated(identifier TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lost(identifier TEXT PRIMARY KEY, cause TEXT NOT NULL);
CREATE TABLE bare(identifier TEXT PRIMARY KEY, cause TEXT NOT NULL);
CREATE TABLE nameless(identifier TEXT PRIMARY KEY, webapp INTEGER NOT NULL);
CREATE TABLE triaged(identifier TEXT PRIMARY KEY) WITHOUT ROWID;
"""


FindingState = Literal["open", "fixed"]
LostCause = Literal[
    "its record was rejected",
    "its record lacks web app or type",
    "a stream map drops it",
    "a stream map gives it another identity",
]
"""Why a finding that Qualys still has is not in the load."""
REJECTED: Final = "its record was rejected"
LACKS: Final = "its record lacks web app or type"
DROPPED: Final = "a stream map drops it"
RENAMED: Final = "a stream map gives it another identity"


class FindingRow(NamedTuple):
    """A finding as it is kept: what it is joined by, and where its KDI text is.

    Attributes:
        asset: number of its asset, see `Spool.asset_number`; None while only the web application's
            own row can tell it.
        webapp: id of its web application.
        type: letter of its type.
        state: as Qualys tells it.
        filter: the filter that leaves it out, empty when it stays.
        definition: number of its QID in `references.References`.
        app: number of its web application there.
        url: its own URL, where the asset's key does not tell the place; empty where it does.
        seen: when Qualys last looked at it, in UTC as text.
        closed: when it was found to be fixed, empty for one that is not.
        item: number of its KDI text, see `Spool.add_item`.
        page: its own URL, for people, empty where the asset's key shows it.

    Texts are empty rather than None: sqlite3 looks for an adapter of each None, and four of them
    take as long as all else of a row.
    """

    identifier: str
    asset: int | None
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
    item: int
    page: str = ""


# fmt: off
FindingValues = tuple[
    str, int | None, int | None, str, FindingState, str, int,
    int | None, str, int | None, str, str, int, str,
]
# fmt: on
"""A `FindingRow` as a plain tuple, which takes a tenth of the time to make."""


REPEATED: Final = """
INSERT INTO repeated
SELECT identifier, MAX(number) FROM finding_row GROUP BY identifier HAVING COUNT(*) > 1
"""
SUPERSEDED: Final = """
DELETE FROM finding_row WHERE EXISTS (
    SELECT 1 FROM repeated r WHERE r.identifier = finding_row.identifier AND number < r.last
)
"""
COLUMNS: Final = FindingRow._fields
VALUES_TOGETHER: Final = TOGETHER * len(COLUMNS)
MARKS: Final = "({})".format(", ".join("?" * len(COLUMNS)))


class Spool:
    """The records of one run.

    Args:
        path: of the database; it must not exist.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self.path = path
        self._items_path = path.with_suffix(".items")
        self._items_file = open_private(self._items_path, buffer_bytes=ITEMS_BUFFER)
        self._items_bytes = 0
        self._plain_bytes = 0
        self._block_bytes = 0
        self._items: list[bytes] = []
        self._next_item = 0
        self._blocks = array("Q")
        self._block = lru_cache(maxsize=BLOCKS_KEPT)(self._read_block)
        self._items_read = os.open(self._items_path, os.O_RDONLY)
        self.connection = sqlite3.connect(path, isolation_level=None, uri=True)
        for pragma in (
            f"page_size={PAGE_BYTES}",
            "journal_mode=OFF",
            "synchronous=OFF",
            "main.locking_mode=EXCLUSIVE",
            f"cache_size=-{CACHE_KIB}",
            "temp_store=FILE",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        # One transaction: else each table is written by itself.
        self.connection.executescript(f"BEGIN; {SCHEMA}")
        self._findings: list[object] = []
        self._findings_added = 0
        self._hashes: set[int] = set()
        self._assets: list[tuple[int, str]] = []
        self._assets_made = 0
        self.asset_number = lru_cache(maxsize=ASSETS_KEPT)(self._number_of_asset)
        self._others: list[tuple[str, str, bytes]] = []

    def __enter__(self) -> Self:
        """Give the spool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file."""
        self.remove()

    def add_findings(self, rows: Iterable[FindingValues]) -> None:
        """Keep findings; of several with the same identifier `supersede` keeps the last."""
        self._findings += chain.from_iterable(rows)
        while len(self._findings) >= VALUES_TOGETHER:
            self._write_findings()

    def _number_of_asset(self, key: str) -> int:
        """Give a number that stands for an asset in its findings; it may come to have several."""
        self._assets_made += 1
        self._assets.append((self._assets_made, key))
        if len(self._assets) >= BATCH:
            self.flush()
        return self._assets_made

    def add_item(self, item: bytes) -> int:
        """Keep the JSON of a finding's entry, which lacks the name of its definition.

        Returns:
            Its number, by which it is read back.
        """
        number = self._next_item
        self._next_item += 1
        self._items.append(item)
        self._block_bytes += len(item)
        if self._block_bytes >= BLOCK_BYTES or self._next_item % MOST_ITEMS == 0:
            self._write_block()
        return number

    def items(self, numbers: Sequence[int]) -> list[bytes]:
        """Read items back, without the brace that each begins with."""
        if max(numbers) >= len(self._blocks) * MOST_ITEMS:
            self._write_block()
        block = self._block
        return [block(number // MOST_ITEMS)[number % MOST_ITEMS] for number in numbers]

    def fields(self, number: int) -> dict[str, object]:
        """Read an item back as an object."""
        (item,) = self.items([number])
        return msgspec.json.decode(b"{" + item, type=dict[str, object])

    def _write_block(self) -> None:
        block = b"\n".join([*self._items, b""])
        self._block_bytes = 0
        self._plain_bytes += len(block)
        if self._items_bytes >= PLAIN_BYTES:
            block = zlib.compress(block, 1)
        self._blocks.append(self._items_bytes)
        self._items_bytes += self._items_file.write(block)
        self._items.clear()
        self._next_item = len(self._blocks) * MOST_ITEMS

    def _read_block(self, number: int) -> list[bytes]:
        begin, *after = self._blocks[number : number + 2]
        end = after[0] if after else self._items_bytes
        self._items_file.flush()
        block = os.pread(self._items_read, end - begin, begin)
        block = zlib.decompress(block) if begin >= PLAIN_BYTES else block
        return [item[1:-1] for item in BytesIO(block)]

    @property
    def size(self) -> int:
        """Bytes of its records, not compressed: the files made of them will be about as large."""
        return self.path.stat().st_size + self._plain_bytes

    def add(self, stream: str, key: str, raw: bytes) -> None:
        """Keep a row of another stream, in place of an earlier one with the same key."""
        self._others.append((stream, key, raw))
        if len(self._others) >= BATCH:
            self.flush()

    def add_lost(self, identifier: str, cause: LostCause = REJECTED) -> None:
        """Remember a finding that is not in the load, and may still be there in Qualys."""
        self.execute("INSERT OR IGNORE INTO lost VALUES(?, ?)", (identifier, cause))

    def add_bare(self, identifier: str, cause: LostCause = LACKS) -> None:
        """Remember a finding that may be known with a web application, or by another type."""
        self.execute("INSERT OR IGNORE INTO bare VALUES(?, ?)", (identifier, cause))

    def add_nameless(self, identifier: str, webapp: int) -> None:
        """Remember a finding without `uniqueId`: it may be known by one."""
        self.execute("INSERT OR IGNORE INTO nameless VALUES(?, ?)", (identifier, webapp))

    def add_triaged(self, identifier: str) -> None:
        """Remember a finding that the load gives a state of triage."""
        self.execute("INSERT OR IGNORE INTO triaged VALUES(?)", (identifier,))

    def flush(self) -> None:
        """Write what is still in memory."""
        self._many("INSERT INTO asset_key VALUES(?, ?)", self._assets)
        self._assets.clear()
        while self._findings:
            self._write_findings()
        self._many("INSERT OR REPLACE INTO other VALUES(?, ?, ?)", self._others)
        self._others.clear()

    def _write_findings(self) -> None:
        values = self._findings[:VALUES_TOGETHER]
        del self._findings[:VALUES_TOGETHER]
        identifiers = values[:: len(COLUMNS)]
        self._findings_added += len(identifiers)
        if self._findings_added <= REMEMBERED:
            self._hashes.update(map(hash, identifiers))
        else:
            self._hashes.clear()
        marks = ", ".join([MARKS] * len(identifiers))
        statement = f"INSERT INTO finding_row({', '.join(COLUMNS)}) VALUES {marks}"  # noqa: S608
        self.connection.execute(statement, values)

    def supersede(self) -> None:
        """Write what is still in memory, and remove all but the last row of each identifier.

        Sorting all identifiers at once is several times faster than looking up each one.
        """
        self.flush()
        self.execute("CREATE INDEX asset_key_key ON asset_key(key)")
        may_repeat = len(self._hashes) < self._findings_added
        if may_repeat and self.execute(REPEATED).rowcount:
            self.execute(SUPERSEDED)

    def execute(self, statement: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, tuple(values))

    def _many(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self.connection.executemany(statement, rows)

    def insert(self, table: str, rows: Iterable[tuple[object, ...]], columns: int) -> None:
        """Add rows to a table; they replace those with the same key."""
        marks = ", ".join("?" * columns)
        self._many(f"INSERT OR REPLACE INTO {table} VALUES({marks})", rows)

    def begin(self, tables: str) -> None:
        """Write all, and begin a transaction with the tables that are made from the records."""
        self.flush()
        self.connection.executescript(f"BEGIN; {tables}")

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
        if not self._items_file.closed:
            os.close(self._items_read)
            with suppress(OSError):  # closing writes what a full disk refused before
                self._items_file.close()
        self.path.unlink(missing_ok=True)
        self._items_path.unlink(missing_ok=True)
