"""The chain of syncs of one scope, in which an incremental load must leave no gap. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from qualyswas_ciscovm.dates import to_utc

if TYPE_CHECKING:
    from target_ciscovm.ledger.tables import Link
    from target_ciscovm.mapping.records import Sync

FULL = "full"


def scope_of(sync: Sync, account: int | None) -> str:
    """Give the fingerprint of what a sync reads: account, login, source and filters."""
    source = sync.coverage.source if sync.coverage else None
    told = [account, sync.login, source, sync.filters]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def gap(sync: Sync, link: Link | None) -> str | None:
    """Say why CVM lacks what came before an incremental sync, None when it lacks nothing.

    Args:
        sync: the row of `syncs`.
        link: the end of its scope's chain, None when nothing of the scope was ever settled.
    """
    if sync.mode == FULL:
        return None
    previous = to_utc(sync.previous_sync_at)
    if previous is None and (sync.filters or {}).get("start_date"):
        return None
    if link is None:
        return "this connector has no earlier load of the same account and filters"
    if previous is None:
        return "the syncs record does not say which sync it continues"
    if previous <= link.began:
        return None
    return (
        f"it continues a sync of {previous}, and the last one loaded into this connector began at "
        f"{link.began}"
    )
