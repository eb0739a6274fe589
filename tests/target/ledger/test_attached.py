"""A run joins its own records with what the ledger holds."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.errors import LedgerDamaged, LedgerForeign
from target_ciscovm.ledger.ledger import Home, Ledger
from target_ciscovm.ledger.tables import TABLES, Entry
from tests.target.ledger.ledgers import (
    FIRST,
    HOME,
    OTHER,
    URL,
    entry,
    identifier,
    load,
    settlement,
    states,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIXED_BUT_OPEN = (
    "SELECT identifier FROM finding JOIN ledger.entry USING (identifier) WHERE state = 'open'"
)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give a run's own database, as strict and as busy as one can be."""
    connection = sqlite3.connect(tmp_path / "records.db", isolation_level=None, uri=True)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    connection.execute("CREATE TABLE finding(identifier TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO finding VALUES(?)", [(identifier(1),), (identifier(9),)])
    yield connection
    connection.close()


@pytest.mark.parametrize("name", ["ledger.db", "a b?c#d%20'e.db", "ü/日本.db"])
def test_a_run_joins_with_what_is_open(
    tmp_path: Path, spool: sqlite3.Connection, name: str
) -> None:
    with Ledger(tmp_path / name, HOME) as ledger:
        load(ledger, FIRST)
        ledger.attach_to(spool, "ledger")

    assert list(spool.execute(FIXED_BUT_OPEN)) == [(identifier(1),)]
    assert list(spool.execute("SELECT key FROM ledger.asset")) == [(OTHER,), (URL,)]


def test_a_relative_path_can_be_attached(
    tmp_path: Path, spool: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Ledger((tmp_path / "ledger.db").relative_to(tmp_path), HOME) as ledger:
        load(ledger, FIRST)
        ledger.attach_to(spool)

    assert list(spool.execute(FIXED_BUT_OPEN)) == [(identifier(1),)]


@pytest.mark.parametrize("remembered", [True, False], ids=["no file", "no path"])
def test_without_a_ledger_the_tables_are_there_and_empty(
    tmp_path: Path, spool: sqlite3.Connection, remembered: bool
) -> None:
    path = tmp_path / "ledger.db" if remembered else None
    with Ledger(path, HOME) as ledger:
        ledger.attach_to(spool)

    for table in TABLES:
        assert list(spool.execute(f"SELECT * FROM ledger.{table}")) == []  # noqa: S608 - ours
    assert list(spool.execute(FIXED_BUT_OPEN)) == []
    assert not (tmp_path / "ledger.db").exists()


def test_what_is_attached_cannot_be_written(tmp_path: Path, spool: sqlite3.Connection) -> None:
    with Ledger(tmp_path / "ledger.db", HOME) as ledger:
        load(ledger, FIRST)
        ledger.attach_to(spool)

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        spool.execute("DELETE FROM ledger.entry")


def test_a_run_that_still_reads_does_not_keep_its_own_ledger_from_being_settled(
    tmp_path: Path, spool: sqlite3.Connection
) -> None:
    with Ledger(tmp_path / "ledger.db", HOME, busy_seconds=0.05) as ledger:
        load(ledger, FIRST)
        ledger.attach_to(spool)
        reading = spool.execute("SELECT identifier FROM ledger.entry ORDER BY identifier")
        assert next(reading) == (identifier(1),)

        load(ledger, settlement([entry(9)]))

        assert states(ledger)[identifier(9)] == "open"


def test_what_is_put_down_is_read_from_a_join_with_the_ledger_itself(
    tmp_path: Path, spool: sqlite3.Connection
) -> None:
    closing = (
        "SELECT asset, identifier, model, 'closed', name, type, webapp, source, account, sent_at, "
        "seen, severity FROM finding JOIN ledger.entry USING (identifier)"
    )
    with Ledger(tmp_path / "ledger.db", HOME, busy_seconds=0.05) as ledger:
        load(ledger, FIRST)
        ledger.attach_to(spool)

        load(ledger, settlement(map(Entry._make, spool.execute(closing))))

        assert states(ledger)[identifier(1)] == "closed"
        assert ledger.open_count() == 2


def test_attached_anew_it_shows_what_was_settled_since(
    tmp_path: Path, spool: sqlite3.Connection
) -> None:
    with Ledger(tmp_path / "ledger.db", HOME) as ledger:
        load(ledger, FIRST)
        ledger.attach_to(spool)
        load(ledger, settlement([entry(9)]))

        spool.execute("COMMIT")
        spool.execute("DETACH ledger")
        ledger.attach_to(spool)

    assert list(spool.execute(FIXED_BUT_OPEN)) == [(identifier(1),), (identifier(9),)]


def test_a_damaged_ledger_is_not_attached(tmp_path: Path, spool: sqlite3.Connection) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database" * 100)

    with Ledger(tmp_path / "ledger.db", HOME) as ledger, pytest.raises(LedgerDamaged):
        ledger.attach_to(spool)


def test_a_ledger_of_another_connector_is_not_attached(
    tmp_path: Path, spool: sqlite3.Connection
) -> None:
    with Ledger(tmp_path / "ledger.db", Home(HOME.host, 43)) as ledger:
        load(ledger, FIRST)

    with Ledger(tmp_path / "ledger.db", HOME) as ledger, pytest.raises(LedgerForeign):
        ledger.attach_to(spool)


def test_a_connection_that_takes_no_addresses_is_told_so_where_sqlite_does_not_always(
    tmp_path: Path,
) -> None:
    plain = sqlite3.connect(":memory:")
    with Ledger(tmp_path / "ledger.db", HOME) as ledger:
        load(ledger, FIRST)
        always = ("USE_URI",) in plain.execute("PRAGMA compile_options").fetchall()
        with nullcontext() if always else pytest.raises(ValueError, match="uri=True"):
            ledger.attach_to(plain)
    plain.close()

    assert [one.name for one in tmp_path.iterdir()] == ["ledger.db"]


@pytest.mark.parametrize("name", ["", "a b", "x; DROP TABLE finding", "ü", 'a"b'])
def test_only_a_plain_name_can_be_a_schema(
    tmp_path: Path, spool: sqlite3.Connection, name: str
) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger, pytest.raises(ValueError, match="schema"):
        ledger.attach_to(spool, name)
