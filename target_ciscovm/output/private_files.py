"""Folders and files that only their owner can read, as a load shows where sites are weak.

Modes are set after creating, so they are the same under every umask.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from target_ciscovm.errors import DiskFull, NoAccess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
DIGEST_LENGTH: Final = 16
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Disk full, quota used up, and a file above the limit of `ulimit -f`."""


def private_folder(path: Path, setting: str = "output_path") -> Path:
    """Give the folder; create it and missing ones above it with mode 0700.

    An existing folder keeps its mode, as it may belong to others too.

    Args:
        path: the folder.
        setting: that decides where it is, for the message.

    Raises:
        NoAccess: it cannot be created, or is not a folder.
    """
    with refusals(path, "created", setting):
        _create(path)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it exists, but is not a folder")
    return path


def private_file(path: Path, setting: str = "output_path") -> Path:
    """Give the file; create it empty with mode 0600 if it is missing.

    For programs such as SQLite that would create it with a mode of their own.

    Raises:
        NoAccess: it cannot be created.
    """
    with refusals(path, "created", setting), suppress(FileExistsError):
        os.close(_open(path, os.O_CREAT | os.O_EXCL))
    return path


def open_private(
    path: Path, setting: str = "output_path", *, buffer_bytes: int = io.DEFAULT_BUFFER_SIZE
) -> IO[bytes]:
    """Open a file for writing from its beginning, with mode 0600; never through a symlink.

    Raises:
        NoAccess: it cannot be opened.
    """
    with refusals(path, "opened", setting):
        return os.fdopen(_open(path, os.O_CREAT | os.O_TRUNC), "wb", buffer_bytes)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give where a file is to be written that takes the place of `path` once all of it is there.

    A reader finds the file before or this one; of one that could not be written nothing is left.
    """
    made = path.parent / f".{path.name}.{os.getpid()}.new"  # also where the path is a root
    try:
        yield made
        made.replace(path)
    except BaseException:
        with suppress(OSError):
            made.unlink()
        raise


def plain_name(text: str) -> str:
    """Give a text as a safe file name; one with unusual characters becomes a hash."""
    if PLAIN.fullmatch(text):
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]


@contextmanager
def refusals(path: Path, doing: str, setting: str) -> Iterator[None]:
    """Turn the system's refusal into a line that names the path and the setting.

    Raises:
        DiskFull: there is no room for it.
        NoAccess: for any other cause.
    """
    try:
        yield
    except OSError as error:
        cause = error.strerror or str(error)
        if error.errno in NO_ROOM:
            raise DiskFull(path.parent, None, cause=cause) from error
        raise NoAccess(
            path,
            doing,
            cause,
            f"Make its folder writable for this user, or set {setting} to another path.",
        ) from error


def _create(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        with suppress(FileExistsError):
            folder.mkdir(FOLDER_MODE)
            folder.chmod(FOLDER_MODE)


def _open(path: Path, flags: int) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | flags, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor
