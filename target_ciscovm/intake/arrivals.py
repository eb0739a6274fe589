"""What arrived, before any stream map of the target has touched it: counted, and fingerprinted."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from qualyswas_ciscovm.digest import Digest
from target_ciscovm.errors import SettingsError

LOOKED_AT: Final = 100
"""Findings that are looked at for flattening."""
FLATTENED: Final = b'"webApp__'


class _WebAppRef(msgspec.Struct, gc=False):
    id: object = None


class _Finding(msgspec.Struct, rename="camel", gc=False):
    unique_id: object = None
    type: object = None
    status: object = None
    web_app: _WebAppRef | None = None
    url: object = None

    @property
    def values(self) -> tuple[object, ...]:
        app = self.web_app
        return (self.unique_id, self.type, self.status, app.id if app else None, self.url)


class _WebApp(msgspec.Struct, gc=False):
    id: object = None

    @property
    def values(self) -> tuple[object, ...]:
        return (self.id,)


DECODERS: Final[dict[str, msgspec.json.Decoder[_Finding] | msgspec.json.Decoder[_WebApp]]] = {
    "findings": msgspec.json.Decoder(_Finding),
    "webapps": msgspec.json.Decoder(_WebApp),
}


class Arrivals:
    """The records of an input, by stream.

    Attributes:
        counts: RECORD lines.
        renamed: names that a stream map has given to a stream of ours.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.renamed: dict[str, str] = {}
        self._digests = {name: Digest() for name in DECODERS}

    def add(self, stream: str, raw: bytes) -> None:
        """Take note of a record.

        Raises:
            SettingsError: when the input was flattened.
        """
        self.counts[stream] += 1
        if stream == "findings" and self.counts[stream] <= LOOKED_AT and FLATTENED in raw:
            msg = (
                "The findings arrive flattened (webApp__id), so nobody can tell what they belong "
                "to. Take flattening_enabled out of the tap's settings, or out of the mapper's."
            )
            raise SettingsError(msg)
        decoder = DECODERS.get(stream)
        if decoder is None:
            return
        try:
            values = decoder.decode(raw).values
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            values = (None,)  # the tap has written no such row, so the sums must differ
        self._digests[stream].add(values)

    def digest(self, stream: str) -> str | None:
        """Give the fingerprint of a stream's rows, None for a stream that has none."""
        found = self._digests.get(stream)
        return None if found is None else str(found)
