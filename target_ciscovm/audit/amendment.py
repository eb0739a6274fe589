"""What CVM holds, written into the ledger: what differs taken over, a lost ledger made anew.

An entry that is known from CVM alone has neither account nor source, and often no name: only its
identifier tells its type and web application, by which it is covered.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import parse, to_text
from target_ciscovm.audit.drift import CLOSED, HAS, INSTEAD, JOINED, LACKS, SHARED
from target_ciscovm.ledger.ledger import KnownRuns
from target_ciscovm.ledger.tables import LIVE

if TYPE_CHECKING:
    from target_ciscovm.audit.held import Held
    from target_ciscovm.audit.runs import Runs
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.ledger.tables import State

# ruff: noqa: S608 - the statements are put together of our own texts

NOT_SHOWN: Final = timedelta(days=1)
"""So long CVM may not show what a run has done."""


_LACKING: Final = (
    f"UPDATE entry SET state = {{}} WHERE {LIVE} AND EXISTS (SELECT 1 FROM cvm.drift d {{}})"
)
"""Give what CVM does not have open another state."""
CLOSE: Final = _LACKING.format(
    "'closed'",
    f"JOIN cvm.held h ON {JOINED.format('d')} "
    f"WHERE {JOINED.format('entry')} AND d.kind = '{CLOSED}' AND h.seen >= entry.sent_at",
)
"""Closed since it was sent last: an older closing may be what it was before that."""
DOUBT: Final = _LACKING.format(
    "CASE WHEN sent_at >= :young THEN 'perhaps' ELSE 'closed' END",
    "WHERE d.identifier = entry.identifier AND d.asset = entry.asset AND d.model = entry.model "
    f"AND d.kind IN {LACKS}",
)
"""CVM may have answered from a time before its last run. To close what is not open does no harm."""


def _kept(state: State, seen: str, which: str) -> str:
    """Keep entries of CVM, the last sync of which is not known."""
    return f"""
INSERT INTO entry
SELECT h.asset, h.identifier, h.model, '{state}', h.name, h.type, h.webapp, NULL, NULL, :at,
    {seen}, NULL
FROM cvm.held h {which}
"""


_SEEN: Final = "COALESCE(NULLIF(h.seen, ''), :at)"
_DRIFTED: Final = f"JOIN cvm.drift d ON {JOINED.format('d')} AND d.kind IN {(*HAS, INSTEAD)}"
OPEN: Final = _kept(
    "open",
    _SEEN,
    f"{_DRIFTED} WHERE true ON CONFLICT(identifier, asset, model) DO UPDATE SET state = 'open', "
    "sent_at = max(sent_at, excluded.sent_at)",
)
KEEP_SHARED: Final = _kept(
    "perhaps",
    _SEEN,
    f"JOIN cvm.drift d ON {JOINED.format('d')} AND d.kind = '{SHARED}' WHERE true "
    "ON CONFLICT(identifier, asset, model) DO UPDATE SET state = 'perhaps' "
    "WHERE entry.state <> 'closing'",
)
KEEP_JUDGED: Final = _kept("perhaps", _SEEN, "WHERE h.judged ON CONFLICT DO NOTHING")
"""To a load, what people have called something is as open as it was."""
KEEP_CLOSED: Final = _kept(
    "closed", ":at", "WHERE NOT h.open AND NOT h.judged ON CONFLICT DO NOTHING"
)
"""So that an older load which comes again opens none of it."""
KEEP: Final = (KEEP_SHARED, KEEP_JUDGED, KEEP_CLOSED)
KEEP_ASSETS: Final = (
    "INSERT OR IGNORE INTO asset SELECT DISTINCT h.asset, h.locators, NULL, NULL FROM cvm.held h "
    "WHERE EXISTS (SELECT 1 FROM entry e WHERE e.asset = h.asset)"
)
SENT_SINCE: Final = f"""
UPDATE entry SET sent_at = :at
WHERE sent_at < :at
    AND EXISTS (SELECT 1 FROM cvm.held h WHERE {JOINED.format("entry")})
"""
"""Others may have sent it in the runs that are not known here, so no earlier sync closes it."""


def take_over(held: Held, ledger: Ledger, runs: Runs) -> None:
    """Take over what differs: the next full load mends it where that is safe."""
    values = _moments(ledger, runs)
    with ledger.amending(held.path) as connection:
        for change in (DOUBT, OPEN, KEEP_ASSETS):
            connection.execute(change, values)


def catch_up(held: Held, ledger: Ledger, runs: Runs) -> None:
    """Bring the ledger up to what CVM holds after runs that it does not know; all, if it is new."""
    values = _moments(ledger, runs)
    ledger.create(whole=False)  # a kill in between leaves one that is to be made anew
    with ledger.amending(held.path) as connection:
        for change in (CLOSE, DOUBT, OPEN, *KEEP, KEEP_ASSETS, SENT_SINCE):
            connection.execute(change, values)
        ledger.remember("whole", value=True)
        going_on = tuple(run for run in ledger.known_runs.own if run > runs.newest)
        ledger.remember("runs", value=KnownRuns(runs.newest, going_on))
        if runs.last_good_began is not None:
            ledger.remember("run_instead", value=runs.last_good_began)


def _moments(ledger: Ledger, runs: Runs) -> dict[str, str]:
    """Give when the last run began, and since when syncs have begun that CVM may not show yet.

    These are the syncs of the day before that run, and the one whose load waited until then.
    """
    last = parse(runs.last_began)
    young = to_text(last - NOT_SHOWN) if last else runs.last_began
    load = ledger.last_load
    if load is not None and load.ran >= young:
        young = min(young, load.began)
    return {"at": runs.last_began, "young": young}
