"""How holdings come into their store: entries by an export or a search, and then their assets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.cvm.holdings import searches
from target_ciscovm.cvm.holdings.exports import Request
from target_ciscovm.cvm.holdings.rows import (
    ASSET_FIELDS,
    AssetRow,
    FindingRow,
    Row,
    VulnerabilityRow,
    entries_of,
    entry_of,
)
from target_ciscovm.cvm.holdings.searches import BeyondPaging, Shifted, rows_of
from target_ciscovm.errors import CiscoVMError, HoldingsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from target_ciscovm.cvm.calls import Calls
    from target_ciscovm.cvm.holdings.exports import Exports
    from target_ciscovm.cvm.holdings.holding import Owner
    from target_ciscovm.cvm.holdings.searches import Search
    from target_ciscovm.cvm.holdings.store import Store
    from target_ciscovm.kdi.types import DataModel

LOGGER: Final = logging.getLogger(__name__)

READS: Final = 3
"""How often a search is read whose rows come and go meanwhile."""
ASSETS_SEARCHED: Final = 1000
"""More assets than these are exported."""
IDS: Final = 100
"""Assets that are searched for at once."""

FINDINGS: Final = Request(FindingRow, "finding", "findings", {"status": searches.FINDING_STATUSES})
ASSETS: Final = Request(
    AssetRow,
    "asset",
    "assets",
    {"status": searches.ASSET_STATUSES, "exclude_child_filter": (searches.EVERY_ASSET,)},
    ASSET_FIELDS,
)


class Reading(msgspec.Struct, frozen=True):
    """One reading of what a connector holds.

    Attributes:
        connector: whose entries are kept.
        connectors: names that CVM filters by, of vulnerabilities; all are read where there is none.
    """

    calls: Calls
    connector: Owner
    connectors: tuple[str, ...]
    store: Store
    exports: Exports

    def export(self, model: DataModel) -> None:
        """Read the entries from an export.

        Raises:
            CiscoVMError: when none came, or the search failed.
        """
        if model == "findings":
            self._export(FINDINGS, self._add_findings)
            return
        request = Request(
            VulnerabilityRow,
            "vulnerability",
            "vulnerabilities",
            {"status": searches.VULNERABILITY_STATUSES}
            | ({"connector_names": self.connectors} if self.connectors else {}),
        )
        self._export(request, self._add_vulnerabilities)
        self._add_inactive()

    def _add_inactive(self) -> None:
        """Search for what stands on inactive assets: whether an export has it is not documented.

        Where there is more than a search shows, the export must have as much.
        """
        inactive = searches.of_vulnerabilities(self.connectors, ("inactive",))
        try:
            self._search(inactive, self._add_vulnerabilities)
        except BeyondPaging as error:
            self.find_assets()
            if error.total is None or self.store.count_inactive() < error.total:
                raise

    def search(self, model: DataModel) -> None:
        """Read the entries from a search, in place of all that was read before.

        Raises:
            CiscoVMError: when CVM refuses it, or its paging does not go as far.
        """
        self.store.clear()
        if model == "findings":
            self._search(searches.of_findings(), self._add_findings)
            return
        every = searches.of_vulnerabilities(self.connectors, searches.ASSET_STATUSES)
        self._search(every, self._add_vulnerabilities)

    def find_assets(self) -> None:
        """Read the assets that the entries stand on, as far as they are not known.

        Raises:
            HoldingsUnavailable: when CVM does not tell some of them.
            CiscoVMError: when CVM refuses, or cannot be reached.
        """
        self.store.list_assets()
        if self.store.count_unknown_assets() > ASSETS_SEARCHED:
            self._export_assets()
        for ids in self.store.unknown_assets(IDS):
            self._search(searches.of_assets(ids), self.store.describe_assets)
        if number := self.store.count_unknown_assets():
            msg = f"CVM does not tell {number:,} of the assets that its entries stand on."
            raise HoldingsUnavailable(msg)

    def _export_assets(self) -> None:
        try:
            self._export(ASSETS, self.store.describe_assets)
        except CiscoVMError as error:
            LOGGER.info("%s The assets are searched for instead.", error)

    def _add_vulnerabilities(self, rows: Iterable[VulnerabilityRow]) -> None:
        self.store.add(held for row in rows for held in entries_of(row, self.connector))

    def _add_findings(self, rows: Iterable[FindingRow]) -> None:
        self.store.add(held for row in rows for held in entry_of(row, self.connector))

    def _export(self, request: Request[Row], add: Callable[[Iterable[Row]], None]) -> None:
        def keep(rows: Iterable[Row]) -> None:
            with self.store.whole():
                add(rows)

        self.exports.read(request, keep)

    def _search(self, search: Search[Row], add: Callable[[Iterable[Row]], None]) -> None:
        if any(self._searched(search, add) for _ in range(READS)):
            return
        msg = f"CVM's {search.plural} changed each time that they were read."
        raise HoldingsUnavailable(msg)

    def _searched(self, search: Search[Row], add: Callable[[Iterable[Row]], None]) -> bool:
        """Read a search once, and tell whether nothing changed meanwhile."""
        try:
            with self.store.whole():
                add(rows_of(self.calls, search))
        except Shifted:
            LOGGER.info("CVM's %s changed while they were read.", search.plural)
            return False
        return True
