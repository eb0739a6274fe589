"""Answers, read as they come, and given up when next to nothing comes."""

from __future__ import annotations

import sys
import time
import zlib
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, Final

import urllib3
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,  # noqa: A004 - as `requests` names it
    ContentDecodingError,
    Timeout,
)

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socket import socket

    from requests import Response
    from typing_extensions import Buffer

CODING: Final = "gzip"
"""What servers are asked to compress by: that which is decompressed here."""
PATIENCE: Final = 2
"""So many times its timeout may an answer take that brings next to nothing.

Of those, one may go by before anything comes, as a server may be at work on it.
"""
INTERIM: Final = range(102, 200)
"""Statuses of answers that only announce another one. After a 101 there is no HTTP any more."""
SLOWEST: Final = 10_000
"""Bytes a second; whatever comes faster may take as long as it likes."""


class Stalled(Timeout):
    """An answer that never ends: drops keep a call alive, also one that hangs."""


class PromptResponse(HTTPResponse):
    """An answer whose status and headers may not drip for ever.

    A timeout of a socket begins anew with each drop.

    Python passes over no interim answer but 100. It would take a 103 for the answer of this call,
    and the answer itself for that of the next one.
    """

    def __init__(self, sock: socket, *given: Any, **named: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(sock, *given, **named)
        self._source = _Timed(self.fp.detach(), sock.gettimeout())
        self.fp = BufferedReader(self._source)

    @override
    def begin(self) -> None:
        super().begin()
        while self.status in INTERIM:
            self.headers = None  # type: ignore[assignment] # as before the first answer
            super().begin()
        self._source.end = None


class _Timed(RawIOBase):
    """Reads until a moment has come.

    Args:
        source: what is read.
        answer_seconds: how long the server may take to answer; None for ever.

    Attributes:
        end: the moment, on the monotonic clock; None for none.
    """

    def __init__(self, source: RawIOBase, answer_seconds: float | None) -> None:
        super().__init__()
        self._source = source
        self.end = answer_seconds and time.monotonic() + PATIENCE * answer_seconds

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int | None:
        if self.end is not None and time.monotonic() > self.end:
            raise TimeoutError
        return self._source.readinto(buffer)

    @override
    def close(self) -> None:
        self._source.close()
        super().close()


def pieces(response: Response, most_bytes: int, answer_seconds: float) -> Iterator[bytes]:
    """Give the body of an answer as it comes.

    `iter_content` of `requests` would wait until a piece is whole, however slowly it comes.

    Args:
        response: that was asked for with `stream`.
        most_bytes: of a piece.
        answer_seconds: how long the server may take to answer.

    Raises:
        RequestException: when the body breaks off, or cannot be decompressed.
        Stalled: when next to nothing comes.
    """
    size, began = 0, time.monotonic()
    for piece in _read(response, most_bytes):
        size += len(piece)
        require_progress(time.monotonic() - began, size, answer_seconds)
        if piece:
            yield piece


def _read(response: Response, most_bytes: int) -> Iterator[bytes]:
    """Give a piece, which may be empty, whenever something has come."""
    if response.headers.get("Content-Encoding", "").strip().lower() != CODING:
        while piece := _next_piece(response, most_bytes):
            yield piece
        return
    # urllib3 would wait for something that holds data, and drops of nothing would keep it waiting.
    unpacker = _Unpacker(most_bytes)
    while piece := _next_piece(response, most_bytes, decode=False):
        yield from unpacker.unpack(piece)
    yield unpacker.rest()


class _Unpacker:
    """Decompresses a body of one or several members.

    Args:
        most_bytes: of a piece.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._is_first = True
        self._is_over = False

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while data and not self._is_over:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
                self._is_first = False
            try:
                yield self._member.decompress(data, self._most)
            except zlib.error as error:
                if self._is_first:
                    raise ContentDecodingError(error) from error
                self._is_over = True  # what follows the last member is none
            data = self._member.unconsumed_tail or self._member.unused_data

    def rest(self) -> bytes:
        return b"" if self._is_over else self._member.flush()


def _next_piece(response: Response, most_bytes: int, *, decode: bool = True) -> bytes:
    try:
        return response.raw.read1(most_bytes, decode_content=decode) or b""
    except urllib3.exceptions.DecodeError as error:
        raise ContentDecodingError(error) from error
    except urllib3.exceptions.ProtocolError as error:
        raise ChunkedEncodingError(error) from error
    except urllib3.exceptions.HTTPError as error:  # `requests` calls a timeout so, too
        raise ConnectionError(error) from error


def require_progress(seconds: float, size: int, answer_seconds: float) -> None:
    """Give an answer up that brings next to nothing.

    Args:
        seconds: how long it has taken.
        size: bytes that have come.
        answer_seconds: how long the server may take to answer.

    Raises:
        Stalled: when that is too little.
    """
    if seconds > PATIENCE * answer_seconds + size / SLOWEST:
        raise Stalled
