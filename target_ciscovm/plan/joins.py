"""What is asked of the spool and the ledger together: joins in SQL, so that memory stays flat.

The ledger is attached to the spool's connection as `ledger`; see `ledger` for its tables.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.mapping.filters import INFORMATIONAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_ciscovm.intake.spool import Spool

OPEN: Final = 0
FIXED: Final = 1
NOTHING_TO_CLOSE: Final = 2
OUTDATED: Final = 3
REFUSED: Final = 4
"""Values of `finding.state`."""

OUTPUT: Final = """
CREATE VIEW sent AS SELECT
    identifier, asset, webapp, severity, seen, definition, state = 0 AS is_open
    FROM finding WHERE state < 2 AND filter IS NULL;
CREATE TABLE definition(number INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE load_asset(
    key TEXT PRIMARY KEY, whole INTEGER NOT NULL, part TEXT NOT NULL, position INTEGER NOT NULL,
    locators TEXT NOT NULL, application TEXT, webapps TEXT NOT NULL
);
CREATE TABLE closable(webapp INTEGER PRIMARY KEY);
CREATE TABLE held(asset TEXT PRIMARY KEY);
CREATE TABLE listed(webapp INTEGER PRIMARY KEY);
CREATE TABLE leaving(
    asset TEXT NOT NULL, identifier TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY(asset, identifier)
) WITHOUT ROWID;
"""
"""Tables of what a load holds, made beside the records."""


SENT_NAME: Final = (
    "CASE WHEN state = 1 THEN (SELECT name FROM ledger.entry e WHERE e.identifier = "
    "finding.identifier) END"
)


class SpooledFinding(NamedTuple):
    """A finding in the order of assets.

    `sent_name` is the name that it is open under in CVM, when it is a fix of something sent.
    """

    asset: str
    state: int
    filter: str | None
    definition: int
    app: int | None
    url: str | None
    seen: str
    item_at: int
    item_bytes: int
    sent_name: str | None


class SentAsset(NamedTuple):
    """An asset as it was sent before."""

    key: str
    locators: dict[str, str]
    application: str | None
    webapps: frozenset[int]


def mark_outdated(spool: Spool) -> None:
    """Mark rows that tell of an earlier time than what was sent before.

    They are those of a load that was written long ago and comes again; to follow them would close
    what has come back since, and move what has moved. A row that is known to be of now may be
    dated earlier, where a scan was deleted, so this is not for those.
    """
    spool.execute(
        "UPDATE finding SET state = 3 WHERE seen < (SELECT e.seen FROM ledger.entry e WHERE "
        "e.identifier = finding.identifier)"
    )


def mark_fixed(spool: Spool) -> None:
    """Bring FIXED rows to where the ledger has them open; others have nothing to close."""
    spool.execute(
        "UPDATE finding SET asset = (SELECT asset FROM ledger.entry e WHERE e.identifier = "
        "finding.identifier) WHERE state = 1 AND EXISTS (SELECT 1 FROM ledger.entry e WHERE "
        "e.identifier = finding.identifier)"
    )
    spool.execute(
        "UPDATE finding SET state = 2 WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM "
        "ledger.entry e WHERE e.identifier = finding.identifier)"
    )


def mark_fixed_before(spool: Spool, since: str | None) -> None:
    """Where no ledger tells what is open, close only what was fixed since then; None: nothing.

    Args:
        spool: with the findings.
        since: beginning of the window that the tap read, in UTC as text. A first full sync has
            none.
    """
    spool.execute(
        "UPDATE finding SET state = 2 WHERE state = 1 AND (?1 IS NULL OR closed IS NULL OR closed "
        "< ?1)",
        (since,),
    )


def define(spool: Spool, names: Iterable[str], informational: Iterable[int]) -> None:
    """Tell the definitions of the load, and leave out those that a filter leaves out.

    Args:
        spool: with the findings.
        names: of the definitions, by their number.
        informational: numbers of the definitions that `exclude_informational` leaves out.
    """
    spool.insert("definition", enumerate(names), 2)
    spool.connection.executemany(
        f"UPDATE finding SET filter = '{INFORMATIONAL}' WHERE state = 0 AND filter IS NULL AND "  # noqa: S608 - ours
        "definition = ?",
        ((number,) for number in informational),
    )


def leave_out(spool: Spool, webapps: Iterable[int], name: str) -> None:
    """Leave out what is open of some web applications, before any other filter."""
    spool.connection.executemany(
        "UPDATE finding SET filter = ? WHERE state = 0 AND webapp = ?",
        ((name, number) for number in webapps),
    )


def tally(spool: Spool) -> dict[tuple[int, str | None], int]:
    """Count findings by their state and the filter that leaves them out."""
    rows = spool.execute("SELECT state, filter, COUNT(*) FROM finding GROUP BY 1, 2")
    return {(state, name): count for state, name, count in rows}


def webapps_before(spool: Spool) -> set[int]:
    """Give the web applications that something is open of, by the ledger."""
    rows = spool.execute("SELECT DISTINCT webapp_id FROM ledger.entry WHERE webapp_id NOT NULL")
    return {row[0] for row in rows}


def webapps_known_by_findings(spool: Spool) -> set[int]:
    """Give the web applications that the load has findings of which the ledger has as theirs."""
    rows = spool.execute(
        "SELECT DISTINCT f.webapp FROM finding f JOIN ledger.entry e ON e.identifier = "
        "f.identifier AND e.webapp_id = f.webapp"
    )
    return {row[0] for row in rows}


def findings_by_asset(
    spool: Spool, *, has_ledger: bool
) -> Iterator[tuple[str, list[SpooledFinding]]]:
    """Give the findings of each asset, assets in the order of their keys."""
    spool.execute("CREATE INDEX finding_asset ON finding(asset)")
    sent_name = SENT_NAME if has_ledger else "NULL"
    columns = ", ".join([*SpooledFinding._fields[:-1], sent_name])
    rows = spool.execute(
        f"SELECT {columns} FROM finding WHERE asset IS NOT NULL ORDER BY asset, rowid"  # noqa: S608 - ours
    )
    for key, group in groupby(rows, itemgetter(0)):
        yield (key, [SpooledFinding._make(row) for row in group])


def refuse(spool: Spool, asset: str) -> None:
    """Take an asset out of the load again."""
    spool.execute(
        "UPDATE finding SET state = ? WHERE asset = ? AND state < 2 AND filter IS NULL",
        (REFUSED, asset),
    )
    spool.execute("DELETE FROM leaving WHERE asset = ?", (asset,))
    spool.execute("DELETE FROM load_asset WHERE key = ?", (asset,))


def is_in_load(spool: Spool, asset: str) -> bool:
    """Tell whether the asset has been written."""
    found = spool.execute("SELECT 1 FROM load_asset WHERE key = ?", (asset,)).fetchone()
    return found is not None


def sent_asset(spool: Spool, key: str) -> SentAsset | None:
    """Give an asset as the ledger has it."""
    row = spool.execute(
        "SELECT key, locators, application, webapp_ids FROM ledger.asset WHERE key = ?", (key,)
    ).fetchone()
    return None if row is None else read_asset(row)


def read_asset(row: tuple[str, str, str | None, str]) -> SentAsset:
    """Read an asset's row of the ledger."""
    key, locators, application, webapps = row
    return SentAsset(
        key,
        msgspec.json.decode(locators, type=dict[str, str]),
        application,
        msgspec.json.decode(webapps, type=frozenset[int]),
    )


def opened(spool: Spool) -> int:
    """Count findings sent as open that were not open before."""
    return spool.number(
        "SELECT COUNT(*) FROM sent WHERE is_open = 1 AND identifier NOT IN (SELECT identifier FROM "
        "ledger.entry)"
    )


def new_assets(spool: Spool) -> int:
    """Count assets of the load that the ledger does not know."""
    return spool.number(
        "SELECT COUNT(*) FROM load_asset WHERE key NOT IN (SELECT key FROM ledger.asset)"
    )
