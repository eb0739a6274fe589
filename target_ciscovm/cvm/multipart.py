"""A file as a multipart/form-data body that is read from disk while it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from urllib3.fields import RequestField
from urllib3.filepost import choose_boundary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

BLOCK_BYTES: Final = 1 << 16
PART_TYPE: Final = "application/json"
"""For the file's part only; as the type of the whole request CVM answers it with HTTP 400."""


class FileBody:
    """A form with some fields and one file, which `requests` streams with a known length.

    `requests` itself would build the form in memory, with the file twice. urllib3 makes headers and
    boundary. Each try of an upload opens a new one, so it always begins at the first byte.
    """

    def __init__(self, path: Path, fields: Mapping[str, str]) -> None:
        boundary = choose_boundary()
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._file = path.open("rb")
        size = self._file.seek(0, 2)
        self._file.seek(0)
        texts = b"".join(_part(boundary, name, value) for name, value in fields.items())
        self._head = texts + _part(boundary, "file", None, path.name)
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._length = len(self._head) + size + len(self._tail)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK_BYTES):
            yield block

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Give the next bytes of the form, at most `size`, none at its end."""
        if self._head:
            block, self._head = self._head[:size], self._head[size:]
            return block
        if block := self._file.read(size):
            return block
        block, self._tail = self._tail[:size], self._tail[size:]
        return block

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _part(boundary: str, name: str, value: str | None, filename: str | None = None) -> bytes:
    field = RequestField(name, value or "", filename)
    field.make_multipart(content_type=PART_TYPE if filename else None)
    text = f"--{boundary}\r\n{field.render_headers()}"
    return text.encode() + (b"" if value is None else value.encode() + b"\r\n")
