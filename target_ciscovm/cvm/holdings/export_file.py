"""The file of a data export: JSON lines in gzip, read as a stream."""

from __future__ import annotations

import gzip
import zlib
from io import BufferedReader
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP: Final = b"\x1f\x8b"
BUFFER: Final = 1 << 18
LONGEST_LINE: Final = 16 * 1024 * 1024
"""A longer one is no row: it may be the whole export as one document."""


class FileBroken(Exception):  # noqa: N818 - the name says the cause
    """The file ends too early, or is not what was asked for; the text says which."""


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Give the lines of an export that are not blank, from the beginning of the file.

    A gateway may have unpacked it on the way.

    Raises:
        FileBroken: when the end is missing, or it has no lines.
    """
    file.seek(0)
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    if not packed:
        yield from _lines(file)
        return
    try:
        with gzip.GzipFile(fileobj=file) as unpacked, BufferedReader(unpacked, BUFFER) as buffered:
            yield from _lines(buffered)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        msg = "its file is damaged or ends too early"
        raise FileBroken(msg) from error


def _lines(file: IO[bytes] | BufferedReader) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            msg = "its file has no lines"
            raise FileBroken(msg)
        if line.strip():
            yield line
