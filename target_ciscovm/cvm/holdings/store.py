"""Where holdings are kept while they are read: a file beside the run's records, never memory."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Final, cast

import msgspec

from target_ciscovm.cvm.holdings.holding import Holding, Owner
from target_ciscovm.cvm.holdings.rows import Held
from target_ciscovm.output.private_files import refusals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self

    from target_ciscovm.cvm.holdings.holding import Judgement
    from target_ciscovm.cvm.holdings.rows import AssetRow
    from target_ciscovm.kdi.types import DataModel

CACHE_KIB: Final = 16 * 1024

SCHEMA: Final = """
CREATE TABLE held(
    vulnerability INTEGER NOT NULL, identifier TEXT NOT NULL, open INTEGER, judgement TEXT,
    owners TEXT NOT NULL, definition TEXT, asset INTEGER NOT NULL, first_seen TEXT, last_seen TEXT,
    PRIMARY KEY(vulnerability, identifier)
) WITHOUT ROWID;
CREATE TABLE asset(id INTEGER PRIMARY KEY, active INTEGER, locators TEXT);
"""
ADD: Final = f"INSERT OR REPLACE INTO held VALUES({', '.join('?' for _ in Held._fields)})"
ALL: Final = f"""
SELECT {", ".join(f"held.{name}" for name in Held._fields)}, asset.active, asset.locators
FROM held JOIN asset ON asset.id = held.asset ORDER BY held.vulnerability, held.identifier
"""  # noqa: S608 - names of our own


class Store:
    """Holdings and their assets in a file that has no name, so that nothing of it can stay.

    Args:
        folder: where it takes its room.
    """

    def __init__(self, folder: Path) -> None:
        with refusals(folder, "used", "output_path"):
            descriptor, path = mkstemp(dir=folder)
            os.close(descriptor)
        self._connection = sqlite3.connect(path, isolation_level=None)
        # A journal in memory is enough to take an export back whose end is missing: it holds only
        # pages that were there before.
        for pragma in (
            "journal_mode=MEMORY",
            "synchronous=OFF",
            "locking_mode=EXCLUSIVE",
            f"cache_size=-{CACHE_KIB}",
            "temp_store=FILE",
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA)
        Path(path).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no entry."""
        return self._connection.execute("SELECT 1 FROM held LIMIT 1").fetchone() is None

    def clear(self) -> None:
        """Forget all entries."""
        self._connection.execute("DELETE FROM held")

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep what is added in this block if it ends well, and nothing of it otherwise."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # a full disk has ended it already
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def add(self, held: Iterable[Held]) -> None:
        """Keep entries; one that is there already is replaced."""
        self._connection.executemany(ADD, held)

    def list_assets(self) -> None:
        """Note which assets the entries stand on."""
        self._connection.execute("INSERT OR IGNORE INTO asset(id) SELECT asset FROM held")

    def count_unknown_assets(self) -> int:
        """Count the assets of which nothing is told."""
        return self._number("SELECT count(*) FROM asset WHERE locators IS NULL")

    def describe_assets(self, rows: Iterable[AssetRow]) -> None:
        """Keep what is told of assets, as far as entries stand on them."""
        self._connection.executemany(
            "UPDATE asset SET active = ?, locators = ? WHERE id = ?",
            (
                (
                    None if row.status is None else row.status == "active",
                    msgspec.json.encode(row.locators()).decode(),
                    row.id,
                )
                for row in rows
            ),
        )

    def unknown_assets(self, number: int) -> list[list[int]]:
        """Give the assets of which nothing is told, in groups of a number of ids."""
        found = self._connection.execute("SELECT id FROM asset WHERE locators IS NULL ORDER BY id")
        ids = (int(number) for (number,) in found)
        groups = []
        while group := list(islice(ids, number)):
            groups.append(group)
        return groups

    def count_inactive(self) -> int:
        """Count the vulnerabilities of assets that are known to be inactive."""
        return self._number(
            "SELECT count(DISTINCT vulnerability) FROM held, asset WHERE id = asset AND active = 0"
        )

    def _number(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def holdings(self, model: DataModel) -> Iterator[Holding]:
        """Give all entries with their assets, by their vulnerability's number."""
        owners: dict[str, tuple[Owner, ...]] = {}
        for row in self._connection.execute(ALL):
            held, (active, locators) = Held(*row[:-2]), row[-2:]
            if held.owners not in owners:
                told = msgspec.json.decode(held.owners, type=list[Owner])
                owners[held.owners] = tuple(told)
            yield Holding(
                identifier=held.identifier,
                model=model,
                open=None if held.open is None else bool(held.open),
                judgement=cast("Judgement | None", held.judgement),
                owners=owners[held.owners],
                definition=held.definition,
                vulnerability_id=held.vulnerability,
                asset_id=held.asset,
                locators=msgspec.json.decode(locators, type=dict[str, str]),
                active=None if active is None else bool(active),
                first_seen=held.first_seen,
                last_seen=held.last_seen,
            )
