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


OpenedRow = tuple[str, str, str | None, int, int | None, str | None, str, int, int | None]
"""A finding that is opened, as it is read for its asset: asset, identifier, name, definition, app,
url, seen, item, severity. A plain tuple, as a load has one for each of its findings."""


class NotOpenedRow(NamedTuple):
    """Another decision. What is of a finding is None where only the ledger knows the entry."""

    asset: str
    identifier: str
    name: str | None
    definition: int | None
    app: int | None
    url: str | None
    seen: str | None
    item: int | None
    action: str
    model: DataModel
    cause: str
    closed: str | None


DecidedRow = OpenedRow | NotOpenedRow


class AssetItems:
    """Collects the entries of one asset.

    Attributes:
        items: what stands in the file, by data model.
        names: names of the definitions used.
        any_open: whether any of them is open.
        any_nowhere: whether a finding of no web application is among them.
        tells_tags: whether all that the asset's tags are made of has come; set by the writer.

    Args:
        model: data model of the load.
    """

    def __init__(self, model: DataModel) -> None:
        self._opened: list[msgspec.Raw] = []
        self.items: dict[DataModel, list[msgspec.Raw]] = {model: self._opened}
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

    def note(self, url: str | None, app: WebAppRef | None, seen: str) -> None:
        """Take what a finding says of the asset, also one that is left out."""
        self._last_looked_at = max(self._last_looked_at, seen)
        if app is None or app.id is None:
            self.any_nowhere = True
            self._nowhere = place_of(url, app)
        elif app.id not in self._places:
            self._places[app.id] = place_of(url, app)
            for tag in app.tags or ():
                if tag.name:
                    self._tags.setdefault(tag.name, tag)

    def open(self, definition: Named, item: bytes, severity: int | None) -> None:
        """Add an open finding, with the score that its definition has for its severity."""
        self.any_open = True
        name, begin, scores = definition
        if scores:
            begin += scores.get(severity or 0, b"")
        self._opened.append(msgspec.Raw(begin + item[1:]))
        self.names.add(name)

    def fix(self, model: DataModel, definition: Named, item: bytes) -> None:
        """Add a fixed finding under the name of its definition."""
        self._put(model, definition.name, definition.json + item[1:])

    def close(self, row: NotOpenedRow, name: str, at: str) -> None:
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
