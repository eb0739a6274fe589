"""Made-up content for ledgers."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from target_ciscovm.ledger.ledger import Home
from target_ciscovm.ledger.settlement import Settlement
from target_ciscovm.ledger.tables import Covered, Entry, Link, SentAsset, ShownWebApp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from target_ciscovm.ledger.ledger import Ledger

HOME = Home("cvm.example.test", 42)
IDENTITY = {"data_model": "vulnerabilities", "url_query": "cut"}
URL = "url:https://app.example.test/"
OTHER = "external_id:8"
STARTED = "2026-03-01T08:00:00Z"
LATER = "2026-03-08T08:00:00Z"


def identifier(number: int) -> str:
    """Give the identifier of a made-up finding."""
    return f"V-7-finding-{number}"


def entry(number: int, asset: str = URL, **changes: Any) -> Entry:  # noqa: ANN401 - of all types
    """Make an open finding of web application 7."""
    made = Entry(
        asset,
        identifier(number),
        "vulnerabilities",
        "open",
        "QID 150001 XSS",
        "V",
        webapp=7,
        source="api",
        account=1,
        sent_at=STARTED,
        seen=STARTED,
        severity=3,
    )
    return made._replace(**changes)


def asset(key: str = URL, **locators: str) -> SentAsset:
    """Make an asset, by default with the locator that its key names."""
    kind, _, value = key.partition(":")
    text = json.dumps(locators or {kind: value}, separators=(",", ":"))
    return SentAsset(key, text, STARTED)


def settlement(entries: Iterable[Entry] = (), **changes: Any) -> Settlement:  # noqa: ANN401
    """Make what a load with these entries does, with the settings that every load keeps."""
    return Settlement(entries, **{"meta": {"identity": IDENTITY}, **changes})


FIRST = settlement(
    [entry(1), entry(2), entry(3, OTHER, webapp=8)],
    assets=[asset(), asset(OTHER)],
    webapps=[ShownWebApp(1, 7, "made-up", "Shop 'A'", STARTED)],
    coverage=[Covered(1, "api", 7, "V", STARTED)],
    chain=[Link("scope", STARTED, 3)],
    meta={"identity": IDENTITY, "proven_at": STARTED},
)


def load(ledger: Ledger, done: Settlement) -> None:
    """Let a load go well: put down, run in CVM, settled."""
    ledger.put_down(done)
    ledger.name_pending(815)
    ledger.settle()


def rows(ledger: Ledger, table: str) -> list[tuple[Any, ...]]:
    """Give all rows of a table, as a run that joins with it sees them."""
    with closing(sqlite3.connect(":memory:", uri=True)) as connection:
        ledger.attach_to(connection)
        return sorted(connection.execute(f"SELECT * FROM ledger.{table}"), key=str)  # noqa: S608


def entries(ledger: Ledger) -> list[Entry]:
    """Give all entries, the closed ones too, by identifier and asset."""
    return sorted(map(Entry._make, rows(ledger, "entry")), key=lambda one: (one[1], one[0]))


def states(ledger: Ledger) -> dict[str, str]:
    """Give the state of each entry by its identifier; each is at one asset only."""
    return {one.identifier: one.state for one in entries(ledger)}


def remove_in_mid_write(path: Path) -> None:
    """Remove a ledger whose process was killed while it wrote; what was half written stays."""
    journal = path.with_name(f"{path.name}-journal")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size=1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE entry SET name = hex(randomblob(4000))")
        left = journal.read_bytes()
        connection.execute("ROLLBACK")
    path.unlink()
    journal.write_bytes(left)
