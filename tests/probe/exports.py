"""What CVM is asked about its data exports, which change nothing."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Final

from tests.probe.answers import Answer
from tests.probe.scratch import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.probe.scratch import JSON, Scratch

LONGEST_EXPORT: Final = 3600


def ask(scratch: Scratch) -> Iterator[Answer]:
    """Ask for exports of single rows."""
    findings = _requested(scratch, "finding", status=["new"]) is not None
    yield Answer("Can findings be exported?", findings, "finding_exports")
    inactive = _one(scratch, "inactive")
    if inactive is not None:
        request = _requested(scratch, "vulnerability", id=[inactive["id"]], status=STATUSES)
        told = request is not None and request["record_count"] == 1
        yield Answer("Has an export those of inactive assets?", told, "export_inactive")
    active = _one(scratch, "active")
    if active is not None:
        row = _exported(scratch, active["id"])
        yield Answer("Does an export give what a search gives?", row == active)


def _one(scratch: Scratch, status: str) -> JSON | None:
    """Return some vulnerability of an asset of this status."""
    query = {"status[]": STATUSES, "asset[status][]": [status], "per_page": 1}
    rows: list[JSON] = scratch.read("/vulnerabilities/search", **query)["vulnerabilities"]
    return rows[0] if rows else None


def _requested(scratch: Scratch, model: str, **filters: object) -> JSON | None:
    """Request an export and return what is said of it, None where it is refused."""
    body = {"export_settings": {"model": model, "format": "jsonl"}, **filters}
    answer = scratch.ask("POST", "/data_exports", json=body)
    told: JSON | None = answer.json() if answer.ok else None
    return told


def _exported(scratch: Scratch, number: int) -> JSON | None:
    """Return the row of a vulnerability in an export, None if there is no such export."""
    request = _requested(scratch, "vulnerability", id=[number], status=STATUSES)
    deadline = time.monotonic() + LONGEST_EXPORT
    while request is not None and time.monotonic() < deadline:
        query = {"search_id": request["search_id"]}
        answer = scratch.ask("GET", "/data_exports", params=query)
        if answer.status_code != 206:
            lines = gzip.decompress(answer.content).splitlines() if answer.ok else []
            return json.loads(lines[0]) if lines else None
        time.sleep(scratch.poll_seconds)
    return None
