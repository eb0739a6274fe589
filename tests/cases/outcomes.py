"""What the cases ask about a load: definitions, notes, filters, and the names that CVM knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.target.rows import APP
from tests.target.streams import Sync, joined, record, schema, webapp

if TYPE_CHECKING:
    from tests.cases.case import Case
    from tests.target.loads import Loaded


def identifiers(*numbers: int) -> set[str]:
    """Give what CVM knows findings without a `uniqueId` by, behind type and web application."""
    return set(map(str, numbers))


def definitions(loaded: Loaded) -> dict[str, dict[str, Any]]:
    """Give the definitions of the only file by name."""
    (document,) = loaded.documents.values()
    return {row["name"]: row for row in document["vuln_defs"]}


def notes(loaded: Loaded) -> dict[str, int]:
    """Give how often each note was taken."""
    return {note["text"]: note["count"] for note in loaded.report["notes"]}


def filtered(loaded: Loaded) -> dict[str, tuple[int, int]]:
    """Give what each filter left out, and will close, by name."""
    rows = loaded.report["reconciliation"]["filtered_by"]
    return {row["name"]: (row["filtered"], row["will_close"]) for row in rows}


def knowledge(*entries: dict[str, object]) -> bytes:
    """Make lines of the knowledge base, to come before an input."""
    return joined(schema("knowledge_base"), *(record("knowledge_base", row) for row in entries))


def whole(case: Case) -> Sync:
    """Make a complete full sync of the findings of a case, all of one web application."""
    return Sync([webapp(9001, url=APP["url"])], case.records())
