"""The tenant's assets: matched by their primary locator, and tagged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm.kdi.locators import primary
from tests.sandbox.ciscovm.tenant.state import Asset, TagSources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.sandbox.ciscovm.tenant.state import State

_FIRST_ID: Final = 2001


class AssetBook:
    """All assets with an index of every locator, in the tenant's order of locators.

    Attributes:
        order: names of locators, highest first.
        any_case: whether capitals do not tell URLs apart.
    """

    def __init__(self, state: State, order: tuple[str, ...], *, any_case: bool = False) -> None:
        self._state = state
        self.order = order
        self.any_case = any_case
        self._index: dict[tuple[str, str], set[int]] = {}
        for asset in state.assets.values():
            for name, value in asset.locators.items():
                self._index.setdefault(self._key(name, value), set()).add(asset.id)

    def _key(self, name: str, value: str) -> tuple[str, str]:
        return name, value.lower() if self.any_case and name == "url" else value

    def match(self, locators: Mapping[str, str]) -> Asset | None:
        """Return the asset that the primary locator names; no other locator is tried."""
        ids = self._index.get(self._key(*primary(locators, self.order)))
        return self._state.assets[min(ids)] if ids else None

    def out_of_reach(self, key: str) -> frozenset[int]:
        """Return the ids of assets that no load can name: CVM takes others for their locators.

        They are left over from another order of locators, by which CVM told them apart.

        Args:
            key: the locator that a loader tells its assets by. It names an asset by this one, or by
                all that it has. By a lower one alone it would name whatever else has that.
        """
        return frozenset(
            asset.id
            for asset in self._state.assets.values()
            if self.match(asset.locators) is not asset
            and (key not in asset.locators or self.match({key: asset.locators[key]}) is not asset)
        )

    def create(self, now: datetime, last_seen: datetime) -> Asset:
        """Add an asset that has no locator yet."""
        asset = Asset(self._state.next_id("asset", _FIRST_ID), now, last_seen)
        self._state.assets[asset.id] = asset
        return asset

    def relocate(self, asset: Asset, locators: Mapping[str, str]) -> None:
        """Overwrite the asset's locators with the given ones; the others stay."""
        for name, value in locators.items():
            old = asset.locators.get(name)
            if old is not None:
                self._index[self._key(name, old)].discard(asset.id)
            asset.locators[name] = value
            self._index.setdefault(self._key(name, value), set()).add(asset.id)


def tag_by_connector(asset: Asset, tags: list[str], connector_id: int, now: datetime) -> None:
    """Add tags; existing tags stay, whoever added them."""
    for tag in tags:
        asset.tags.setdefault(tag, TagSources()).connectors[connector_id] = now


def drop_tags(asset: Asset, kept: list[str], connector_id: int) -> None:
    """Remove tags of the connector that it no longer names; tags of other sources stay."""
    for tag in [tag for tag in asset.tags if tag not in kept]:
        sources = asset.tags[tag]
        sources.connectors.pop(connector_id, None)
        if not (sources.connectors or sources.api or sources.ui):
            del asset.tags[tag]
