"""One load at a time for a connector: two at once would close each other's findings.

The lock is the kernel's (`flock`), so it ends with the process, also after SIGKILL or a power cut.
The file stays where it is: removing it would let two processes hold a lock on two files of the same
name.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final

from target_ciscovm.errors import AlreadyRunning, NoAccess
from target_ciscovm.output.private_files import FILE_MODE, plain_name, private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

PID_BYTES: Final = 32
WAY_OUT: Final = (
    "Set output_path to a folder of this user on a local disk of Linux or macOS: loads of one "
    "connector must not overlap."
)


@contextmanager
def connector_lock(folder: Path, connector: str) -> Iterator[Path]:
    """Hold the connector's lock and give its file, `{folder}/connector-{connector}.lock`.

    Args:
        folder: a local folder that all loads of the connector share; created if missing.
        connector: number of the connector.

    Raises:
        AlreadyRunning: another process, or another part of this one, holds it. There is no wait:
            a schedule would pile up waiting loads.
        NoAccess: the file cannot be created or locked.
    """
    path = private_folder(folder) / f"connector-{plain_name(connector)}.lock"
    with _refusals(path):
        descriptor = _open(path)
    try:
        with _refusals(path):
            free = try_lock(descriptor)
        if not free:
            raise AlreadyRunning(connector, path, _pid(descriptor))
        _write(descriptor, f"{os.getpid()}\n")
        try:
            yield path
        finally:
            _write(descriptor, "")
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed; False when someone else holds it.

    Raises:
        OSError: the system or the file system has no such locks.
    """
    fcntl = _locks()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locks() -> ModuleType:
    try:
        return import_module("fcntl")
    except ImportError:
        raise OSError(errno.ENOTSUP, "this system has no file locks (fcntl)") from None


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NoAccess(path, "locked", error.strerror or str(error), WAY_OUT) from error


def _open(path: Path) -> int:
    _locks()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor


def _write(descriptor: int, text: str) -> None:
    """Write who holds the lock; on a full disk it holds without that."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _pid(descriptor: int) -> int | None:
    """Read who holds the lock, None if that is not written yet."""
    text = os.pread(descriptor, PID_BYTES, 0).strip()
    return int(text) if text.isdigit() else None
