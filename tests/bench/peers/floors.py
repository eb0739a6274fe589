"""The least that has to be done: the same bytes in, the same bytes out, and nothing between."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import msgspec
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class TapFloor:
    """Pages read with lxml, lines written with msgspec; what is written is known beforehand.

    Args:
        pages: answers of the server with rows in them.
        lines: the lines that the tap makes of them.
    """

    def __init__(self, pages: Path, lines: Path) -> None:
        self._pages = [page for path in sorted(pages.iterdir()) if (page := _rows(path))]
        self._lines = [msgspec.json.decode(line) for line in lines.read_bytes().splitlines()]

    def run(self) -> None:
        """Read the text of each element, and write each line."""
        for page in self._pages:
            root = etree.fromstring(page)
            for row in root.iter("Finding"):
                for child in row.iter():
                    _ = (child.tag, child.text)
        encode = msgspec.json.Encoder().encode
        write = sys.stdout.buffer.write
        for line in self._lines:
            write(encode(line) + b"\n")
        sys.stdout.buffer.flush()


def _rows(path: Path) -> bytes | None:
    content = path.read_bytes().partition(b"\n")[2]
    return content if b"<Finding>" in content else None


class TargetFloor:
    """Lines decoded, KDI files encoded and written; their content is known beforehand.

    Args:
        files: folder of the KDI files that the target makes of the lines.
        written: where they are written again.
        library: `msgspec`, or `json` of the standard library.
    """

    def __init__(self, files: Path, written: Path, library: str) -> None:
        found = sorted(files.rglob("kdi-*.json"))
        self._files: list[tuple[Path, Any]] = [
            (written / path.name, msgspec.json.decode(path.read_bytes())) for path in found
        ]
        self._decode: Callable[[bytes], Any] = json.loads
        self._encode: Callable[[Any], bytes] = _encode_plainly
        if library == "msgspec":
            self._decode = msgspec.json.Decoder().decode
            self._encode = msgspec.json.Encoder().encode

    def run(self) -> None:
        """Decode all of standard input, then write."""
        for line in sys.stdin.buffer:
            self._decode(line)
        for path, document in self._files:
            with path.open("wb") as file:
                for key, value in document.items():
                    entries = value if isinstance(value, list) else [{key: value}]
                    file.writelines(map(self._encode, entries))


def _encode_plainly(entry: Any) -> bytes:  # noqa: ANN401 - any JSON
    return json.dumps(entry, separators=(",", ":")).encode()
