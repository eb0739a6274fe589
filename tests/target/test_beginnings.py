"""A CVM that begins with a load is the same as one that has loaded it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.target.loads import CVM
from tests.target.streams import Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target.loads import Stage

FIRST: Final = Sync([webapp()], [finding(1), finding(2), finding(3)])
NEXT: Final = Sync([webapp()], [finding(1), fixed(2)])


def files(cvm: CVM) -> dict[str, tuple[int, bytes]]:
    """Give mode and content of each file and link of the target, by its path."""
    found = [path for path in cvm.output.rglob("*") if not path.is_dir()]
    return {
        str(path.relative_to(cvm.output)): (path.lstat().st_mode, path.read_bytes())
        for path in found
    }


def test_a_copy_is_as_what_was_loaded(stage: Stage, tmp_path: Path) -> None:
    loaded = CVM(stage, tmp_path / "loaded")
    loaded.begin(FIRST, keep_runs=7)
    copy = CVM(stage, tmp_path / "copy")
    copy.begin(FIRST, keep_runs=7)

    assert files(copy) == files(loaded) != {}
    assert copy.shown() == loaded.shown() != {}
    assert copy.requests == loaded.requests
    assert copy.log == loaded.log != []
    assert not any(str(tmp_path).encode() in content for _, content in files(copy).values())


def test_what_comes_then_is_not_seen_by_others(stage: Stage, tmp_path: Path) -> None:
    one = CVM(stage, tmp_path / "one")
    one.begin(FIRST)
    closings = one.load(NEXT).closings

    other = CVM(stage, tmp_path / "other")
    other.begin(FIRST)

    assert one.open() == names(1)
    assert closings == {"finding-2": "fixed", "finding-3": "gone"}
    assert other.open() == names(1, 2, 3)
    assert other.load(NEXT).closings == closings
