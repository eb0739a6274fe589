"""Dates of findings that lie in the future, brought to now before anything is decided by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.intake.spool import BATCH

if TYPE_CHECKING:
    from target_ciscovm.intake.spool import Spool

NOTE: Final = "dates in the future: brought to now"
DATES: Final = ("created_at", "last_seen_at", "closed_at")
"""Dates of an entry in a file."""
LATER: Final = """
SELECT number, item FROM finding_row WHERE number > ? AND seen > ? ORDER BY 1 LIMIT ?
"""
BROUGHT: Final = """
UPDATE finding_row SET seen = :now, closed = min(closed, :now), item = :item
WHERE number = :row
"""


def bring_to_now(spool: Spool, now: str) -> int:
    """Bring the dates of findings and of their entries to now where they are later.

    Args:
        spool: with the findings.
        now: in UTC as text.

    Returns:
        How many findings had such dates.
    """
    count = last = 0
    while rows := spool.execute(LATER, (last, now, BATCH)).fetchall():
        changed = [_brought(spool, row, now) for row in rows]
        spool.connection.executemany(BROUGHT, changed)
        spool.flush()
        count, last = count + len(rows), rows[-1][0]
    return count


def _brought(spool: Spool, row: tuple[int, int], now: str) -> dict[str, object]:
    number, place = row
    item = spool.fields(place)
    for name in DATES:
        date = item.get(name)
        if isinstance(date, str) and date > now:
            item[name] = now
    return {"row": number, "now": now, "item": spool.add_item(msgspec.json.encode(item))}
