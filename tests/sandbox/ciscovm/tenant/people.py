"""Manual work of users in CVM, which no load may undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.ciscovm.kdi.locators import order_of
from tests.sandbox.ciscovm.tenant.entries import Bookkeeper
from tests.sandbox.ciscovm.tenant.state import Counters, TagSources
from tests.sandbox.ciscovm.tenant.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import RLock

    from tests.sandbox.ciscovm.tenant.assets import AssetBook
    from tests.sandbox.ciscovm.tenant.state import Asset, Entry, Manual, State, Status
    from tests.sandbox.world.clock import Clock


@dataclass(frozen=True)
class People:
    """A tenant's users. Unknown assets and identifiers raise KeyError.

    Attributes:
        book: the assets by their locators, whose order is one of CVM's settings.
        lock: held while a user acts.
        settle: ends the runs whose time has come, so that users see what these have done.
    """

    state: State
    book: AssetBook
    clock: Clock
    lock: RLock
    settle: Callable[[], None]

    def tag(self, asset_id: int, tag: str, *, by_api: bool = False) -> None:
        """Tag an asset in the UI, or through the API."""
        with self.lock:
            sources = self._asset(asset_id).tags.setdefault(tag, TagSources())
            sources.api |= by_api
            sources.ui |= not by_api

    def untag(self, asset_id: int, tag: str) -> None:
        """Remove a person's tag; tags of connectors cannot be removed (help on tags)."""
        with self.lock:
            tags = self._asset(asset_id).tags
            tags[tag].api = tags[tag].ui = False
            if not tags[tag].connectors:
                del tags[tag]

    def prioritise(self, asset_id: int, priority: int) -> None:
        """Set an asset's priority, 0 to 10; a load that has one resets it."""
        with self.lock:
            self._asset(asset_id).priority = priority

    def judge(self, scanner_identifier: str, status: Manual) -> int:
        """Give a vulnerability a status by hand, wherever it stands; return on how many assets."""
        with self.lock:
            found = list(self._entries(scanner_identifier, "vuln"))
            for asset, entry in found:
                self._judge(asset, entry, status)
            return len(found)

    def judge_one(self, vulnerability_id: int, status: Manual | None) -> bool:
        """Give one vulnerability a status through the API; return whether there is such a one."""
        with self.lock:
            self.settle()
            for asset in self.state.assets.values():
                for merged in asset.vulnerabilities.values():
                    if merged.id == vulnerability_id:
                        for key in merged.entries:
                            self._judge(asset, asset.entries[key], status)
                        return True
            return False

    def _judge(self, asset: Asset, entry: Entry, status: Manual | None) -> None:
        asset.vulnerabilities[entry.vulnerability].manual = status
        if status == "closed" and entry.is_open:
            keeper = Bookkeeper(self.state, Tally(Counters()), self.clock.now())
            keeper.close(asset, entry, "manual")

    def triage(self, scanner_identifier: str, state: Status) -> int:
        """Give a finding a triage state by hand; return on how many assets."""
        with self.lock:
            found = list(self._entries(scanner_identifier, "finding"))
            for _, entry in found:
                entry.status = state
                entry.closed_by = None if entry.is_open else "manual"
            return len(found)

    def rank_locators(self, *first: str) -> None:
        """Set the order of locators in CVM's settings: these first, the others as CVM has them."""
        with self.lock:
            self.settle()
            self.book.order = order_of(first)

    def _asset(self, asset_id: int) -> Asset:
        self.settle()
        return self.state.assets[asset_id]

    def _entries(self, scanner_identifier: str, kind: str) -> Iterator[tuple[Asset, Entry]]:
        self.settle()
        for asset in self.state.assets.values():
            for entry in asset.entries.values():
                if entry.kind == kind and entry.scanner_identifier == scanner_identifier:
                    yield asset, entry
