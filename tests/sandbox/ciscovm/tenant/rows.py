"""Rows of KDI files as the tenant keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.sandbox.ciscovm.kdi.fields import IDENTIFIERS, LOCATORS
from tests.sandbox.ciscovm.tenant.state import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.ciscovm.tenant.state import Kind, Status

Record = dict[str, Any]


def moment(text: str | None, default: datetime) -> datetime:
    """Return a date of a file; `default` where it has none."""
    return default if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))


def locators_of(record: Record) -> dict[str, str]:
    """Return the locators of an asset's row."""
    return {name: record[name] for name in LOCATORS if name in record}


def status_of(said: Record) -> Status | None:
    """Return the status that an entry's row has, if any."""
    status: Status | None = said.get("status", said.get("triage_state"))
    return status


def entry_of(
    kind: Kind, said: Record, definition: Record, connector_id: int, now: datetime
) -> Entry:
    """Return the entry that a row and its definition make, not yet known to the tenant."""
    return Entry(
        kind=kind,
        connector_id=connector_id,
        scanner_type=said["scanner_type"],
        scanner_identifier=said["scanner_identifier"],
        name=said["vuln_def_name"],
        status="open" if kind == "vuln" else "new",
        created_at=moment(said.get("created_at"), now),
        last_seen_at=moment(said["last_seen_at"], now),
        closed_at=moment(said["closed_at"], now) if "closed_at" in said else None,
        score=said.get("scanner_score", said.get("severity")),
        port=said.get("port"),
        details=said.get("details"),
        identifiers=list(_identifiers(definition)),
        description=definition.get("description"),
        solution=definition.get("solution"),
        additional_fields=said.get("additional_fields", {}),
    )


def _identifiers(definition: Record) -> Iterable[str]:
    """Yield the identifiers of the one kind that CVM keeps."""
    kept = next((kind for kind in IDENTIFIERS if kind in definition), None)
    return (name.strip() for name in definition[kept].split(",")) if kept else ()
