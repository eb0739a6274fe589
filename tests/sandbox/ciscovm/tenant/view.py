"""The tenant as the oracle reads it: entries with their connector, asset and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.sandbox.ciscovm.tenant.state import CLOSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tests.sandbox.ciscovm.tenant.state import Asset, Cause, Entry, Kind, Manual, State, Status


class Held(NamedTuple):
    """One entry of one connector, with its asset.

    Attributes:
        id: of the entry, unlike that of any other of its kind.
        status: the connector's own word; a person's is in `manual`.
        closed_by: how it was closed, None while it is not, or when it came closed.
        manual: the status that a person gave the vulnerability (findings: see `status`).
        name: of its definition.
        os: of the asset, as are `locators`, `tags`, `priority` and `asset_last_seen`.
    """

    id: int
    kind: Kind
    connector_id: int
    scanner_type: str
    scanner_identifier: str
    status: Status
    closed_by: Cause | None
    closed_at: datetime | None
    manual: Manual | None
    name: str
    score: int | None
    last_seen_at: datetime
    asset_id: int
    locators: Mapping[str, str]
    tags: frozenset[str]
    os: str | None
    priority: int
    asset_last_seen: datetime
    is_open: bool
    is_closed: bool


def held(state: State, connector_id: int | None) -> list[Held]:
    """Return every entry of the connector, of all when it is None."""
    return [_held(asset, entry) for asset, entry in _entries(state, connector_id)]


def summary(state: State, connector_id: int | None) -> dict[str, int]:
    """Count what `--report` tells of the tenant."""
    entries = [entry for _, entry in _entries(state, connector_id)]
    return {
        "assets": len(state.assets),
        "open": sum(entry.is_open for entry in entries),
        "closed": sum(entry.status in CLOSED for entry in entries),
        "tags": len({tag for asset in state.assets.values() for tag in asset.tags}),
    }


def _entries(state: State, connector_id: int | None) -> Iterator[tuple[Asset, Entry]]:
    for asset in state.assets.values():
        for entry in asset.entries.values():
            if connector_id in {None, entry.connector_id}:
                yield asset, entry


def _held(asset: Asset, entry: Entry) -> Held:
    merged = asset.vulnerabilities.get(entry.vulnerability)
    return Held(
        id=entry.id,
        kind=entry.kind,
        connector_id=entry.connector_id,
        scanner_type=entry.scanner_type,
        scanner_identifier=entry.scanner_identifier,
        status=entry.status,
        closed_by=entry.closed_by,
        closed_at=entry.closed_at,
        manual=merged.manual if merged else None,
        name=entry.name,
        score=entry.score,
        last_seen_at=entry.last_seen_at,
        asset_id=asset.id,
        locators=dict(asset.locators),
        tags=frozenset(asset.tags),
        os=asset.os,
        priority=asset.priority,
        asset_last_seen=asset.last_seen,
        is_open=entry.is_open,
        is_closed=entry.status in CLOSED,
    )
