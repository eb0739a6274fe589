"""The plain lists of the CVM face, and its single objects by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.ciscovm import parameters, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.datastructures import QueryParams

    from tests.sandbox.ciscovm.tenant.state import Asset, Vulnerability
    from tests.sandbox.ciscovm.tenant.tenant import Tenant

    Answer = dict[str, object]
    Lookup = Callable[[Tenant, int], Answer | None]

_QUERY: Final = ("page", "filter")


def assets(tenant: Tenant, query: QueryParams) -> Answer:
    """List active assets with open vulnerabilities, or all inactive ones.

    Raises:
        QueryError: for what cannot be asked.
    """
    chosen = _chosen(query, ("active", "inactive"))
    rows = [shapes.asset(tenant, one) for one in tenant.searched().values()]
    found = [
        row
        for row in rows
        if row["status"] == chosen and (chosen == "inactive" or row["vulnerabilities_count"])
    ]
    return _page("assets", query, found)


def vulnerabilities(tenant: Tenant, query: QueryParams) -> Answer:
    """List the open, or else the closed vulnerabilities of active assets.

    Raises:
        QueryError: for what cannot be asked.
    """
    closed = _chosen(query, ("open", "closed")) == "closed"
    found = [
        shapes.vulnerability(tenant.state.connectors, asset, merged)
        for asset, merged in _merged(tenant)
        if tenant.is_active(asset)
        and shapes.status(asset, merged).startswith("closed" if closed else "open")
    ]
    return _page("vulnerabilities", query, found)


def _chosen(query: QueryParams, allowed: tuple[str, str]) -> str:
    parameters.refuse_unknown(query, _QUERY)
    return (parameters.words(query, "filter", allowed) or allowed)[0]


def _page(name: str, query: QueryParams, rows: list[Answer]) -> Answer:
    """Return a page. These lists have one page size and no total count."""
    page, meta = parameters.page_of(query, rows, parameters.LISTS)
    return {name: page, "meta": {"page": meta["page"], "pages": meta["pages"]}}


def _merged(tenant: Tenant) -> Iterator[tuple[Asset, Vulnerability]]:
    for asset in tenant.searched().values():
        for merged in asset.vulnerabilities.values():
            yield asset, merged


def asset(tenant: Tenant, number: int) -> Answer | None:
    """Return one asset, active or not."""
    found = tenant.searched().get(number)
    return None if found is None else {"asset": shapes.asset(tenant, found)}


def asset_vulnerabilities(tenant: Tenant, number: int) -> Answer | None:
    """Return all vulnerabilities of one asset, whatever their status."""
    found = tenant.searched().get(number)
    if found is None:
        return None
    rows = [
        shapes.vulnerability(tenant.state.connectors, found, merged)
        for merged in found.vulnerabilities.values()
    ]
    return {"vulnerabilities": rows}


def vulnerability(tenant: Tenant, number: int) -> Answer | None:
    """Return one vulnerability."""
    for asset, merged in _merged(tenant):
        if merged.id == number:
            row = shapes.vulnerability(tenant.state.connectors, asset, merged)
            return {"vulnerability": row}
    return None


def scanner_vulnerabilities(tenant: Tenant, number: int) -> Answer | None:
    """Return what each connector has said of one vulnerability."""
    for asset, merged in _merged(tenant):
        if merged.id == number:
            entries = shapes.entries_of(asset, merged)
            rows: list[dict[str, Any]] = [
                {"details": one.details or "", "solution": one.solution or ""} for one in entries
            ]
            return {"scanner_vulnerabilities": rows}
    return None


def finding(tenant: Tenant, number: int) -> Answer | None:
    """Return one finding."""
    for asset in tenant.searched().values():
        for entry in asset.entries.values():
            if entry.kind == "finding" and entry.id == number:
                return {"finding": shapes.finding(tenant.state.connectors, asset, entry)}
    return None


BY_ID: Final[Mapping[str, tuple[Lookup, int, str]]] = {
    "/assets/{id:int}": (asset, 400, "Cannot find specified asset."),
    "/assets/{id:int}/vulnerabilities": (
        asset_vulnerabilities,
        400,
        "Cannot find specified asset.",
    ),
    "/vulnerabilities/{id:int}": (vulnerability, 404, "Vulnerability was not found."),
    "/vulnerabilities/{id:int}/scanner_vulnerabilities": (
        scanner_vulnerabilities,
        400,
        "Cannot find specified vulnerability.",
    ),
    "/findings/{id:int}": (finding, 404, "Finding was not found."),
}
"""Paths, the function that answers each, and how an unknown id is refused."""
