"""What happens in a tenant without our doing: each leaves CVM with something else than was sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.sandbox.ciscovm.tenant.entries import Bookkeeper
from tests.sandbox.ciscovm.tenant.state import Counters
from tests.sandbox.ciscovm.tenant.tally import Tally
from tests.sandbox_tests.loads import document, finding, vuln

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.kdi.types import DataModel
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
        asset.vulnerabilities.pop(entry.vulnerability, None)


def rename(tenant: Tenant, identifier: str, other: str) -> None:
    """Give an entry another identifier, as no API of CVM's can."""
    for asset, entry in entries(tenant, identifier):
        merged, key = asset.vulnerabilities[entry.vulnerability], entry.key
        del asset.entries[key]
        entry.scanner_identifier = other
        asset.entries[entry.key] = entry
        merged.entries[merged.entries.index(key)] = entry.key
        merged.open_entries = {entry.key if one == key else one for one in merged.open_entries}


def readdress(tenant: Tenant, identifier: str, url: str) -> None:
    """Give the asset of an entry another URL."""
    for asset, _ in entries(tenant, identifier):
        tenant.book.relocate(asset, {"url": url})


def load(
    tenant: Tenant,
    connector_id: int,
    url: str,
    identifier: str,
    model: DataModel = "vulnerabilities",
    *,
    cve: str | None = None,
) -> int:
    """Load an open entry by hand, and give the number of the run.

    Args:
        tenant: the tenant.
        connector_id: of the connector that it is loaded with.
        url: of its asset.
        identifier: its own.
        model: which of the two kinds of entries it is.
        cve: what CVM takes it for, together with all that has the same at the asset.
    """
    items = [vuln(identifier)] if model == "vulnerabilities" else [finding(identifier)]
    name = "vulns" if model == "vulnerabilities" else model
    whole = document({"url": url, name: items}, skip_autoclose=True)
    if cve is not None:
        (definition,) = whole["vuln_defs"]
        del definition["cwe_identifiers"]
        definition["cve_identifiers"] = cve
    file = tenant.upload(connector_id, json.dumps(whole).encode())
    run = tenant.begin(connector_id, [file.id])
    tenant.settle()
    return run.id


def open_silently(
    tenant: Tenant,
    connector_id: int,
    url: str,
    identifier: str,
    model: DataModel = "vulnerabilities",
) -> None:
    """Open an entry by a run that the connector no longer lists."""
    del tenant.state.runs[load(tenant, connector_id, url, identifier, model)]
