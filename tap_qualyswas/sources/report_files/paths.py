"""The report files that `report_paths` names."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SUFFIXES: Final = frozenset({".xml", ".csv"})
PACKED: Final = frozenset({".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz"})
"""What may hold a report, and is not unpacked."""


def find_reports(paths: Iterable[str], on_unread: Callable[[OSError], None]) -> list[Path]:
    """Give the files that some paths name, each once, in the order of their names.

    Of a folder these are the files below it that end in `.xml` or `.csv`. Archives are among them,
    so that each is named as one that cannot be read, and so are links that lead nowhere.

    Args:
        paths: of files and folders.
        on_unread: gets the error of each folder below them that cannot be read.

    Raises:
        SettingsError: when one of the paths cannot be read, or there is no file.
    """
    found: dict[str, Path] = {}
    for text in paths:
        for file in _files(text, on_unread):
            found.setdefault(os.path.realpath(file), file)
    if not found:
        msg = (
            f"There is no report in {', '.join(paths)}. Put files that were exported as XML or CSV "
            "there, or correct report_paths."
        )
        raise SettingsError(msg)
    return sorted(found.values())


def _files(text: str, on_unread: Callable[[OSError], None]) -> Iterable[Path]:
    path = os.path.expanduser(text)  # noqa: PTH111 - Path's own raises for unknown users
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as above
        if stat.S_ISDIR(mode):
            os.scandir(path).close()
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError)
        what = "is not there" if is_missing else f"cannot be read ({error.strerror})"
        advice = "" if is_missing else ", or let the tap read it"
        msg = f"report_paths names {text}, which {what}. Correct the path{advice}."
        raise SettingsError(msg) from None
    if stat.S_ISDIR(mode):
        return _below(path, on_unread)
    if stat.S_ISREG(mode):
        return (Path(path),)
    msg = f"report_paths names {text}, which is neither a file nor a folder. Correct the path."
    raise SettingsError(msg)


def _below(path: str, on_unread: Callable[[OSError], None]) -> Iterator[Path]:
    seen: set[str] = set()
    for name, folders, files in os.walk(path, onerror=on_unread, followlinks=True):
        folder = os.path.realpath(name)
        if folder in seen:  # by a link that leads back
            folders.clear()
            continue
        seen.add(folder)
        folders[:] = [one for one in folders if not one.startswith(".")]
        yield from (
            Path(name, one)
            for one in files
            if not one.startswith(".") and _is_report(Path(name, one))
        )


def _is_report(path: Path) -> bool:
    """Tell whether a file may be a report; why one cannot be read shows when it is opened."""
    is_named_so = path.suffix.lower() in SUFFIXES | PACKED
    try:
        return stat.S_ISREG(path.stat().st_mode) and is_named_so
    except OSError:
        # A link that leads nowhere may be that of a folder.
        return is_named_so or os.path.islink(path)  # noqa: PTH114 - Path's own may raise
