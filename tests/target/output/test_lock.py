from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from target_ciscovm.errors import AlreadyRunning, NoAccess
from target_ciscovm.output.lock import connector_lock
from tests.target.private import assert_one_line, mode_of, read_only_folder, umask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from target_ciscovm.output.lock import connector_lock
with connector_lock(Path(sys.argv[1]), "42"):
    print("held", flush=True)
    sys.stdin.readline()
    if sys.argv[2:] == ["fails"]:
        raise ValueError
"""

WITHOUT_LOCKS = """
import sys
sys.modules["fcntl"] = None
from pathlib import Path
from target_ciscovm.errors import CiscoVMError
from target_ciscovm.output.lock import connector_lock
try:
    with connector_lock(Path(sys.argv[1]), "42"):
        print("held")
except CiscoVMError as error:
    print(error)
"""


@contextmanager
def holder(folder: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Give another process that holds the lock, and what tells it to end."""
    command = [sys.executable, "-c", HOLDER, str(folder), *args]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process, process.stdin


def test_a_second_load_of_the_connector_stops_with_one_line_that_names_process_and_file(
    tmp_path: Path,
) -> None:
    with holder(tmp_path) as (process, end):
        with pytest.raises(AlreadyRunning) as error, connector_lock(tmp_path, "42"):
            pass
        end.write("\n")

    assert_one_line(error, f"process {process.pid}", tmp_path / "connector-42.lock", "42")
    assert error.value.pid == process.pid
    assert error.value.exit_code == 1


def test_the_lock_is_free_after_an_ordinary_end(tmp_path: Path) -> None:
    for _ in range(2):
        with connector_lock(tmp_path, "42") as path:
            assert path.read_text() == f"{os.getpid()}\n"


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with holder(tmp_path, "fails") as (process, end):
        end.write("\n")
        end.flush()
        assert process.wait(timeout=20) == 1

        with connector_lock(tmp_path, "42"):
            pass


def test_the_lock_is_free_after_a_kill(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)

        with connector_lock(tmp_path, "42") as path:
            assert path.read_text() == f"{os.getpid()}\n"


def test_a_lock_within_the_same_process_counts_too(tmp_path: Path) -> None:
    with (
        connector_lock(tmp_path, "42"),
        pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"),
        connector_lock(tmp_path, "42"),
    ):
        pass


def test_losing_leaves_the_holders_lock_and_note_in_place(tmp_path: Path) -> None:
    with holder(tmp_path) as (process, end):
        for _ in range(2):
            with pytest.raises(AlreadyRunning), connector_lock(tmp_path, "42"):
                pass
            assert (tmp_path / "connector-42.lock").read_text() == f"{process.pid}\n"
        end.write("\n")


def test_other_connectors_load_at_the_same_time(tmp_path: Path) -> None:
    with connector_lock(tmp_path, "42") as one, connector_lock(tmp_path, "43") as other:
        assert one != other


@pytest.mark.parametrize("note", [b"", b"\0\xff", b"soon\n", "²".encode(), b"9" * 99])
def test_an_unreadable_note_still_stops_the_second_load(tmp_path: Path, note: bytes) -> None:
    with connector_lock(tmp_path, "42") as path:
        path.write_bytes(note)
        with pytest.raises(AlreadyRunning) as error, connector_lock(tmp_path, "42"):
            pass

    assert_one_line(error, path)


def test_what_a_killed_process_left_in_the_file_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / "connector-42.lock").write_text("1234567890 and more\n")

    with connector_lock(tmp_path, "42") as path:
        assert path.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("mask", [0o000, 0o777], ids=oct)
def test_the_file_is_the_owners_alone_and_stays(tmp_path: Path, mask: int) -> None:
    with umask(mask), connector_lock(tmp_path / "output", "42") as path:
        pass

    assert path == tmp_path / "output" / "connector-42.lock"
    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700


@pytest.mark.parametrize("connector", ["../../escape", "/etc/passwd", "a/b", "..", ""])
def test_a_connectors_name_never_leads_out_of_the_folder(tmp_path: Path, connector: str) -> None:
    with connector_lock(tmp_path, connector) as path:
        assert path.resolve().parent == tmp_path.resolve()


def test_a_symlink_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "someone's"
    other.write_text("content")
    (tmp_path / "connector-42.lock").symlink_to(other)

    with pytest.raises(NoAccess) as error, connector_lock(tmp_path, "42"):
        pass

    assert_one_line(error, tmp_path / "connector-42.lock")
    assert other.read_text() == "content"


def test_a_read_only_folder_is_one_clear_line() -> None:
    with read_only_folder() as folder:
        with pytest.raises(NoAccess) as error, connector_lock(folder, "42"):
            pass

        assert_one_line(error, folder / "connector-42.lock", "Permission denied", "output_path")


def test_a_system_without_such_locks_is_told_so(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_LOCKS, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "no file locks" in told.stdout
    assert "Linux or macOS" in told.stdout
    assert told.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())
