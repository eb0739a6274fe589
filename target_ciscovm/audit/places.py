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
NAME_BY_SENT: Final = """
UPDATE held SET asset = sent
WHERE sent IS NOT NULL AND sent IN (
    SELECT COALESCE(sent, asset) FROM held GROUP BY 1 HAVING COUNT(DISTINCT asset) = 1
)
"""
"""Where assets share the key, closings by it reach one of them only, and one of them may have been
sent by it. Each of them keeps the key that is surely its own."""
FIND_KNOWN: Final = f"""
INSERT INTO known_place
SELECT h.identifier, h.asset, h.model, l.asset, h.open AND NOT h.judged AND NOT h.shared
FROM held h JOIN ledger.entry l ON l.identifier = h.identifier AND l.model = h.model
WHERE h.asset <> l.asset AND l.{LIVE} AND json_extract(h.locators, '$.' || {_NAME}) = {_VALUE}
"""
KEEP_SECOND: Final = """
DELETE FROM known_place AS k
WHERE k.open AND (
    EXISTS (
        SELECT 1 FROM known_place o
        WHERE o.identifier = k.identifier AND o.model = k.model AND o.known = k.known
            AND o.open AND o.asset < k.asset
    )
    OR EXISTS (
        SELECT 1 FROM held h
        WHERE h.identifier = k.identifier AND h.asset = k.known AND h.model = k.model
            AND h.open AND NOT h.judged
    )
)
"""
"""The ledger has it open once, so a second asset that has it open is one that it does not know."""
ADD_KNOWN: Final = f"""
INSERT INTO held
SELECT k.known, h.identifier, h.model, h.open, h.judged, h.shared, h.type, h.webapp, h.name,
    h.seen, h.locators, NULL
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
    for statement in (NAME_BY_SENT, FIND_KNOWN, KEEP_SECOND, ADD_KNOWN, DROP_SHOWN):
        connection.execute(statement)
