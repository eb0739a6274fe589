"""What happens in a tenant without our doing: each leaves CVM with something else than was sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.sandbox.ciscovm.tenant.entries import Bookkeeper
from tests.sandbox.ciscovm.tenant.state import Counters
from tests.sandbox.ciscovm.tenant.tally import Tally
from tests.sandbox_tests.loads import document, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.ciscovm.tenant.state import Asset, Entry
    from tests.sandbox.ciscovm.tenant.tenant import Tenant


def entries(tenant: Tenant, identifier: str) -> Iterator[tuple[Asset, Entry]]:
    """Give what CVM has under an identifier, with the asset."""
    tenant.settle()
    for asset in tenant.state.assets.values():
        for entry in list(asset.entries.values()):
            if entry.scanner_identifier == identifier:
                yield asset, entry


def close(tenant: Tenant, identifier: str) -> None:
    """Let CVM close an entry that no load of ours has closed."""
    for asset, entry in entries(tenant, identifier):
        Bookkeeper(tenant.state, Tally(Counters()), tenant.clock.now()).close(
            asset, entry, "explicit"
        )


def delete(tenant: Tenant, identifier: str) -> None:
    """Take an entry away, as deleting its asset does."""
    for asset, entry in entries(tenant, identifier):
        del asset.entries[entry.key]
        del asset.vulnerabilities[entry.vulnerability]


def readdress(tenant: Tenant, identifier: str, url: str) -> None:
    """Give the asset of an entry another URL."""
    for asset, _ in entries(tenant, identifier):
        tenant.book.relocate(asset, {"url": url})


def load(tenant: Tenant, connector_id: int, url: str, identifier: str) -> int:
    """Load an open entry by hand, and give the number of the run."""
    whole = document({"url": url, "vulns": [vuln(identifier)]}, skip_autoclose=True)
    file = tenant.upload(connector_id, json.dumps(whole).encode())
    run = tenant.begin(connector_id, [file.id])
    tenant.settle()
    return run.id
