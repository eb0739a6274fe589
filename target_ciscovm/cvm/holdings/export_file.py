"""The file of a data export: JSON lines in gzip, read as a stream."""

from __future__ import annotations

import gzip
import zlib
from io import BufferedReader
from typing import IO, TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.cvm.holdings.rows import Row

GZIP: Final = b"\x1f\x8b"
BUFFER: Final = 1 << 18
LONGEST_LINE: Final = 16 * 1024 * 1024
"""A longer one is no row: it may be the whole export as one document."""


class FileBroken(Exception):  # noqa: N818 - the name says the cause
    """The file ends too early, or is not what was asked for; the text says which."""


def rows_in(file: IO[bytes], kind: type[Row], count: int | None) -> Iterator[Row]:
    """Give the rows of an export, from the beginning of its file.

    A gateway may have unpacked it on the way.

    Args:
        file: as it was downloaded.
        kind: the form of a row.
        count: rows that it is to have, None where that is not known.

    Raises:
        FileBroken: at the place where a row cannot be read, or in the end when there are too few.
    """
    file.seek(0)
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    decoder = msgspec.json.Decoder(kind, strict=False)
    number = 0
    for number, line in enumerate(_unpacked(file) if packed else _lines(file), 1):
        yield _row(decoder, line, number)
    if count is not None and number < count:
        msg = f"its file has {number:,} of {count:,} rows"
        raise FileBroken(msg)


def _row(decoder: msgspec.json.Decoder[Row], line: bytes, number: int) -> Row:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        msg = f"line {number:,} of its file is not as CVM describes it"
        raise FileBroken(msg) from error


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=file) as unpacked, BufferedReader(unpacked, BUFFER) as buffered:
            yield from _lines(buffered)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        msg = "its file is damaged or ends too early"
        raise FileBroken(msg) from error


def _lines(file: IO[bytes] | BufferedReader) -> Iterator[bytes]:
    """Give the lines that are not blank."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            msg = "its file has no lines"
            raise FileBroken(msg)
        if line.strip():
            yield line
