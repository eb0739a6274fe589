"""A fingerprint of the rows of a stream, whatever their order, which tap and target both take.

The number of rows alone does not tell whether something in between has altered or swapped them.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import unpack
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MODULUS: Final = 1 << 64
BYTES: Final = 8
_encode: Final = msgspec.json.Encoder().encode
_hash: Final = blake2b(digest_size=BYTES)


def finding_values(row: Mapping[str, object]) -> tuple[object, ...]:
    """Give the values of a finding that identity and closing hang on."""
    webapp = row.get("webApp")
    number = webapp.get("id") if isinstance(webapp, dict) else None
    return (row.get("uniqueId"), row.get("type"), row.get("status"), number, row.get("url"))


def webapp_values(row: Mapping[str, object]) -> tuple[object, ...]:
    """Give the values of a web application that coverage hangs on."""
    return (row.get("id"),)


DIGESTED: Final[Mapping[str, Callable[[Mapping[str, object]], tuple[object, ...]]]] = {
    "findings": finding_values,
    "webapps": webapp_values,
}
"""What is taken of a row, by stream."""


class Digest:
    """The sum of the fingerprints of the rows of a stream.

    That of a row is BLAKE2b-64 of the JSON array of some of its values.
    """

    def __init__(self) -> None:
        self._sum = 0

    def add(self, values: tuple[object, ...]) -> None:
        """Take a row in."""
        self.add_all((values,))

    def add_all(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Take rows in, quicker than one by one."""
        digests = bytearray()
        for values in rows:
            row = _hash.copy()  # takes less than to make one
            row.update(_encode(values))
            digests += row.digest()
        self._sum += sum(unpack(f">{len(digests) // BYTES}Q", digests))

    def __str__(self) -> str:
        """Give it as 16 hex digits."""
        return f"{self._sum % MODULUS:016x}"
