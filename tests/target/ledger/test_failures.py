"""A ledger that is damaged, another's, locked or on a full disk says so and stays as it was."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from qualyswas_ciscovm.errors import Interrupted
from target_ciscovm.errors import (
    LedgerDamaged,
    LedgerForeign,
    LedgerRefused,
    LedgerUnusable,
    NoAccess,
)
from target_ciscovm.ledger.ledger import Home, Ledger, PendingRun
from target_ciscovm.ledger.tables import Link, SentAsset
from tests.target.ledger.ledgers import (
    FIRST,
    HOME,
    LATER,
    STARTED,
    entries,
    entry,
    load,
    remove_in_mid_write,
    settlement,
)
from tests.target.private import assert_one_line, file_size_limit, read_only_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from target_ciscovm.ledger.tables import Entry

LONG = "x" * 2000
MANY = 5000

KILLED_WHILE_WRITING = """
import resource, signal, sys
from pathlib import Path
from target_ciscovm.ledger.ledger import Ledger
from tests.target.ledger.ledgers import HOME
from tests.target.ledger.test_failures import MOST
path, step, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with Ledger(path, HOME) as ledger:
    ledger.put_down(MOST) if step == "put_down" else ledger.settle()
"""
"""The kernel kills it at the first write beyond the limit."""
MORE = settlement([entry(n, name=LONG) for n in range(0, 2 * MANY, 2)])
"""As much again, half of it known already."""
MOST = settlement([entry(n, name=LONG) for n in range(2 * MANY)])
"""More than there is room for in the file as it is."""


def settled(path: Path) -> Path:
    with Ledger(path, HOME) as ledger:
        load(ledger, FIRST)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a ledger in which something is settled."""
    return settled(tmp_path / "ledger-42.db")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Give the path of a ledger of some 13 MB."""
    path = tmp_path / "large.db"
    with Ledger(path, HOME) as ledger:
        load(ledger, settlement([entry(n, name=LONG) for n in range(MANY)]))
    return path


def kill_during(step: str, path: Path, limit: int) -> None:
    """Let a process of its own do a step on a ledger, and see that it dies in the middle."""
    before = path.read_bytes()
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(path), step, str(limit)]
    killed = subprocess.run(command, check=False, timeout=60)
    assert killed.returncode == -signal.SIGXFSZ
    assert path.with_name("large.db-journal").exists()
    assert path.read_bytes() != before


def test_a_kill_in_the_middle_of_putting_down_leaves_what_was_settled_before(large: Path) -> None:
    with Ledger(large, HOME) as ledger:
        before = entries(ledger)

    kill_during("put_down", large, large.stat().st_size + 100_000)

    with Ledger(large, HOME) as ledger:
        assert entries(ledger) == before
        ledger.settle()
        assert entries(ledger) == before


def test_a_kill_in_the_middle_of_settling_leaves_it_put_down_to_be_settled_again(
    large: Path,
) -> None:
    with Ledger(large, HOME) as ledger:
        before = entries(ledger)
        ledger.put_down(MORE)
        ledger.name_pending(815)

    kill_during("settle", large, large.stat().st_size + 100_000)

    with Ledger(large, HOME) as ledger:
        assert entries(ledger) == before
        assert ledger.pending == PendingRun(815)
        ledger.settle()
        assert ledger.open_count() == MANY * 3 // 2


def test_what_a_killed_process_left_half_written_is_not_taken_for_the_next_ledgers(
    path: Path,
) -> None:
    remove_in_mid_write(path)

    with Ledger(path, HOME) as ledger:
        load(ledger, settlement([entry(9)]))

    with Ledger(path, HOME) as ledger:
        assert entries(ledger) == [entry(9)]


@pytest.mark.parametrize("step", ["put_down", "settle"])
def test_a_disk_that_gets_full_leaves_what_was_settled_before(large: Path, step: str) -> None:
    with Ledger(large, HOME) as ledger:
        before = entries(ledger)
        ledger.put_down(MORE)
        act: Callable[[], None] = ledger.settle
        if step == "put_down":
            act = lambda: ledger.put_down(MOST)  # noqa: E731 - what is done on the full disk
        with (
            file_size_limit(large.stat().st_size + 100_000),
            pytest.raises(LedgerUnusable) as error,
        ):
            act()

    assert_one_line(error, large, "written", "the next run sends the same again")
    assert error.value.exit_code == 1
    with Ledger(large, HOME) as ledger:
        assert entries(ledger) == before


def test_an_error_where_the_findings_come_from_passes_as_it_is_and_changes_nothing(
    path: Path,
) -> None:
    def cut_off() -> Iterator[Entry]:
        yield entry(9)
        message = "the spool's own"
        raise sqlite3.OperationalError(message)

    with Ledger(path, HOME) as ledger:
        before = entries(ledger)
        with pytest.raises(sqlite3.OperationalError, match="the spool's own"):
            ledger.put_down(settlement(cut_off()))
        ledger.settle()
        assert entries(ledger) == before

        load(ledger, settlement([entry(9)]))
        assert ledger.open_count() == 4


def test_an_error_in_the_first_load_leaves_nothing_open(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db", HOME) as ledger:
        with pytest.raises(ZeroDivisionError):
            ledger.put_down(settlement(entry(1 // n) for n in (1, 0)))

        assert ledger.open_count() == 0
        load(ledger, FIRST)
        assert ledger.open_count() == 3


def read_all(ledger: Ledger) -> list[object]:
    return [
        ledger.exists,
        ledger.identity,
        ledger.proven_at,
        ledger.is_whole,
        ledger.open_count(),
        ledger.accounts(),
        ledger.link("scope"),
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
    "empty": lambda path: overwrite(path, b""),
    "another program's": lambda path: sql(path, "PRAGMA application_id=1"),
    "cut": cut,
    "scrambled": scramble,
    "a table is gone": lambda path: sql(path, "DROP TABLE entry"),
}


def uses(path: Path, kind: type[Exception]) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Use a ledger in each way that a run does, and give how each was refused."""
    before = path.read_bytes()
    for use in (Ledger.open_count, Ledger.require_writable, lambda one: one.put_down(FIRST)):
        with Ledger(path, HOME) as ledger, pytest.raises(kind) as error:
            use(ledger)
        yield error
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_ledger_is_one_clear_line_that_says_what_to_do(
    path: Path, damage: Callable[[Path], None]
) -> None:
    damage(path)

    for error in uses(path, LedgerDamaged):
        assert_one_line(error, path, "Restore a good copy", "rebuild-ledger")
        assert error.value.exit_code == 1  # type: ignore[attr-defined] # one of our own


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (1, ("form 1 of an earlier version", "rebuild-ledger", "ledger_path")),
        (3, ("form 3, this one reads 2", "install that version")),
    ],
)
def test_a_ledger_of_another_form_is_refused_by_name_with_the_way_out(
    path: Path, version: int, words: tuple[str, ...]
) -> None:
    sql(path, f"PRAGMA user_version={version}")

    for error in uses(path, LedgerRefused):
        assert_one_line(error, path, *words)
        assert error.value.exit_code == 2  # type: ignore[attr-defined] # one of our own


@pytest.mark.parametrize("other", [Home("other.example.test", 42), Home("cvm.example.test", 43)])
def test_a_ledger_of_another_connector_is_refused_by_name_with_the_way_out(
    tmp_path: Path, other: Home
) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path, other) as ledger:
        load(ledger, FIRST)

    for error in uses(path, LedgerForeign):
        owner = f"connector {other.connector} at {other.host}"
        assert_one_line(error, path, owner, "Set ledger_path")
        assert error.value.exit_code == 2  # type: ignore[attr-defined] # one of our own


def test_who_is_no_connector_reads_any_ledger(path: Path) -> None:
    with Ledger(path) as ledger:
        assert ledger.open_count() == 3


def test_a_ledger_is_its_connectors_from_the_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path, Home("other.example.test", 42)) as ledger:
        ledger.remember("whole", value=False)

    with Ledger(path, HOME) as ledger, pytest.raises(LedgerForeign):
        ledger.open_count()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '{'",
        "UPDATE meta SET value = '[]'",
        "UPDATE meta SET value = CAST(x'ff' AS TEXT)",
        "UPDATE chain SET began = CAST(x'ff' AS TEXT)",
    ],
)
def test_values_that_cannot_be_read_are_damage_too(path: Path, statement: str) -> None:
    sql(path, statement)

    with Ledger(path, HOME) as ledger, pytest.raises(LedgerDamaged):
        read_all(ledger)


def test_locators_that_cannot_be_read_are_damage_too(path: Path) -> None:
    sql(path, "UPDATE asset SET locators = 'x'")

    with Ledger(path, HOME) as ledger, pytest.raises(LedgerDamaged):
        load(ledger, FIRST)


@pytest.mark.parametrize("name", ["folder", "file/ledger.db"])
def test_what_is_no_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with Ledger(tmp_path / name, HOME) as ledger, pytest.raises(LedgerUnusable) as error:
        ledger.open_count()

    assert_one_line(error, tmp_path / name)


def test_a_load_can_be_tried_for_while_another_one_is(tmp_path: Path) -> None:
    told: list[OSError] = []

    def try_often() -> None:
        try:
            for _ in range(500):
                with Ledger(tmp_path / "ledger.db", HOME) as ledger:
                    ledger.require_writable()
        except OSError as error:
            told.append(error)

    threads = [threading.Thread(target=try_often) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told == []


def test_a_ledger_that_cannot_be_written_is_told_before_anything_is_sent() -> None:
    with read_only_folder(lambda folder: settled(folder / "ledger.db")) as folder:
        for path in (folder / "ledger.db", folder / "new.db", folder / "new" / "ledger.db"):
            with Ledger(path, HOME) as ledger, pytest.raises(NoAccess) as error:
                ledger.require_writable()
            assert_one_line(error, "Permission denied", "ledger_path")


def test_asking_whether_it_can_be_written_leaves_nothing_behind(path: Path) -> None:
    before = path.read_bytes()
    with Ledger(path, HOME) as ledger:
        ledger.require_writable()
        assert ledger.open_count() == 3
    with Ledger(path.with_name("other.db"), HOME) as ledger:
        ledger.require_writable()

    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_one_that_writes_while_another_does_waits_for_it(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM entry WHERE identifier = 'V-7-finding-1'")
    release = threading.Timer(0.3, other.execute, ["COMMIT"])
    release.start()

    with Ledger(path, HOME, busy_seconds=30) as ledger:
        load(ledger, settlement([entry(9)]))
        release.join()
        assert ledger.open_count() == 3

    other.close()


def test_one_that_waits_in_vain_is_one_clear_line(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    writing = (lambda one: one.put_down(FIRST), Ledger.settle, Ledger.require_writable)
    with Ledger(path, HOME, busy_seconds=0.05) as ledger:
        assert ledger.open_count() == 3
        for use in writing:
            with pytest.raises(LedgerUnusable) as error:
                use(ledger)
            assert_one_line(error, path, "another process has it open")

    other.close()


def test_two_that_are_open_at_once_see_what_the_other_settles(path: Path) -> None:
    with Ledger(path, HOME) as one, Ledger(path, HOME) as other:
        assert one.open_count() == other.open_count() == 3
        load(one, settlement([entry(8)]))
        load(other, settlement([entry(9)]))

        assert one.open_count() == other.open_count() == 5


def test_a_signal_to_stop_while_it_settles_is_no_damage(path: Path) -> None:
    def stop(number: int, _frame: object) -> None:
        raise Interrupted(number)

    many = [SentAsset(f"url:{number}", '{"url":"x"}', STARTED) for number in range(2 * MANY)]
    with Ledger(path, HOME) as ledger:
        load(ledger, settlement(assets=many))
        ledger.put_down(settlement(assets=many, chain=[Link("scope", LATER, 1)]))
        before = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.003)
            with pytest.raises(Interrupted):
                ledger.settle()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

        assert ledger.link("scope") == Link("scope", STARTED, 3)
        assert ledger.pending is not None
