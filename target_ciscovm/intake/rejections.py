"""`rejected.jsonl`: the rejected records, each with its reason."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import msgspec

from target_ciscovm.output.private_files import open_private

if TYPE_CHECKING:
    from pathlib import Path


class Rejection(msgspec.Struct):
    """One line of the file.

    Attributes:
        line: number of the input line, 0 when it was rejected later.
    """

    line: int
    stream: str
    key: str | None
    reason: str


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
