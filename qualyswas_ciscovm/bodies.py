"""The bodies of answers: read as they come, and given up when next to nothing comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import urllib3
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,  # noqa: A004 - as `requests` names it
    ContentDecodingError,
    Timeout,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import Response

PATIENCE: Final = 12
"""So many times its timeout may an answer take that brings next to nothing."""
SLOWEST: Final = 10_000
"""Bytes a second; whatever comes faster may take as long as it likes."""


class Stalled(Timeout):
    """An answer that never ends: drops keep a call alive, also one that hangs."""


def pieces(response: Response, most_bytes: int, answer_seconds: float) -> Iterator[bytes]:
    """Give the body of an answer as it comes.

    `iter_content` of `requests` would wait until a piece is whole, however slowly it comes.
    Compressed drops that hold nothing are not seen: urllib3 waits for the first one that does.

    Args:
        response: that was asked for with `stream`.
        most_bytes: of a piece.
        answer_seconds: how long the server may take to answer.

    Raises:
        RequestException: when the body breaks off, or cannot be decompressed.
        Stalled: when next to nothing comes.
    """
    size, began = 0, time.monotonic()
    while piece := _next_piece(response, most_bytes):
        size += len(piece)
        require_progress(time.monotonic() - began, size, answer_seconds)
        yield piece


def _next_piece(response: Response, most_bytes: int) -> bytes:
    try:
        return response.raw.read1(most_bytes, decode_content=True) or b""
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
