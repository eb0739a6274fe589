"""Tags that assets got from this connector, and those of them that Qualys has dropped.

CVM's API takes off only tags that people set, and `reset_tags` takes off all: so dropped ones stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.ledger.tables import SentAsset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.intake.spool import Spool

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[str]).decode

DROPPED: Final = """
SELECT l.key, a.tags, l.tags FROM load_asset l JOIN ledger.asset a ON a.key = l.key
WHERE l.told AND NOT l.reset AND a.tags <> l.tags AND NOT EXISTS (
    SELECT 1 FROM live e WHERE e.asset = a.key
        AND (e.webapp IS NULL OR e.webapp NOT IN (SELECT webapp FROM covered_webapp))
)
ORDER BY l.key
"""
"""An asset that other web applications share may have its tags from those. `a.key` rather than the
equal `l.key`, so that SQLite looks for them only where the tags differ."""
SENT: Final = """
SELECT l.key, l.locators, l.last_seen, CASE WHEN NOT l.reset THEN a.tags END, l.tags
FROM load_asset l LEFT JOIN ledger.asset a ON a.key = l.key
"""


class DroppedTags(NamedTuple):
    """Tags of an asset that CVM has from earlier loads, and Qualys has no more."""

    asset: str
    tags: list[str]


def as_text(tags: list[str] | None) -> str:
    """Give the tags of an asset as the ledger keeps them."""
    return _encode(tags or []).decode()


def sent_assets(spool: Spool) -> Iterator[SentAsset]:
    """Give the assets of the load, with all tags that CVM then has of this connector."""
    for key, locators, last_seen, before, now in spool.execute(SENT):
        yield SentAsset(key, locators, last_seen, _all(before, now))


def dropped_tags(spool: Spool) -> Iterator[DroppedTags]:
    """Give what a proven load lacks of the tags that its assets were sent before."""
    for key, before, now in spool.execute(DROPPED):
        kept = set(_decode(now))
        if gone := [tag for tag in _decode(before) if tag not in kept]:
            yield DroppedTags(key, gone)


def _all(before: str | None, now: str | None) -> str | None:
    """Give the tags of two loads together, the earlier ones first."""
    if before is None or now is None or before == now:
        return before if now is None else now
    return _encode(list(dict.fromkeys(_decode(before) + _decode(now)))).decode()
