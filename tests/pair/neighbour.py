"""Another connector of the same tenant, which has something open on the same assets."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID
from tests.sandbox_tests.loads import document, vuln

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.state import Asset, Entry
    from tests.sandbox.ciscovm.tenant.tenant import Tenant

TAG: Final = "seen by a neighbour"


class Neighbour:
    """Loads what it knows, and remembers it; nobody else may touch any of it."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._said: dict[tuple[int, str], Entry] = {}

    def finds(self, asset: Asset) -> bool:
        """Tell whether CVM takes a load of this asset for this asset, as its locators rank now.

        Once they rank otherwise than when assets came, several may share the first one. Such a load
        would move another asset of ours, which nobody could tell from here.
        """
        return self._tenant.book.match(asset.locators) is asset

    def load(self, asset: Asset, name: str, cves: str) -> None:
        """Load one open vulnerability on an asset; what it means is told by CVEs, if any."""
        said = vuln(name, scanner_type="Neighbour")
        whole = document({**asset.locators, "vulns": [said], "tags": [TAG]}, skip_autoclose=True)
        if cves:
            definition: dict[str, Any] = whole["vuln_defs"][0]
            del definition["cwe_identifiers"]
            definition["cve_identifiers"] = cves
        file = self._tenant.upload(OTHER_CONNECTOR_ID, json.dumps(whole).encode())
        self._tenant.begin(OTHER_CONNECTOR_ID, [file.id])
        self._tenant.settle()
        for entry in asset.entries.values():
            if entry.connector_id == OTHER_CONNECTOR_ID:
                self._said[asset.id, entry.key] = copy.deepcopy(entry)

    def check(self) -> None:
        """Hold that all of it is as it was left: open, and kept open in what is merged with it."""
        for (number, key), said in self._said.items():
            asset = self._tenant.state.assets[number]
            assert asset.entries[key] == said
            assert key in asset.vulnerabilities[said.vulnerability].open_entries
            assert TAG in asset.tags
