"""A loopback server whose answer comes in drops and never ends."""

from __future__ import annotations

import socket
import threading
import time
import zlib
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from typing_extensions import Self

BETWEEN_SECONDS: Final = 0.01
EMPTY_BLOCK: Final = b"\x00\x00\x00\xff\xff"
"""Of compressed data."""
COMMENT: Final = b"<!-- keep-alive -->\n"


def _always(drop: bytes, after: bytes) -> Iterator[bytes]:
    yield after
    while True:
        yield drop


def _compressed() -> Iterator[bytes]:
    yield b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n"
    packer = zlib.compressobj(wbits=31)
    while True:
        yield packer.compress(b"x") + packer.flush(zlib.Z_SYNC_FLUSH)


def _of_nothing() -> Iterator[bytes]:
    yield b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n"
    packer = zlib.compressobj(wbits=31)
    while True:
        yield packer.flush(zlib.Z_FULL_FLUSH) or EMPTY_BLOCK


FORMS: Final[Mapping[str, Callable[[], Iterator[bytes]]]] = {
    "of known length": partial(_always, b" ", after=b"Content-Length: 100000\r\n\r\n"),
    "in chunks": partial(
        _always,
        b"%x\r\n%s\r\n" % (len(COMMENT), COMMENT),
        after=b"Transfer-Encoding: chunked\r\n\r\n",
    ),
    "in one chunk": partial(_always, b" ", after=b"Transfer-Encoding: chunked\r\n\r\n20000\r\n"),
    "compressed": _compressed,
    "compressed, with nothing in it": _of_nothing,
}

IN_HEAD: Final = "in its head"


class DrippingServer:
    """Answers each call with HTTP 200 and one drop after the other.

    Args:
        form: how the answer is framed, one of `FORMS`; or `IN_HEAD`, for one that never begins.
    """

    def __init__(self, form: str) -> None:
        self._form = partial(_always, b"x", after=b"X-") if form == IN_HEAD else FORMS[form]
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):  # nobody listens any more
            while True:
                connection, _ = self._socket.accept()
                with connection, suppress(OSError):  # the client has given up
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        for drop in self._form():
            connection.sendall(drop)
            time.sleep(BETWEEN_SECONDS)
