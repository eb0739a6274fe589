"""What the tests of the target's own files need from the system."""

from __future__ import annotations

import os
import resource
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.nobody import without_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def read_only_folder(fill: Callable[[Path], object] = Path.exists) -> Iterator[Path]:
    """Give a folder that nothing can be written to, also when the tests run as root.

    It is filled before.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        folder.chmod(0o555)
        try:
            with without_rights():
                yield folder
        finally:
            folder.chmod(0o700)


@contextmanager
def file_size_limit(limit: int) -> Iterator[None]:
    """Let no file of this process grow past a limit: a full disk that harms nobody else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def assert_one_line(error: pytest.ExceptionInfo[BaseException], *words: object) -> None:
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith(".")
    for word in words:
        assert str(word) in text
