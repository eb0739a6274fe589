"""The searches of the CVM face: assets, vulnerabilities, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.sandbox.ciscovm import parameters, shapes
from tests.sandbox.ciscovm.tenant.state import CLOSED, OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.datastructures import QueryParams

    from tests.sandbox.ciscovm.tenant.state import Asset, Vulnerability
    from tests.sandbox.ciscovm.tenant.tenant import Tenant

    Answer = dict[str, object]

_PAGE: Final = ("page", "per_page")
_ASSET_QUERY: Final = (*_PAGE, "id[]", "q", "status[]", "tags[]", "exclude_child_filter[]")
_VULN_QUERY: Final = (
    *_PAGE,
    "id[]",
    "q",
    "status[]",
    "connector_names[]",
    "asset[id][]",
    "asset[status][]",
    "fields",
)
_FINDING_QUERY: Final = (*_PAGE, "status[]", "identifier[]", "sort_by", "sort_direction")

ASSET_STATUS: Final = ("active", "inactive")
_ALL_ASSETS: Final = "Include all assets"

_VULN_STATUS: Final = {
    "open": "open",
    "closed": "closed",
    "closed_by_human": "closed",
    "risk_accepted_by_human": "risk accepted",
    "false_positive_by_human": "false positive",
}
"""From the status in an answer to the word that a search takes."""

_FINDING_STATUS: Final = frozenset(
    {
        *OPEN,
        *CLOSED,
        "duplicate",
        "false_positive",
        "not_a_security_issue",
        "risk_accepted",
    }
)
_SORTABLE: Final = ("closed_at", "created_at", "last_found_on", "score", "updated_at")


def assets(tenant: Tenant, query: QueryParams) -> Answer:
    """Search assets.

    Raises:
        QueryError: for what cannot be asked.
    """
    rows = chosen_assets(tenant, query)
    page, meta = parameters.page_of(query, rows, parameters.ASSETS)
    return {"assets": page, "meta": _meta(tenant, meta)}


def chosen_assets(tenant: Tenant, query: QueryParams) -> list[Answer]:
    """Return the assets asked for: only active ones with open vulnerabilities by default.

    Raises:
        QueryError: for what cannot be asked.
    """
    parameters.refuse_unknown(query, _ASSET_QUERY)
    statuses = parameters.words(query, "status[]", ASSET_STATUS) or ["active"]
    everything = parameters.words(query, "exclude_child_filter[]", [_ALL_ASSETS])
    ids, tags = parameters.numbers(query, "id[]"), set(query.getlist("tags[]"))
    fits = parameters.assets_by_text(query["q"]) if "q" in query else None
    rows = []
    for found in tenant.searched().values():
        row = shapes.asset(tenant, found)
        wanted = row["status"] in statuses and (everything or row["vulnerabilities_count"])
        if wanted and _fits(ids, found.id) and (not tags or tags & set(found.tags)):
            rows += [row] if fits is None or fits(found) else []
    return rows


def vulnerabilities(tenant: Tenant, query: QueryParams) -> Answer:
    """Search vulnerabilities.

    Raises:
        QueryError: for what cannot be asked.
    """
    found = chosen_vulnerabilities(tenant, query)
    page, meta = parameters.page_of(query, found, parameters.VULNERABILITIES)
    fields = query.get("fields", "").split(",") if query.get("fields") else None
    rows = [
        _only(fields, shapes.vulnerability(tenant.state.connectors, asset, merged))
        for asset, merged in page
    ]
    return {"vulnerabilities": rows, "meta": _meta(tenant, meta)}


def chosen_vulnerabilities(tenant: Tenant, query: QueryParams) -> list[tuple[Asset, Vulnerability]]:
    """Return the vulnerabilities asked for: only open ones of active assets by default.

    Raises:
        QueryError: for what cannot be asked.
    """
    parameters.refuse_unknown(query, _VULN_QUERY)
    statuses = parameters.words(query, "status[]", set(_VULN_STATUS.values())) or ["open"]
    names = set(query.getlist("connector_names[]"))
    ids, assets_named = parameters.numbers(query, "id[]"), parameters.numbers(query, "asset[id][]")
    of_assets = parameters.words(query, "asset[status][]", ASSET_STATUS) or ["active"]
    fits = parameters.assets_by_text(query["q"]) if "q" in query else None
    return [
        (asset, merged)
        for asset, merged in _merged(tenant, of_assets)
        if _VULN_STATUS[shapes.status(asset, merged)] in statuses
        and _fits(ids, merged.id)
        and _fits(assets_named, asset.id)
        and (fits is None or fits(asset))
        and (not names or names & _owners(tenant, asset, merged))
    ]


def findings(tenant: Tenant, query: QueryParams) -> Answer:
    """List findings.

    Raises:
        QueryError: for what cannot be asked.
    """
    page, meta = parameters.page_of(query, chosen_findings(tenant, query), parameters.FINDINGS)
    return {"findings": page, "meta": _meta(tenant, meta)}


def chosen_findings(tenant: Tenant, query: QueryParams) -> list[Answer]:
    """Return the findings asked for: open ones by default. There is no filter by connector.

    Raises:
        QueryError: for what cannot be asked.
    """
    parameters.refuse_unknown(query, _FINDING_QUERY)
    statuses = parameters.words(query, "status[]", _FINDING_STATUS) or list(OPEN)
    identifiers = set(query.getlist("identifier[]"))
    rows = [
        shapes.finding(tenant.state.connectors, asset, entry)
        for asset in tenant.searched().values()
        for entry in asset.entries.values()
        if entry.kind == "finding"
        and entry.status in statuses
        and (not identifiers or identifiers & set(entry.identifiers))
    ]
    key = (parameters.words(query, "sort_by", _SORTABLE) or ["id"])[0]
    order = parameters.words(query, "sort_direction", ("asc", "desc")) or ["asc"]
    return sorted(rows, key=lambda row: _rank(row, key), reverse=order[0] == "desc")


def _rank(row: Answer, key: str) -> tuple[bool, Any, Any]:
    return row[key] is not None, "" if row[key] is None else row[key], row["id"]


def _merged(tenant: Tenant, statuses: Sequence[str]) -> Iterator[tuple[Asset, Vulnerability]]:
    for asset in tenant.searched().values():
        if ("active" if tenant.is_active(asset) else "inactive") in statuses:
            for merged in asset.vulnerabilities.values():
                yield asset, merged


def _owners(tenant: Tenant, asset: Asset, merged: Vulnerability) -> set[str]:
    connectors = tenant.state.connectors
    return {connectors[one.connector_id].name for one in shapes.entries_of(asset, merged)}


def _fits(ids: list[int], number: int) -> bool:
    return not ids or number in ids


def _only(fields: list[str] | None, row: Answer) -> Answer:
    return row if fields is None else {key: row[key] for key in fields if key in row}


def _meta(tenant: Tenant, meta: dict[str, int]) -> dict[str, int]:
    if tenant.switches.legacy_counts:
        return {key: value for key, value in meta.items() if key != "total_count"}
    return meta
