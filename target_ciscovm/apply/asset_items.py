"""What stands in a file for one asset: its findings, and what they say of the asset itself."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.kdi.types import DataModel  # noqa: TC001 - msgspec reads it
from target_ciscovm.mapping.asset import Holder
from target_ciscovm.mapping.finding import closed_item
from target_ciscovm.mapping.locators import Place, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_ciscovm.mapping.records import Tag, WebAppRef
    from target_ciscovm.plan.definitions import Named

_encode: Final = msgspec.json.Encoder().encode


OpenedRow = tuple[str, str | None, int, int | None, str, str, int, int | None]
"""A finding that is opened, as it is read for its asset: identifier, name, definition, app, url,
seen, item, severity. A plain tuple, as a load has one for each of its findings."""


class NotOpenedRow(NamedTuple):
    """Another decision. What is of a finding is None where only the ledger knows the entry."""

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


_by_identifier: Final = itemgetter(0)
_opened: Final = msgspec.json.Decoder(list[OpenedRow]).decode
_others: Final = msgspec.json.Decoder(list[NotOpenedRow]).decode


def read_opened(rows: str) -> list[OpenedRow]:
    """Read the findings that are opened at an asset, sorted by identifier."""
    return sorted(_opened(rows), key=_by_identifier)


def read_others(rows: str) -> list[NotOpenedRow]:
    """Read the other decisions of an asset, sorted by identifier."""
    return sorted(_others(rows), key=_by_identifier)


class AssetItems:
    """Collects the entries of one asset.

    Attributes:
        items: what stands in the file, by data model.
        any_open: whether any of them is open.
        any_nowhere: whether a finding of no web application is among them.
        moves: whether any of them moves away to another asset.
        tells_tags: whether all that the asset's tags are made of has come; set by the writer.

    Args:
        model: data model of the load.
    """

    def __init__(self, model: DataModel) -> None:
        self._opened: list[msgspec.Raw] = []
        self.items: dict[DataModel, list[msgspec.Raw]] = {model: self._opened}
        self.any_open = False
        self.any_nowhere = False
        self.moves = False
        self.tells_tags = False
        self._tags: dict[str, Tag] = {}
        self._places: dict[int, Place] = {}
        self._nowhere = Place()
        self._last_looked_at = ""

    @property
    def count(self) -> int:
        """Count the entries."""
        return sum(map(len, self.items.values()))

    def note(self, url: str | None, app: WebAppRef | None) -> None:
        """Take what a finding says of the asset's place, also one that is left out."""
        if app is None or app.id is None:
            self.any_nowhere = True
            self._nowhere = place_of(url, app)
        elif app.id not in self._places:
            self._places[app.id] = place_of(url, app)
            for tag in app.tags or ():
                if tag.name:
                    self._tags.setdefault(tag.name, tag)

    def note_date(self, seen: str) -> None:
        """Take when Qualys last looked at a finding."""
        self._last_looked_at = max(self._last_looked_at, seen)

    def open(
        self,
        definitions: Sequence[Named],
        severities: Sequence[int | None],
        items: Sequence[bytes],
    ) -> None:
        """Add open findings, with the scores that their definitions have for their severities."""
        self.any_open = True
        entries = [
            begin + scores.get(severity or 0, b"") + item if scores else begin + item
            for (_, begin, scores), severity, item in zip(
                definitions, severities, items, strict=True
            )
        ]
        self._opened += map(msgspec.Raw, entries)

    def fix(self, model: DataModel, definition: Named, item: bytes) -> None:
        """Add a fixed finding under the name of its definition."""
        self._put(model, definition.json + item)

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
        self._put(row.model, _encode(item))

    def _put(self, model: DataModel, json: bytes) -> None:
        self.items.setdefault(model, []).append(msgspec.Raw(json))

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
