"""The report files that `report_paths` names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIXES: Final = frozenset({".xml", ".csv"})
PACKED: Final = frozenset({".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz"})
"""What may hold a report, and is not unpacked."""


def find_reports(paths: Iterable[str]) -> list[Path]:
    """Give the files that some paths name, each once, in the order of their names.

    Of a folder these are the files below it that end in `.xml` or `.csv`. Archives are among them,
    so that each is named as one that cannot be read.

    Raises:
        SettingsError: when one of the paths is not there, or there is no file.
    """
    found: dict[Path, Path] = {}
    for text in paths:
        path = Path(text).expanduser()
        if not path.exists():
            msg = f"report_paths names {text}, which is not there. Correct the path."
            raise SettingsError(msg)
        for file in _files(path):
            found.setdefault(file.resolve(), file)
    if not found:
        msg = (
            f"There is no report in {', '.join(paths)}. Put files that were exported as XML or CSV "
            "there, or correct report_paths."
        )
        raise SettingsError(msg)
    return sorted(found.values())


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.suffix.lower() in SUFFIXES | PACKED and file.is_file() and not hidden:
            yield file
