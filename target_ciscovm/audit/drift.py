"""Where the ledger and CVM differ, entry by entry: one comparison for audit, rebuild and verify."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from target_ciscovm.audit import places
from target_ciscovm.ledger.tables import LIVE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from target_ciscovm.audit.held import Held
    from target_ciscovm.ledger.ledger import Ledger

# ruff: noqa: S608 - the statements are put together of our own texts

BY_PEOPLE: Final = "closed by people"
"""Open in the ledger; people gave it another status in CVM. Never a difference."""
CLOSED: Final = "closed in CVM"
"""Open in the ledger, closed in CVM, and not by people."""
MISSING: Final = "not in CVM"
MOVED: Final = "at another asset"
"""Open in the ledger at one asset, open in CVM at another one only."""
INSTEAD: Final = "instead"
"""Where CVM has it open, for one that is at another asset; not counted by itself."""
REOPENED: Final = "closed in the ledger"
"""Open in CVM; the ledger has it closed, as Qualys no longer reports it."""
UNKNOWN: Final = "not in the ledger"
"""Open in CVM, and of our form."""
SHARED: Final = "shared"
"""Open in CVM and at most perhaps open in the ledger, below a vulnerability that other connectors
have entries under. CVM does not tell whose it is, so it is no difference."""

FOREIGN: Final = "left alone"
"""Of the connector, and nothing that this version sends. Never a difference."""

LACKS: Final = (CLOSED, MISSING, MOVED)
"""Open in the ledger and not in CVM."""
HAS: Final = (REOPENED, UNKNOWN)
"""Open in CVM and not in the ledger."""

JOINED: Final = "h.identifier = {0}.identifier AND h.asset = {0}.asset AND h.model = {0}.model"
_OPEN: Final = "(h.open AND NOT h.judged)"
_ELSEWHERE: Final = f"""
SELECT 1 FROM held h
WHERE h.identifier = l.identifier AND h.model = l.model AND {_OPEN} AND NOT h.shared
    AND NOT EXISTS (
        SELECT 1 FROM ledger.entry o
        WHERE {JOINED.format("o")} AND o.{LIVE}
    )
"""
FIND_LACKING: Final = f"""
INSERT INTO drift
SELECT
    CASE
        WHEN h.judged THEN '{BY_PEOPLE}'
        WHEN EXISTS ({_ELSEWHERE}) THEN '{MOVED}'
        WHEN h.identifier IS NOT NULL THEN '{CLOSED}'
        ELSE '{MISSING}'
    END,
    l.asset, l.identifier, l.model
FROM ledger.entry l LEFT JOIN held h ON {JOINED.format("l")}
WHERE l.state = 'open' AND (h.identifier IS NULL OR NOT {_OPEN})
    AND l.model IN (SELECT value FROM json_each(:models))
"""
FIND_UNKNOWN: Final = f"""
INSERT OR IGNORE INTO drift
SELECT
    CASE
        WHEN h.shared THEN '{SHARED}'
        WHEN EXISTS (
            SELECT 1 FROM drift d
            WHERE d.identifier = h.identifier AND d.model = h.model AND d.kind = '{MOVED}'
        ) THEN '{INSTEAD}'
        WHEN EXISTS (SELECT 1 FROM ledger.entry l WHERE {JOINED.format("l")}) THEN '{REOPENED}'
        ELSE '{UNKNOWN}'
    END,
    h.asset, h.identifier, h.model
FROM held h
WHERE {_OPEN}
    AND NOT EXISTS (
        SELECT 1 FROM ledger.entry l
        WHERE {JOINED.format("l")} AND (l.state = 'open' OR (l.{LIVE} AND NOT h.shared))
    )
"""
OPEN_IN_LEDGER: Final = f"""
SELECT COUNT(*) FROM ledger.entry l
WHERE l.state = 'open'
    OR (
        l.{LIVE}
        AND EXISTS (SELECT 1 FROM held h WHERE {JOINED.format("l")} AND {_OPEN} AND NOT h.shared)
    )
"""
"""What is perhaps open counts where CVM has it open."""
OPEN_IN_CVM: Final = f"""
SELECT COUNT(*) FROM held h
WHERE {_OPEN} AND NOT EXISTS (
    SELECT 1 FROM drift d WHERE {JOINED.format("d")} AND d.kind = '{SHARED}'
)
"""

_IN_DRIFT: Final = (
    "EXISTS (SELECT 1 FROM drift d WHERE d.identifier = c.identifier AND d.asset = c.asset AND "
    f"d.model = c.model AND d.kind NOT IN ('{BY_PEOPLE}', '{SHARED}'))"
)
SEEN: Final = f"""
SELECT COUNT(*) FROM changed c
WHERE c.opened = (SELECT max(opened) FROM changed) AND NOT {_IN_DRIFT}
"""
UNSEEN: Final = f"SELECT COUNT(*) FROM changed c WHERE {_IN_DRIFT}"
FORGET_UNSEEN: Final = """
DELETE FROM drift WHERE EXISTS (
    SELECT 1 FROM changed c
    WHERE c.identifier = drift.identifier AND c.asset = drift.asset AND c.model = drift.model
)
"""


class DriftRow(NamedTuple):
    """An entry that differs."""

    kind: str
    asset: str
    identifier: str
    model: str


def compare(held: Held, ledger: Ledger, models: Sequence[str]) -> None:
    """Fill the table of drift.

    Args:
        held: what CVM holds.
        ledger: what was sent.
        models: data models that CVM was asked for.
    """
    with _attached(held, ledger) as connection:
        places.place(connection)
        connection.execute("DELETE FROM drift")
        connection.execute(FIND_LACKING, {"models": json.dumps(models)})
        connection.execute(FIND_UNKNOWN)


def counts(held: Held) -> Mapping[str, int]:
    """Count what differs by its kind."""
    return dict(held.connection.execute("SELECT kind, COUNT(*) FROM drift GROUP BY 1"))


def rows(held: Held) -> Iterator[DriftRow]:
    """Give what differs, in an order that stays the same."""
    query = "SELECT kind, asset, identifier, model FROM drift ORDER BY kind, asset, identifier"
    yield from map(DriftRow._make, held.connection.execute(query))


def differing(held: Held) -> int:
    """Count what differs; what people have closed does not."""
    found = counts(held)
    return sum(found.get(kind, 0) for kind in (*LACKS, *HAS))


def forget_unseen(held: Held) -> int:
    """Leave out what the load has changed where CVM shows nothing of the load yet.

    Returns:
        How many entries these are; 0 where CVM shows some of it, so that it shows all.
    """
    unseen = _number(held, UNSEEN)
    if not unseen or _number(held, SEEN):
        return 0
    held.connection.execute(FORGET_UNSEEN)
    return unseen


def open_in_cvm(held: Held) -> int:
    """Count what CVM has open of ours, and people have not judged."""
    return _number(held, OPEN_IN_CVM)


def open_in_ledger(held: Held, ledger: Ledger) -> int:
    """Count what CVM should have open."""
    with _attached(held, ledger):
        return _number(held, OPEN_IN_LEDGER)


def foreign(held: Held) -> int:
    """Count entries of the connector that are left alone."""
    return _number(held, "SELECT COUNT(*) FROM foreign_entry")


@contextmanager
def _attached(held: Held, ledger: Ledger) -> Iterator[sqlite3.Connection]:
    ledger.attach_to(held.connection)
    try:
        yield held.connection
    finally:
        held.connection.execute("DETACH ledger")


def foreign_rows(held: Held) -> Iterator[DriftRow]:
    """Give these entries, in an order that stays the same."""
    query = "SELECT ?, asset, identifier, model FROM foreign_entry ORDER BY asset, identifier"
    yield from map(DriftRow._make, held.connection.execute(query, (FOREIGN,)))


def _number(held: Held, query: str) -> int:
    return int(held.connection.execute(query).fetchone()[0])
