"""What stands in the file for one asset: its findings, and what they say of the asset itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.mapping.asset import Holder
from target_ciscovm.mapping.finding import closed_item
from target_ciscovm.mapping.locators import Place, place_of
from target_ciscovm.plan.joins import OPEN

if TYPE_CHECKING:
    from target_ciscovm.kdi.types import DataModel
    from target_ciscovm.mapping.records import WebAppRef
    from target_ciscovm.plan.joins import SpooledFinding

_encode: Final = msgspec.json.Encoder().encode


class Named(NamedTuple):
    """The name of a definition, and how an entry of it begins in the file."""

    name: str
    json: bytes


def named(name: str) -> Named:
    """Give a definition's name in both forms."""
    return Named(name, b'{"vuln_def_name":%b,' % _encode(name))


class AssetItems:
    """Collects the findings of one asset.

    Attributes:
        items: what stands in the file.
        before: the same in the other data model, where something was sent in it before.
        names: names of the definitions used.
        findings: how many of them are findings of the load.
        any_open: whether any of these is open.

    Args:
        data_model: of the load.
    """

    def __init__(self, data_model: DataModel) -> None:
        self._data_model = data_model
        self.items: list[msgspec.Raw] = []
        self.before: list[msgspec.Raw] = []
        self.names: set[str] = set()
        self.findings = 0
        self.any_open = False
        self._tags: dict[str, None] = {}
        self._places: dict[int, Place] = {}
        self._nowhere = Place()
        self._last_looked_at = ""

    def note(self, row: SpooledFinding, app: WebAppRef | None) -> None:
        """Take what a finding says of the asset, also one that is left out."""
        self._last_looked_at = max(self._last_looked_at, row.seen)
        if app is None or app.id is None:
            self._nowhere = place_of(row.url, app)
        elif app.id not in self._places:
            self._places[app.id] = place_of(row.url, app)
            self._tags |= dict.fromkeys(tag.name for tag in app.tags or () if tag.name)

    def add(self, row: SpooledFinding, item: bytes, definition: Named) -> None:
        """Add a finding under the name of its definition.

        Args:
            row: the finding as it was kept.
            item: JSON of its entry, without that name.
            definition: its name.
        """
        self.items.append(msgspec.Raw(definition.json + item[1:]))
        self.names.add(definition.name)
        self.findings += 1
        self.any_open |= row.state == OPEN

    def close(self, identifier: str, name: str, seen: str, sent_in: DataModel) -> None:
        """Close what is open here and whose finding is elsewhere now, or gone.

        Args:
            identifier: of what is open.
            name: of its definition.
            seen: the date to close it by.
            sent_in: the data model that it was sent in.
        """
        item = closed_item(identifier, name, last_seen_at=seen, closed_at=seen, data_model=sent_in)
        items = self.items if sent_in == self._data_model else self.before
        items.append(msgspec.Raw(_encode(item)))
        self.names.add(name)

    def holder(self) -> Holder:
        """Give the web applications of the asset."""
        lowest = min(self._places) if self._places else None
        return Holder(
            frozenset(self._places),
            self._nowhere if lowest is None else self._places[lowest],
            {number: place.webapp_name or "" for number, place in self._places.items()},
            tuple(self._tags),
            self._last_looked_at or None,
        )
