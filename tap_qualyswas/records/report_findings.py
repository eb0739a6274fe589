"""Findings made from the entries of scan reports."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.findings import finding_shape
from tap_qualyswas.records.scan_results import identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_qualyswas.records.fields import Json, Record

NAMESPACE: Final = uuid.UUID("5f0e7a52-6f5c-5c0b-9a35-0f6d3f6f7c11")
"""Of the ids that are made here. If it changed, every finding would become a new one."""
BLANK: Final[Mapping[str, Json]] = dict.fromkeys(finding_shape().properties)


def unique_id(webapp_id: Json, entry: Record) -> str:
    """Give the id of a finding, the same while web application, QID and place are the same."""
    parts = ["" if part is None else str(part) for part in (webapp_id, *identity(entry))]
    return str(uuid.uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)))


def as_finding(entry: Record, webapp: Mapping[str, Json], launched: str) -> Record:
    """Make a finding of an entry of a report.

    Args:
        entry: the entry.
        webapp: the web application of the scan.
        launched: when the scan was launched.
    """
    return {
        **BLANK,
        "uniqueId": unique_id(webapp["id"], entry),
        "qid": entry["qid"],
        "name": entry["title"],
        "type": entry["kind"],
        "potential": entry["potential"],
        "severity": entry["severity"],
        "originalSeverity": entry["originalSeverity"],
        "param": entry["param"],
        "url": entry["uri"],
        "status": "ACTIVE",
        "content": entry["content"],
        "group": entry["group"],
        "lastDetectedDate": launched,
        "lastTestedDate": launched,
        "webApp": {**webapp, "tags": None},
    }
