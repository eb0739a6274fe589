"""JSON Lines as they are defined: a line ends at a line feed, and at nothing else."""

from __future__ import annotations

from typing import Any

import msgspec


def json_lines(written: bytes) -> list[Any]:
    """Read JSON Lines; each of them must be whole.

    `splitlines` of a text would also cut at U+0085 and U+2028, which may stand inside of a string.
    """
    return [msgspec.json.decode(line) for line in written.split(b"\n") if line]
