from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from target_ciscovm.errors import DiskFull, NoAccess
from target_ciscovm.output.folders import (
    RUN_ID,
    RunFolder,
    newest_first,
    remove_old_runs,
    require_disk,
    run_folder,
    writing_in,
)
from tests.target.private import assert_one_line, file_size_limit, mode_of, read_only_folder, umask

NOON = datetime(2026, 11, 25, 12, 3, 50, tzinfo=timezone.utc)

RUNNER = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from target_ciscovm.output.folders import run_folder
with run_folder(Path(sys.argv[1]), datetime(2002, 1, 1, tzinfo=timezone.utc)) as folder:
    (folder.spool / "records.db").write_bytes(b"records")
    print(folder.run_id, flush=True)
    sys.stdin.readline()
"""


def old_run(output_path: Path, day: int, *, spool: bool = False) -> str:
    with run_folder(output_path, NOON - timedelta(days=day)) as folder:
        folder.open("report.json").close()
    if spool:
        folder.spool.mkdir()
        (folder.spool / "records.db").write_bytes(b"records")
    return folder.run_id


def test_a_run_has_a_folder_named_by_the_utc_time_of_its_start(tmp_path: Path) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-11)))

    with run_folder(tmp_path / "output", elsewhere) as folder:
        assert folder.path.parent == tmp_path / "output"
        assert folder.run_id.startswith("20261125T120350Z-")
        assert RUN_ID.fullmatch(folder.run_id)


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    for _ in range(1000):
        with run_folder(tmp_path, NOON):
            pass

    assert len(list(tmp_path.iterdir())) == 1000


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777], ids=oct)
def test_folder_spool_and_files_are_the_owners_alone(tmp_path: Path, mask: int) -> None:
    with umask(mask), run_folder(tmp_path / "output") as folder:
        folder.open("kdi-0001.json").close()

        assert mode_of(folder.path.parent) == 0o700
        assert mode_of(folder.path) == 0o700
        assert mode_of(folder.spool) == 0o700
        assert mode_of(folder.path / "kdi-0001.json") == 0o600


@pytest.mark.parametrize("end", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_the_spool_goes_at_every_end_and_the_rest_stays(
    tmp_path: Path, end: type[BaseException] | None
) -> None:
    def work() -> None:
        with run_folder(tmp_path) as folder:
            (folder.spool / "records.db").write_bytes(b"records")
            folder.open("report.json").close()
            if end is not None:
                raise end

    with nullcontext() if end is None else pytest.raises(end):
        work()

    (folder,) = tmp_path.iterdir()
    assert [path.name for path in folder.iterdir()] == ["report.json"]


@pytest.mark.parametrize("name", ["../report.json", "/etc/passwd", "a/b", "..", ".", "", "a\0b"])
def test_a_name_from_outside_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        RunFolder(tmp_path).file(name)


def test_a_read_only_output_folder_is_one_clear_line() -> None:
    with read_only_folder() as folder:
        for output_path in (folder, folder / "output"):
            with pytest.raises(NoAccess) as error, run_folder(output_path):
                pass
            assert_one_line(error, output_path, "Permission denied", "output_path")


def test_the_newest_runs_are_kept_and_this_one_is_among_them(tmp_path: Path) -> None:
    runs = [old_run(tmp_path, day) for day in (4, 3, 2, 1)]

    with run_folder(tmp_path, NOON) as folder:
        outcome = remove_old_runs(tmp_path, keep=3)

        assert sorted(outcome.removed) == sorted(runs[:2])
        assert outcome.failed == {}
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {*runs[2:], folder.run_id}


def test_this_run_stays_also_when_the_clock_went_back(tmp_path: Path) -> None:
    old_run(tmp_path, 1)

    with run_folder(tmp_path, NOON - timedelta(days=400)) as folder:
        assert remove_old_runs(tmp_path, keep=1).removed == []
        assert folder.spool.is_dir()


def test_runs_from_before_the_clock_was_set_right_are_the_oldest(tmp_path: Path) -> None:
    ahead = [old_run(tmp_path, -365 * years) for years in (31, 30)]
    before = old_run(tmp_path, 7000)

    with run_folder(tmp_path) as folder:
        assert newest_first(tmp_path) == [folder.run_id, before, *ahead]
        assert remove_old_runs(tmp_path, keep=2).removed == ahead


def test_a_run_of_another_process_in_progress_is_left_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUNNER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        running = process.stdout.readline().strip()
        newer = old_run(tmp_path, 7000)

        assert remove_old_runs(tmp_path, keep=1) == ([], {})

        assert (tmp_path / running / "spool" / "records.db").exists()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)

    assert remove_old_runs(tmp_path, keep=2) == ([], {})
    assert list((tmp_path / running).iterdir()) == []
    assert remove_old_runs(tmp_path, keep=1).removed == [running]
    assert (tmp_path / newer / "report.json").exists()


def test_a_spool_that_a_kill_left_goes_with_the_next_run_and_its_report_stays(
    tmp_path: Path,
) -> None:
    killed = old_run(tmp_path, 1, spool=True)

    with run_folder(tmp_path, NOON):
        remove_old_runs(tmp_path, keep=20)

    assert [path.name for path in (tmp_path / killed).iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    "name",
    [
        "reports",
        "20250101T000000Z",
        "20250101T000000Z-12345",
        "20250101T000000Z-12G4",
        "20250101T000000Z-1A2b",
        "x20250101T000000Z-1a2b",
        "20250101T000000Z-1a2b\n",
        "20250101T000000Z-1a2b.bak",
        "2025010\N{ARABIC-INDIC DIGIT ONE}T000000Z-1a2b",
    ],
)
def test_what_does_not_look_exactly_like_a_run_is_never_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name / "spool").mkdir(parents=True)
    (tmp_path / "ledger-42.db").touch()
    old_run(tmp_path, 1)
    newest = old_run(tmp_path, 0)

    remove_old_runs(tmp_path, keep=1)

    assert {path.name for path in tmp_path.iterdir()} == {name, "ledger-42.db", newest}
    assert (tmp_path / name / "spool").is_dir()


def test_a_file_named_like_a_run_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "20250101T000000Z-1a2b").touch()
    old_run(tmp_path, 0)

    assert remove_old_runs(tmp_path, keep=1) == ([], {})
    assert (tmp_path / "20250101T000000Z-1a2b").exists()


def test_symlinks_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (precious / "spool").mkdir(parents=True)
    output_path = tmp_path / "output"
    old = old_run(output_path, 2)
    kept = old_run(output_path, 0)
    (output_path / "20250101T000000Z-1a2b").symlink_to(precious)
    (output_path / old / "link").symlink_to(precious)
    (output_path / kept / "spool").symlink_to(precious)

    assert remove_old_runs(output_path, keep=1) == ([old], {})

    assert (precious / "spool").is_dir()
    assert (output_path / "20250101T000000Z-1a2b").is_symlink()
    assert (output_path / kept / "spool").is_symlink()


def test_a_run_that_cannot_be_removed_stays_and_is_named() -> None:
    runs: list[str] = []

    def fill(folder: Path) -> None:
        runs.extend(old_run(folder, day) for day in (2, 1))

    with read_only_folder(fill) as folder:
        outcome = remove_old_runs(folder, keep=1)

        assert outcome.removed == []
        assert outcome.failed[runs[0]] == "Permission denied"


def test_there_is_nothing_to_remove_before_the_first_run(tmp_path: Path) -> None:
    assert remove_old_runs(tmp_path / "output", keep=20) == ([], {})


def test_room_that_is_there_is_enough_also_for_a_folder_to_come(tmp_path: Path) -> None:
    require_disk(tmp_path / "not" / "yet", 1)
    require_disk(Path("not-yet"), 1)


def test_too_little_room_names_folder_free_and_needed(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free

    with pytest.raises(DiskFull) as error:
        require_disk(tmp_path / "output", free + 10**12)

    assert_one_line(error, tmp_path / "output", "MB", "needs about", "are free")
    assert error.value.exit_code == 1


@pytest.mark.parametrize("free", [None, 0, 5_000_000])
@pytest.mark.parametrize("needed", [None, 7_000_000])
def test_a_full_disk_is_one_clear_line_whatever_is_known_of_it(
    free: int | None, needed: int | None
) -> None:
    text = str(DiskFull(Path("output"), free, needed=needed))

    assert ("free" in text) == (free is not None)
    assert ("7.0 MB" in text) == (needed is not None)
    assert ("no space is left" in text) == (needed is None)


def test_a_file_that_finds_no_room_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DiskFull) as error, writing_in(tmp_path), file_size_limit(1000):
        (tmp_path / "kdi-0001.json").write_bytes(b" " * 2000)

    assert_one_line(error, tmp_path, "File too large", "output_path")


def test_a_database_that_finds_no_room_is_one_clear_line(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    connection.execute("CREATE TABLE record (text)")
    try:
        with pytest.raises(DiskFull) as error, writing_in(tmp_path), file_size_limit(65536):
            connection.execute("INSERT INTO record VALUES (?)", (" " * 200_000,))
    finally:
        connection.close()

    assert_one_line(error, tmp_path, "disk")


def test_other_errors_are_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), writing_in(tmp_path):
        (tmp_path / "gone" / "file").write_bytes(b"")
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError, match="syntax"),
        writing_in(tmp_path),
    ):
        connection.execute("no such thing")
