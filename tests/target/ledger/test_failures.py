from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.errors import LedgerDamaged, LedgerUnusable, NoAccess
from target_ciscovm.ledger.ledger import Entry, Ledger
from tests.target.ledger.ledgers import FIRST, URL, entry, settlement
from tests.target.private import assert_one_line, file_size_limit, read_only_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LONG = "x" * 2000
MANY = 5000

KILLED_WHILE_WRITING = f"""
import resource, signal, sys
from pathlib import Path
from target_ciscovm.ledger.ledger import Entry, Ledger, LedgerIdentity, Settlement
path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
limit = path.stat().st_size + 100_000
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
opened = [Entry(f"finding-{{n}}", "elsewhere", "{LONG}", 7) for n in range(0, {MANY}, 4)]
opened += [Entry(f"new-{{n}}", "elsewhere", "{LONG}", 7) for n in range(200)]
with Ledger(path) as ledger:
    ledger.settle(Settlement(LedgerIdentity(None, {{}}), "killed", opened))
"""
"""The kernel kills it at the write that makes the file 100,000 bytes larger."""


def settled(path: Path) -> Path:
    with Ledger(path) as ledger:
        ledger.settle(FIRST)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a ledger in which something is settled."""
    return settled(tmp_path / "ledger-42.db")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Give the path of a ledger of some 13 MB."""
    path = tmp_path / "large.db"
    with Ledger(path) as ledger:
        ledger.settle(settlement(opened=[entry(n, name=LONG) for n in range(MANY)]))
    return path


def contents(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return [
            *connection.execute("SELECT * FROM entry ORDER BY identifier"),
            *connection.execute("SELECT * FROM meta ORDER BY key"),
        ]
    finally:
        connection.close()


def test_a_kill_in_the_middle_of_settling_leaves_what_was_settled_before(large: Path) -> None:
    before, whole_file = contents(large), large.read_bytes()

    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_WRITING, str(large)], check=False, timeout=60
    )

    assert killed.returncode == -signal.SIGXFSZ
    assert large.with_name("large.db-journal").exists()
    assert large.read_bytes() != whole_file
    with Ledger(large) as ledger:
        assert ledger.last_run_id == "run-1"
        assert ledger.open_count() == MANY
        assert not ledger.is_open("new-0")
    assert contents(large) == before


def test_a_disk_that_gets_full_while_settling_leaves_what_was_settled_before(large: Path) -> None:
    before = contents(large)
    more = [entry(MANY + n, name=LONG) for n in range(200)]

    with (
        Ledger(large) as ledger,
        file_size_limit(large.stat().st_size + 100_000),
        pytest.raises(LedgerUnusable) as error,
    ):
        ledger.settle(settlement(opened=more))

    assert_one_line(error, large, "written", "the next run sends the same again")
    assert error.value.exit_code == 1
    assert contents(large) == before


def test_an_error_where_the_findings_come_from_passes_as_it_is_and_changes_nothing(
    path: Path,
) -> None:
    def cut_off() -> Iterator[Entry]:
        yield entry(9)
        message = "the spool's own"
        raise sqlite3.OperationalError(message)

    with Ledger(path) as ledger:
        with pytest.raises(sqlite3.OperationalError, match="the spool's own"):
            ledger.settle(settlement(opened=cut_off(), removed=[URL]))

        assert ledger.open_count() == 3
        assert not ledger.is_open("finding-9")
        ledger.settle(settlement(opened=[entry(9)]))
        assert ledger.is_open("finding-9")


def test_an_error_in_the_first_settling_leaves_no_ledger(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        with pytest.raises(ZeroDivisionError):
            ledger.settle(settlement(opened=(entry(1 // n) for n in (1, 0))))

        assert not ledger.exists
        assert ledger.open_count() == 0
        ledger.settle(FIRST)
        assert ledger.open_count() == 3


def read_all(ledger: Ledger) -> list[object]:
    return [
        ledger.identity,
        ledger.last_full_open,
        ledger.last_run_id,
        ledger.entries_of(URL),
        list(ledger.assets()),
        ledger.webapp_ids(),
    ]


def overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192])


def scramble(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * 4096 + content[8192:])


def sql(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "no database": lambda path: overwrite(path, b"identifier,asset\n" * 100),
    "another format of this program": lambda path: sql(path, "PRAGMA user_version=2"),
    "another program's": lambda path: sql(path, "PRAGMA application_id=1"),
    "cut": cut,
    "scrambled": scramble,
    "a table is gone": lambda path: sql(path, "DROP TABLE entry"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_ledger_is_one_clear_line_that_says_what_to_do(
    path: Path, damage: Callable[[Path], None]
) -> None:
    damage(path)
    damaged = path.read_bytes()

    for use in (Ledger.open_count, Ledger.require_writable, lambda one: one.settle(FIRST)):
        with Ledger(path) as ledger, pytest.raises(LedgerDamaged) as error:
            use(ledger)
        assert_one_line(error, path, "move it away", "until a full sync has rebuilt it")
        assert error.value.exit_code == 1
    assert path.read_bytes() == damaged


def test_a_newer_format_says_which_one(path: Path) -> None:
    sql(path, "PRAGMA user_version=2")

    with Ledger(path) as ledger, pytest.raises(LedgerDamaged, match="format is 2") as error:
        ledger.open_count()

    assert_one_line(error, "reads 1", "install the version that wrote it")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '{'",
        "UPDATE meta SET value = '[]'",
        "UPDATE asset SET locators = 'x'",
        "UPDATE asset SET webapp_ids = '[\"x\"]'",
        "UPDATE entry SET name = CAST(x'ff' AS TEXT)",
    ],
)
def test_values_that_cannot_be_read_are_damage_too(path: Path, statement: str) -> None:
    sql(path, statement)

    with Ledger(path) as ledger, pytest.raises(LedgerDamaged):
        read_all(ledger)


def test_an_empty_file_is_a_ledger_in_which_nothing_was_settled(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()

    with Ledger(path) as ledger:
        assert not ledger.exists
        assert path.stat().st_size == 0
        ledger.settle(FIRST)
        assert ledger.open_count() == 3


@pytest.mark.parametrize("name", ["folder", "file/ledger.db"])
def test_what_is_no_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with Ledger(tmp_path / name) as ledger, pytest.raises(LedgerUnusable) as error:
        ledger.open_count()

    assert_one_line(error, tmp_path / name)


def test_a_ledger_that_cannot_be_written_is_told_before_anything_is_sent() -> None:
    with read_only_folder(lambda folder: settled(folder / "ledger.db")) as folder:
        for path in (folder / "ledger.db", folder / "new.db", folder / "new" / "ledger.db"):
            with Ledger(path) as ledger, pytest.raises(NoAccess) as error:
                ledger.require_writable()
            assert_one_line(error, "Permission denied", "ledger_path")


def test_asking_whether_it_can_be_written_leaves_nothing_behind(path: Path) -> None:
    before = path.read_bytes()
    with Ledger(path) as ledger:
        ledger.require_writable()
        assert ledger.open_count() == 3
    with Ledger(path.with_name("other.db")) as ledger:
        ledger.require_writable()

    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_a_second_one_that_settles_at_once_waits_for_the_first(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM entry WHERE identifier = 'finding-1'")
    release = threading.Timer(0.3, other.execute, ["COMMIT"])
    release.start()

    with Ledger(path, busy_seconds=30) as ledger:
        ledger.settle(settlement(opened=[entry(9)]))
        release.join()
        assert ledger.open_count() == 3

    other.close()


def test_one_that_waits_in_vain_is_one_clear_line(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with Ledger(path, busy_seconds=0.05) as ledger:
        assert ledger.open_count() == 3
        with pytest.raises(LedgerUnusable) as error:
            ledger.settle(settlement(opened=[entry(9)]))
        with pytest.raises(LedgerUnusable):
            ledger.require_writable()

    assert_one_line(error, path, "another process has it open")
    other.close()


def test_two_that_are_open_at_once_see_what_the_other_settles(path: Path) -> None:
    with Ledger(path) as one, Ledger(path) as other:
        assert one.open_count() == other.open_count() == 3
        one.settle(settlement(opened=[entry(8)]))
        other.settle(replace(settlement(), opened=[entry(9)]))

        assert one.open_count() == other.open_count() == 5
