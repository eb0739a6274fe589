"""Files and folders that cannot be read, and links: what may hold a report is never passed over."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas import errors
from tests.sandbox.world.clock import Clock
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World
from tests.support.nobody import without_rights
from tests.tap.exports import Exports, ids

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = WorldSize(apps=4, findings=60, qids=20, scans=6)
MISSING: Final = "report_paths: 1 path cannot be read"


@pytest.fixture
def shared() -> Iterator[Exports]:
    """Reports in a folder that everybody may read, which a first sync has read as a whole."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        exports = Exports(World(SIZE, Clock()), Path(name) / "reports")
        (exports.folder / "sub").mkdir()
        exports.write("all.xml")
        exports.write("sub/more.xml")
        assert exports.sync().proof["complete"] is True
        yield exports


@pytest.mark.parametrize("closed", ["sub", "sub/more.xml"])
def test_what_cannot_be_read_is_named_and_the_sync_is_not_complete(
    shared: Exports, closed: str
) -> None:
    path = shared.folder / closed
    path.chmod(0)
    with without_rights():
        outcome = shared.sync()
    path.chmod(0o755)

    assert ids(outcome) == shared.unique_ids()
    assert f"{path}: Permission denied." in outcome.log
    assert "1 path in report_paths cannot be read" in outcome.log
    assert outcome.proof["complete"] is False
    assert outcome.proof["incompleteReasons"] == [MISSING]


def test_a_folder_whose_files_cannot_be_looked_at_is_not_passed_over(shared: Exports) -> None:
    folder = shared.folder / "sub"
    folder.chmod(0o644)
    with without_rights():
        outcome = shared.sync()
    folder.chmod(0o755)

    assert outcome.proof["incompleteReasons"] == [MISSING]


@pytest.mark.parametrize("below", ["", "sub"])
def test_a_path_that_is_named_and_cannot_be_read_is_refused(shared: Exports, below: str) -> None:
    path = shared.folder / below
    shared.folder.chmod(0)
    with (
        without_rights(),
        pytest.raises(errors.SettingsError, match=r"cannot be read \(Permission denied\)"),
    ):
        shared.sync(report_paths=[str(path)])
    shared.folder.chmod(0o755)


@pytest.mark.parametrize(
    ("name", "target"),
    [("b.xml", "/nowhere/b.xml"), ("b.xml", "b.xml"), ("of 2024", "/nowhere/of 2024")],
    ids=["nowhere", "loop", "folder"],
)
def test_a_link_that_leads_nowhere_is_named_and_the_sync_is_not_complete(
    exports: Exports, name: str, target: str
) -> None:
    exports.write("a.xml")
    (exports.folder / name).symlink_to(target)
    outcome = exports.sync()

    assert ids(outcome) == exports.unique_ids()
    assert f"Passed over the report {exports.folder / name}: " in outcome.log
    assert outcome.proof["incompleteReasons"] == [MISSING]


def test_links_to_folders_are_followed_and_each_folder_is_read_once(
    exports: Exports, tmp_path: Path
) -> None:
    other = Exports(exports.world, tmp_path / "other")
    other.write("a.xml")
    (other.folder / "back").symlink_to(exports.folder)
    (exports.folder / "linked").symlink_to(other.folder)
    (exports.folder / "up").symlink_to(exports.folder)
    outcome = exports.sync()

    assert "Read 1 report." in outcome.log
    assert ids(outcome) == exports.unique_ids()
    assert outcome.proof["complete"] is True


def test_what_is_hidden_or_no_file_is_no_report(exports: Exports) -> None:
    exports.write("a.xml")
    for name in (".b.xml", ".c/d.xml"):
        (exports.folder / name).parent.mkdir(exist_ok=True)
        (exports.folder / name).write_text("<a")
    os.mkfifo(exports.folder / "e.xml")
    outcome = exports.sync()

    assert "Read 1 report." in outcome.log
    assert "Passed over" not in outcome.log
    assert outcome.proof["complete"] is True


@pytest.mark.parametrize(
    ("path", "told"),
    [("~nobody-of-that-name/a.xml", "is not there"), ("/dev/null", "neither a file nor a folder")],
)
def test_a_path_that_leads_to_no_file_is_refused(exports: Exports, path: str, told: str) -> None:
    with pytest.raises(errors.SettingsError, match=told):
        exports.sync(report_paths=[path])


def test_where_the_only_reports_cannot_be_reached_the_log_says_why(shared: Exports) -> None:
    (shared.folder / "all.xml").unlink()
    (shared.folder / "sub").chmod(0)
    with (
        without_rights(),
        pytest.raises(errors.SettingsError, match="There is no report in") as raised,
    ):
        shared.sync()
    (shared.folder / "sub").chmod(0o755)

    assert "Passed over the folder" in raised.value.outcome.log  # type: ignore[attr-defined]
