"""What CVM holds, at the assets by which the ledger has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_ciscovm.audit.held import WINNER
from target_ciscovm.ledger.tables import LIVE

if TYPE_CHECKING:
    import sqlite3

# ruff: noqa: S608 - the statements are put together of our own texts

_NAME: Final = "substr(l.asset, 1, instr(l.asset, ':') - 1)"
_VALUE: Final = "substr(l.asset, instr(l.asset, ':') + 1)"
_LIVE_THERE: Final = (
    "EXISTS (SELECT 1 FROM ledger.entry t WHERE t.identifier = held.identifier "
    f"AND held.asset = t.asset AND t.model = held.model AND t.{LIVE})"
)
FIND_KNOWN: Final = f"""
INSERT INTO known_place
SELECT h.identifier, h.asset, h.model, l.asset
FROM held h JOIN ledger.entry l ON l.identifier = h.identifier AND l.model = h.model
WHERE h.asset <> l.asset AND l.{LIVE} AND json_extract(h.locators, '$.' || {_NAME}) = {_VALUE}
"""
ADD_KNOWN: Final = f"""
INSERT INTO held
SELECT k.known, h.identifier, h.model, h.open, h.judged, h.shared, h.type, h.webapp, h.name,
    h.seen, h.locators
FROM known_place k JOIN held h
    ON h.identifier = k.identifier AND h.asset = k.asset AND h.model = k.model
WHERE true {WINNER}
"""
DROP_SHOWN: Final = f"""
DELETE FROM held
WHERE EXISTS (
        SELECT 1 FROM known_place k
        WHERE k.identifier = held.identifier AND held.asset = k.asset AND k.model = held.model
    )
    AND NOT {_LIVE_THERE}
"""


def place(connection: sqlite3.Connection) -> None:
    """Put what CVM shows at an asset to the key by which the ledger has it open there.

    Where locators were ranked otherwise when it was sent, CVM shows another one first. It is the
    same asset all the same, and only by the key that was sent can a load reach it for sure.
    """
    connection.execute("DELETE FROM known_place")
    for statement in (FIND_KNOWN, ADD_KNOWN, DROP_SHOWN):
        connection.execute(statement)
