"""What stands in a file for one asset: its findings, and what they say of the asset itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.mapping.asset import Holder
from target_ciscovm.mapping.finding import closed_item
from target_ciscovm.mapping.locators import Place, place_of

if TYPE_CHECKING:
    from target_ciscovm.kdi.types import DataModel
    from target_ciscovm.mapping.records import Tag, WebAppRef
    from target_ciscovm.plan.definitions import Named

_encode: Final = msgspec.json.Encoder().encode


class DecidedRow(NamedTuple):
    """A decision with the finding that it comes from, in the order of assets.

    The last eight are None where the entry is known from the ledger only.
    """

    asset: str
    identifier: str
    model: DataModel
    action: str
    cause: str
    name: str | None
    definition: int | None
    app: int | None
    url: str | None
    seen: str | None
    closed: str | None
    item_at: int | None
    item_bytes: int | None
    severity: int | None


class AssetItems:
    """Collects the entries of one asset.

    Attributes:
        items: what stands in the file, by data model.
        names: names of the definitions used.
        any_open: whether any of them is open.
        any_nowhere: whether a finding of no web application is among them.
        tells_tags: whether all that the asset's tags are made of has come; set by the writer.
    """

    def __init__(self) -> None:
        self.items: dict[DataModel, list[msgspec.Raw]] = {}
        self.names: set[str] = set()
        self.any_open = False
        self.any_nowhere = False
        self.tells_tags = False
        self._tags: dict[str, Tag] = {}
        self._places: dict[int, Place] = {}
        self._nowhere = Place()
        self._last_looked_at = ""

    @property
    def count(self) -> int:
        """Count the entries."""
        return sum(map(len, self.items.values()))

    def note(self, row: DecidedRow, app: WebAppRef | None) -> None:
        """Take what a finding says of the asset, also one that is left out."""
        self._last_looked_at = max(self._last_looked_at, row.seen or "")
        if app is None or app.id is None:
            self.any_nowhere = True
            self._nowhere = place_of(row.url, app)
        elif app.id not in self._places:
            self._places[app.id] = place_of(row.url, app)
            for tag in app.tags or ():
                if tag.name:
                    self._tags.setdefault(tag.name, tag)

    def add(self, row: DecidedRow, item: bytes, definition: Named) -> None:
        """Add a finding under the name of its definition.

        Args:
            row: its decision.
            item: JSON of its entry, without that name.
            definition: its name.
        """
        opens = row.action == "open"
        score = definition.scores.get(row.severity or 0, b"") if opens else b""
        self._put(row.model, definition.name, definition.json + score + item[1:])
        self.any_open |= opens

    def close(self, row: DecidedRow, name: str, at: str) -> None:
        """Close an entry that no finding of the load stands for, or stands for in this data model.

        Args:
            row: its decision.
            name: of its definition.
            at: the date to close it by.
        """
        item = closed_item(
            row.identifier, name, last_seen_at=at, closed_at=at, data_model=row.model
        )
        self._put(row.model, name, _encode(item))

    def _put(self, model: DataModel, name: str, json: bytes) -> None:
        self.items.setdefault(model, []).append(msgspec.Raw(json))
        self.names.add(name)

    def holder(self) -> Holder:
        """Give the web applications of the asset."""
        lowest = min(self._places) if self._places else None
        return Holder(
            frozenset(self._places),
            self._nowhere if lowest is None else self._places[lowest],
            {number: place.webapp_name or "" for number, place in self._places.items()},
            tuple(self._tags.values()),
            self._last_looked_at or None,
        )
