"""What CVM holds of the connector, as tables that the ledger is compared with.

    held(asset, identifier, model, open, judged, shared, type, webapp, name, seen, locators, sent)
    foreign_entry(identifier, asset, model, open)
    changed(asset, identifier, model, opened)
    drift(kind, asset, identifier, model)
    known_place(identifier, asset, model, known, open)

They lie in a file of their own, so that a million entries need no memory.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from qualyswas_ciscovm.dates import to_utc
from target_ciscovm.kdi.limits import is_locator, is_name
from target_ciscovm.mapping.locators import DEFAULT_ORDER, LOCATORS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from pathlib import Path

    from target_ciscovm.cvm.holdings.holding import Holding
    from target_ciscovm.mapping.locators import Identity

TABLES: Final = """
CREATE TABLE held(
    asset TEXT NOT NULL COLLATE NOCASE, identifier TEXT NOT NULL, model TEXT NOT NULL,
    open INTEGER NOT NULL, judged INTEGER NOT NULL, shared INTEGER NOT NULL, type TEXT NOT NULL,
    webapp INTEGER, name TEXT NOT NULL, seen TEXT NOT NULL, locators TEXT NOT NULL,
    sent TEXT COLLATE NOCASE,
    PRIMARY KEY(identifier, asset, model)
) WITHOUT ROWID;
CREATE TABLE foreign_entry(identifier TEXT, asset TEXT, model TEXT, open INTEGER);
CREATE TABLE changed(
    asset TEXT, identifier TEXT, model TEXT, opened INTEGER,
    PRIMARY KEY(identifier, asset, model)
) WITHOUT ROWID;
CREATE TABLE drift(
    kind TEXT NOT NULL, asset TEXT NOT NULL, identifier TEXT NOT NULL, model TEXT NOT NULL,
    PRIMARY KEY(identifier, asset, model)
) WITHOUT ROWID;
CREATE TABLE known_place(
    identifier TEXT, asset TEXT COLLATE NOCASE, model TEXT, known TEXT COLLATE NOCASE, open INTEGER,
    PRIMARY KEY(identifier, model, known, asset)
) WITHOUT ROWID;
"""
"""CVM may or may not tell URLs apart by their capitals; of the same identifier, we need not."""
WINNER: Final = """
ON CONFLICT DO UPDATE SET
    open = excluded.open, judged = excluded.judged, shared = excluded.shared,
    locators = excluded.locators, sent = excluded.sent
WHERE (excluded.open AND NOT excluded.judged, excluded.judged, NOT excluded.shared)
    > (open AND NOT judged, judged, NOT shared)
"""
"""An identifier may be under several vulnerabilities of one asset: what is open counts, then what
people have judged, then what is surely ours."""
ADD_HELD: Final = f"INSERT INTO held VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) {WINNER}"
OURS: Final = re.compile(r"([VSI])-(-?[0-9]{1,18})-.+", re.DOTALL)
"""An identifier of our own: type, web application or 0, and what Qualys tells the finding by. Other
loaders of the connector may have made what looks like it, and no load could name: it is left alone,
or it would stop each load."""
BATCH: Final = 2000
CACHE_KIB: Final = 16 * 1024

_encode: Final = msgspec.json.Encoder().encode


class HeldRow(NamedTuple):
    """An entry as CVM holds it.

    Attributes:
        asset: key of its asset, by the locator that fewest assets share.
        open: whether it is open; where connectors differ on one vulnerability, it counts as open.
        judged: whether people gave it a status that is not "open".
        shared: whether it may be of another connector: several have entries under its
            vulnerability, or CVM does not tell whose it is.
        webapp: as its identifier tells, None where it tells none.
        name: of its definition, empty where CVM does not tell it.
        seen: when a scanner had last seen it, empty where CVM does not tell it.
        locators: of its asset, as JSON.
        sent: the key that the asset was sent by, as far as its locators tell; None where that is
            `asset`.
    """

    asset: str
    identifier: str
    model: str
    open: bool
    judged: bool
    shared: bool
    type: str
    webapp: int | None
    name: str
    seen: str
    locators: str
    sent: str | None


class Changed(NamedTuple):
    """An entry that a load has just opened, or closed."""

    asset: str
    identifier: str
    model: str
    opened: bool


class Held:
    """What CVM holds, in a file.

    Attributes:
        path: of the file.
        connection: to it.

    Args:
        folder: for the file.
        identity: how assets are told apart.
    """

    def __init__(self, folder: Path, identity: Identity) -> None:
        self.path = folder / "held.db"
        self.path.unlink(missing_ok=True)
        self._identity = identity
        self.connection = sqlite3.connect(self.path, isolation_level=None, uri=True)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KIB}"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.executescript(TABLES)

    def close(self) -> None:
        """Close and remove the file."""
        self.connection.close()
        self.path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget what CVM has told, to ask it again."""
        for table in ("held", "foreign_entry"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - ours

    def mark_changed(self, entries: Iterable[Changed]) -> None:
        """Keep what a load has just opened or closed."""
        with self._transaction():
            self.connection.executemany("INSERT OR IGNORE INTO changed VALUES(?, ?, ?, ?)", entries)

    def add(self, holdings: Iterable[Holding]) -> None:
        """Keep what CVM has told."""
        ours: list[HeldRow] = []
        foreign: list[tuple[str, str, str, bool]] = []
        with self._transaction():
            for holding in holdings:
                row = self._row(holding)
                if row is not None:
                    ours.append(row)
                # Below a vulnerability that connectors share, it may be of any of them.
                elif len(holding.owners) == 1:
                    key = sent_key(holding.locators, self._identity)
                    key = key or f"asset:{holding.asset_id}"
                    is_open = bool(holding.open)
                    foreign.append((holding.identifier, key, holding.model, is_open))
                if len(ours) + len(foreign) >= BATCH:
                    self._write(ours, foreign)
            self._write(ours, foreign)

    def _row(self, holding: Holding) -> HeldRow | None:
        match = OURS.fullmatch(holding.identifier)
        locators = {k: v for k, v in holding.locators.items() if is_locator(k, v)}
        key = _key(_first(locators, LOCATORS), locators)
        if match is None or key is None or not is_name(holding.identifier):
            return None
        name = holding.definition or ""
        sent = sent_key(locators, self._identity)
        return HeldRow(
            key,
            holding.identifier,
            holding.model,
            holding.open is not False,
            holding.judgement not in {None, "open"},
            len(holding.owners) != 1,
            match[1],
            int(match[2]) or None,
            name if is_name(name) else "",
            to_utc(holding.last_seen) or "",
            _encode(locators).decode(),
            None if sent == key else sent,
        )

    def _write(self, ours: list[HeldRow], foreign: list[tuple[str, str, str, bool]]) -> None:
        self.connection.executemany(ADD_HELD, ours)
        self.connection.executemany("INSERT INTO foreign_entry VALUES(?, ?, ?, ?)", foreign)
        ours.clear()
        foreign.clear()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN")
        yield
        self.connection.execute("COMMIT")


def sent_key(locators: Mapping[str, str], identity: Identity) -> str | None:
    """Give the key that an asset was sent by, as far as its locators tell.

    What tells it apart in CVM is what it was sent by: no locator is sent that CVM ranks above it.
    But it may have been sent while locators were ranked otherwise, and assets may share what CVM
    ranks first now. So what is preferred counts, where fewer assets can share it, and of an asset
    without it what fewest assets can share.
    """
    orders = (_ranked(identity), identity.order)
    tops = {_first(locators, order) for order in orders}
    return _key(_first(tops if identity.order[0] in locators else locators, LOCATORS), locators)


def _key(name: str | None, locators: Mapping[str, str]) -> str | None:
    return f"{name}:{locators[name]}" if name else None


@lru_cache
def _ranked(identity: Identity) -> tuple[str, ...]:
    """Give the locators that we send as CVM ranks them, and those that it does not rank."""
    ours = {*identity.order, *DEFAULT_ORDER}
    return (*(name for name in identity.tenant_order if name in ours), *LOCATORS)


def _first(names: Container[str | None], order: Iterable[str]) -> str | None:
    return next((name for name in order if name in names), None)
