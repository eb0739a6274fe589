"""How much is open in CVM for one connector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_ciscovm.cvm.connector import read_int

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_ciscovm.cvm.calls import Calls
    from target_ciscovm.cvm.transport import Answer

    Query = Sequence[tuple[str, str | int]]

FINDINGS_PAGES: Final = 2000
"""Last page of `GET /findings` that CVM returns; a page always has 100 findings."""


def count_vulnerabilities(calls: Calls, connector_name: str) -> int | None:
    """Count the open vulnerabilities of active assets that a connector of this name reported.

    There is no filter by the connector's id, so connectors of one name are counted together.

    Returns:
        `total_count` of the search, None when CVM does not say it.
    """
    query: Query = [
        ("connector_names[]", connector_name),
        ("status[]", "open"),
        ("per_page", 1),
        ("fields", "id"),
    ]
    return _total(calls.get("/vulnerabilities/search", "search vulnerabilities", query=query))


def count_findings(calls: Calls, connector_id: int) -> int | None:
    """Count the open findings of a connector by reading them all, a hundred at a time.

    `GET /findings` has no filter by connector, but names the connector of each finding. Its default
    statuses are the open ones. Sorted by creation, rows do not move while they are read.

    Returns:
        The number, None when CVM does not say it or has more than its paging can show.
    """
    ours = seen = 0
    for page in range(1, FINDINGS_PAGES + 1):
        query: Query = [("page", page), ("sort_by", "created_at"), ("sort_direction", "asc")]
        answer = calls.get("/findings", "search findings", query=query)
        rows = answer.rows("findings")
        total = _total(answer)
        if rows is None or total is None:
            return None
        seen += len(rows)
        ours += sum(_connector_of(row) == connector_id for row in rows)
        if not rows or seen >= total:
            return ours
    return None


def _total(answer: Answer) -> int | None:
    meta = answer.fields().get("meta")
    return read_int(meta.get("total_count")) if isinstance(meta, dict) else None


def _connector_of(row: dict[str, object]) -> int | None:
    connector = row.get("connector")
    return read_int(connector.get("id")) if isinstance(connector, dict) else None
