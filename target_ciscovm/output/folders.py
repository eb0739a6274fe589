"""The folder of a run: its name, its files, its removal, and room on the disk.

    {output_path}/20261125T120350Z-3fa9/    mode 0700
        kdi-0001.json, rejected.jsonl, ...  mode 0600, kept
        spool/                              removed at every end of the run

A run in progress holds the kernel's lock on its folder, so that no other process removes it as an
old one. After a kill the lock is gone, and the next run removes the spool that was left.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import sqlite3
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.errors import DiskFull
from target_ciscovm.output.lock import try_lock
from target_ciscovm.output.private_files import (
    FOLDER_MODE,
    NO_ROOM,
    open_private,
    plain_name,
    private_folder,
    refusals,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STAMP: Final = "%Y%m%dT%H%M%SZ"
RUN_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}")
SPOOL: Final = "spool"
NAMES_TRIED: Final = 100
LEAST_ROOM: Final = 20_000_000
"""Bytes without which nothing is begun."""
SQLITE_NO_ROOM: Final = frozenset({"database or disk is full", "disk I/O error"})
"""SQLite's words for it; the second stands for a limit other than the disk's size."""


class RunFolder(msgspec.Struct, frozen=True):
    """Where a run puts its results, and where it works meanwhile."""

    path: Path

    @property
    def run_id(self) -> str:
        """The folder's name: the local clock in UTC, and four random hex digits."""
        return self.path.name

    @property
    def spool(self) -> Path:
        """Folder for the run's databases, removed at the end of the run."""
        return self.path / SPOOL

    def file(self, name: str) -> Path:
        """Give the path of a file of the run.

        Raises:
            ValueError: the name could lead elsewhere. It must be our own, never one from outside.
        """
        if plain_name(name) != name:
            message = f"{name!r} is not a plain file name"
            raise ValueError(message)
        return self.path / name

    def open(self, name: str) -> IO[bytes]:
        """Open a file of the run for writing from its beginning, with mode 0600."""
        return open_private(self.file(name))


LATEST: Final = "latest"


def point_to(folder: Path) -> None:
    """Let `{output_path}/latest` lead to a run's folder; where links cannot be made, none is.

    Raises:
        OSError: when something that is no link stands in its place.
    """
    link = folder.parent / LATEST
    made = folder.parent / f".{LATEST}-{folder.name}"
    made.symlink_to(folder.name)
    made.replace(link)


class Removal(NamedTuple):
    """The old run folders that were removed, and the cause for each that was not, by name."""

    removed: list[str]
    failed: dict[str, str]


@contextmanager
def run_folder(output_path: Path, now: datetime | None = None) -> Iterator[RunFolder]:
    """Create the folder of a run, and remove its spool at the end, whatever the end is.

    Args:
        output_path: folder of all runs; created if missing.
        now: for the folder's name; by default the local clock, which decides nothing else.

    Raises:
        NoAccess: it cannot be created.
    """
    with refusals(output_path, "used", "output_path"):
        folder = RunFolder(_create(private_folder(output_path), now or datetime.now(timezone.utc)))
    with _held(folder.path):
        try:
            private_folder(folder.spool)
            yield folder
        finally:
            shutil.rmtree(folder.spool, ignore_errors=True)


@contextmanager
def passing_folder(output_path: Path) -> Iterator[RunFolder]:
    """Give a folder as a run has it; it goes again if nothing was left in it.

    Raises:
        NoAccess: it cannot be created.
    """
    folder = None
    try:
        with run_folder(output_path) as folder:
            yield folder
    finally:
        if folder is not None:
            with suppress(OSError):
                folder.path.rmdir()


@contextmanager
def made_for_now(*folders: Path) -> Iterator[None]:
    """Remove folders, and those above them, that are made meanwhile and that nothing is left in."""
    # `Path` raises for what cannot be looked at.
    missing = [
        path
        for folder in folders
        for path in (folder, *folder.parents)
        if not os.path.exists(path)  # noqa: PTH110
    ]
    try:
        yield
    finally:
        for path in sorted(missing, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):
                path.rmdir()


def remove_old_runs(
    output_path: Path, keep: int, is_ours: Callable[[Path], bool] = lambda _: True
) -> Removal:
    """Remove all but the newest run folders, and the spools that killed runs left in the others.

    Only real folders with the name of a run are touched; symlinks are not followed, and runs in
    progress are left alone, also those of other processes. A folder that cannot be removed stays
    and is named: old folders are no reason to fail a run.

    Args:
        output_path: folder of all runs.
        keep: number of run folders to keep, the one of this run included.
        is_ours: whether a folder may be removed; those of another connector are not counted either.
    """
    outcome = Removal([], {})
    names = newest_first(output_path)
    keep = max(keep, 1)
    some = names if len(names) > keep else ()  # else there is nothing to look into
    old = frozenset([name for name in some if is_ours(output_path / name)][keep:])
    for name in names:
        path = output_path / name
        unwanted = path if name in old else path / SPOOL
        try:
            _remove_ended(path, unwanted)
        except OSError as error:
            outcome.failed[name] = error.strerror or str(error)
        else:
            if not path.exists():
                outcome.removed.append(name)
    return outcome


def newest_first(output_path: Path) -> list[str]:
    """Give the names of all run folders, the newest first.

    Names that lie in the future are from before the local clock was set right, so they come last.
    """
    end = f"{datetime.now(timezone.utc):{STAMP}}~"
    return sorted(_run_names(output_path), key=lambda name: (name < end, name), reverse=True)


def _run_names(output_path: Path) -> Iterator[str]:
    try:
        with os.scandir(output_path) as entries:
            for entry in entries:
                if RUN_ID.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    yield entry.name
    except OSError:
        return


def require_disk(path: Path, needed_bytes: int) -> None:
    """Check that the disk of a folder, which need not exist yet, has enough room.

    Raises:
        DiskFull: it does not.
    """
    free = _free(path)
    if free is not None and free < needed_bytes:
        raise DiskFull(path, free, needed=needed_bytes)


@contextmanager
def writing_in(folder: Path) -> Iterator[None]:
    """Turn a full disk, found by a file or by SQLite while writing, into a line that says so.

    Raises:
        DiskFull: a write found no room. All other errors pass as they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise DiskFull(folder, _free(folder), cause=error.strerror or str(error)) from error
    except sqlite3.OperationalError as error:
        if str(error) not in SQLITE_NO_ROOM:
            raise
        raise DiskFull(folder, _free(folder), cause=str(error)) from error


def _create(output_path: Path, now: datetime) -> Path:
    stamp = now.astimezone(timezone.utc).strftime(STAMP)
    for _ in range(NAMES_TRIED):
        path = output_path / f"{stamp}-{secrets.token_hex(2)}"
        with suppress(FileExistsError):
            path.mkdir(FOLDER_MODE)
            path.chmod(FOLDER_MODE)
            return path
    raise FileExistsError(errno.EEXIST, f"no free name for a run at {stamp}")


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock and give whether it was free; without locks it always is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        free = True
        with suppress(OSError):
            free = try_lock(descriptor)
        yield free
    finally:
        os.close(descriptor)


def _remove_ended(run: Path, unwanted: Path) -> None:
    with _held(run) as ended:
        if ended and unwanted.is_dir() and not unwanted.is_symlink():
            shutil.rmtree(unwanted)


def _free(path: Path) -> int | None:
    for folder in (path, *path.parents):
        with suppress(OSError):
            return shutil.disk_usage(folder).free
    return None
