"""Findings of the Application Security Module that an earlier load gave a state, open again.

An open finding is sent without a state, which would undo the triage of people. So what loads did to
it (`map_ignored`, `status_map`, a closing) has to be taken back by name, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.intake.spool import BATCH
from target_ciscovm.ledger.tables import TRIAGE
from target_ciscovm.plan.decisions import AGAIN, MOVED_HERE
from target_ciscovm.plan.statements import TRIAGED

if TYPE_CHECKING:
    from target_ciscovm.intake.spool import Spool

# ruff: noqa: S608 - the statements are put together of our own texts

STATE: Final = "triage_state"
OPEN: Final = "new"
TO_TAKE_BACK: Final = f"""
SELECT f.number, f.item FROM opened_row o JOIN finding_row f ON f.number = o.finding
WHERE f.number > ? AND (o.cause IN {AGAIN, MOVED_HERE} OR f.identifier IN ({TRIAGED}))
ORDER BY 1 LIMIT ?
"""
ANY: Final = f"SELECT EXISTS (SELECT 1 FROM triaged UNION ALL {TRIAGED})"
TO_REMEMBER: Final = f"""
SELECT identifier, identifier IN (SELECT identifier FROM triaged) FROM opened
WHERE identifier IN (SELECT identifier FROM triaged UNION ALL {TRIAGED})
"""


def take_back(spool: Spool) -> None:
    """Send what is open again with the state of a new finding, unless it has one of its own."""
    last = 0
    while rows := spool.execute(TO_TAKE_BACK, (last, BATCH)).fetchall():
        for number, place in rows:
            item = spool.fields(place)
            if STATE not in item:
                made = spool.add_item(msgspec.json.encode(item | {STATE: OPEN}))
                spool.execute("UPDATE finding_row SET item = ? WHERE number = ?", (made, number))
        last = rows[-1][0]


def to_remember(spool: Spool) -> dict[str, bool]:
    """Give by name in `meta` whether the load gives an entry a state, as far as that is news."""
    if not spool.number(ANY):
        return {}
    return {f"{TRIAGE}{name}": bool(given) for name, given in spool.execute(TO_REMEMBER)}
