from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.errors import NoAccess, Refused
from target_ciscovm.output.private_files import (
    open_private,
    plain_name,
    private_file,
    private_folder,
)
from tests.target.private import assert_one_line, mode_of, read_only_folder, umask

UMASKS = [0o000, 0o022, 0o077, 0o277, 0o777]


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_folders_are_the_owners_alone_under_every_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        private_folder(tmp_path / "a" / "b")

    assert mode_of(tmp_path / "a") == 0o700
    assert mode_of(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize("mask", UMASKS, ids=oct)
def test_files_are_the_owners_alone_under_every_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        private_file(tmp_path / "spool.db")
        with open_private(tmp_path / "kdi-0001.json") as file:
            file.write(b"{}")

    assert mode_of(tmp_path / "spool.db") == 0o600
    assert mode_of(tmp_path / "kdi-0001.json") == 0o600


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output").chmod(0o755)

    private_folder(tmp_path / "output")

    assert mode_of(tmp_path / "output") == 0o755


def test_a_file_that_others_could_read_is_theirs_no_longer_once_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b"old and longer")
    path.chmod(0o644)

    with open_private(path) as file:
        file.write(b"new")

    assert path.read_bytes() == b"new"
    assert mode_of(path) == 0o600


def test_a_file_that_was_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"content")

    private_file(path)

    assert path.read_bytes() == b"content"


def test_a_symlink_is_never_written_through(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"someone's")
    (tmp_path / "kdi-0001.json").symlink_to(target)

    with pytest.raises(NoAccess) as error:
        open_private(tmp_path / "kdi-0001.json")

    assert_one_line(error, tmp_path / "kdi-0001.json")
    assert target.read_bytes() == b"someone's"


def test_a_read_only_folder_is_one_clear_line_that_names_the_setting() -> None:
    with read_only_folder() as folder:
        with pytest.raises(Refused) as error:
            private_folder(folder / "output")
        assert_one_line(error, folder / "output", "Permission denied", "output_path")
        with pytest.raises(Refused) as error:
            private_file(folder / "ledger.db", "ledger_path")
        assert_one_line(error, folder / "ledger.db", "Permission denied", "ledger_path")


@pytest.mark.parametrize("below", ["", "output"])
def test_a_file_in_the_place_of_the_folder_is_one_clear_line(tmp_path: Path, below: str) -> None:
    (tmp_path / "taken").write_bytes(b"")

    with pytest.raises(NoAccess) as error:
        private_folder(tmp_path / "taken" / below)

    assert_one_line(error, tmp_path / "taken" / below, "output_path")


def test_a_link_into_nowhere_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "output").symlink_to(tmp_path / "gone")

    with pytest.raises(NoAccess):
        private_folder(tmp_path / "output")


@pytest.mark.parametrize("name", ["42", "ledger-42.db", "kdi-0001.json", "a_b"])
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert plain_name(name) == name


@given(st.text() | st.from_regex(r"[./\\~\0a]{0,9}"))
def test_no_text_makes_a_name_that_leads_elsewhere(text: str) -> None:
    name = plain_name(text)

    assert name
    assert set(name) <= set(string.ascii_letters + string.digits + "_.-")
    assert not name.startswith((".", "-"))
    assert (Path("/run") / name).resolve().parent == Path("/run").resolve()
    assert len(name) <= 64


def test_different_texts_stay_different_names() -> None:
    assert len({plain_name(text) for text in ("../42", "/42", "42", "42\n", "\ud800", "")}) == 6
