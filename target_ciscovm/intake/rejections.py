"""`rejected.jsonl`: the rejected records, each with its reason."""

from __future__ import annotations

from bisect import bisect_right
from typing import IO, TYPE_CHECKING

import msgspec

from target_ciscovm.output.private_files import open_private

if TYPE_CHECKING:
    from pathlib import Path


class Rejection(msgspec.Struct):
    """One line of the file.

    Attributes:
        line: number of the input line.
    """

    line: int
    stream: str
    key: str | None
    reason: str


class KeptLines:
    """The lines of the findings that were kept, as some are rejected later.

    Findings mostly come line after line, so only where that ends is anything remembered.
    """

    def __init__(self) -> None:
        self._kept = 0
        self._before = -1
        self._numbers: list[int] = []
        self._lines: list[int] = []

    def note(self, line: int, findings: int) -> None:
        """Note the lines of the next findings: this one and those after it."""
        before = line - self._kept
        if findings and before != self._before:
            self._before = before
            self._numbers.append(self._kept + 1)
            self._lines.append(line)
        self._kept += findings

    def of(self, number: int) -> int:
        """Give the line of a finding by its number in the spool."""
        at = bisect_right(self._numbers, number) - 1
        return self._lines[at] + number - self._numbers[at]


class Rejections:
    """The file, created when the first record is rejected."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def write(self, line: int, stream: str, key: str | None, reason: str) -> None:
        """Write one rejected record."""
        if self._file is None:
            self._file = open_private(self.path)
        self._file.write(msgspec.json.encode(Rejection(line, stream, key, reason)) + b"\n")

    def flush(self) -> None:
        """Write all to disk."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Write all to disk and close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
