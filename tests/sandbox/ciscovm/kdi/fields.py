"""The objects of a KDI 2 file as tables: field, check, and whether CVM requires it.

From the help article of the Data Importer, the comments of Cisco's toolkit and released code that
uses it. Where these leave a field open, the narrower reading stands here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm.kdi import values

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.kdi.values import Check


@dataclass(frozen=True)
class Table:
    """The fields of one kind of object; any other key is refused."""

    required: dict[str, Check]
    optional: dict[str, Check]

    def problems(self, value: dict[str, object]) -> list[tuple[str, str]]:
        """Return pairs of key and what is wrong with it."""
        found = [(key, "is missing") for key in self.required if key not in value]
        for key, inner in value.items():
            check = self.required.get(key) or self.optional.get(key)
            why = check(inner) if check else "is no field of KDI 2"
            if why:
                found.append((key, why))
        return found


def _list(value: object) -> str | None:
    return None if isinstance(value, list) else "must be a list"


def _version(value: object) -> str | None:
    return None if type(value) is int and value == 2 else f"must be 2: {value!r}"


LOCATORS: Final[dict[str, Check]] = {
    "file": values.filled,
    "ip_address": values.address,
    "mac_address": values.mac,
    "hostname": values.filled,
    "ec2": values.filled,
    "netbios": values.filled,
    "url": values.filled,
    "fqdn": values.filled,
    "image_id": values.filled,
    "container_id": values.filled,
    "external_id": values.filled,
    "database": values.filled,
    "application": values.filled,
}

DOCUMENT: Final = Table(
    required={
        "skip_autoclose": values.flag,
        "version": _version,
        "assets": _list,
        "vuln_defs": _list,
    },
    optional={"reset_tags": values.flag},
)

ASSET: Final = Table(
    required={},
    optional={
        **LOCATORS,
        "tags": values.tags,
        "owner": values.text,
        "os": values.text,
        "os_version": values.text,
        "priority": values.whole(0, 10),
        "asset_type": values.one_of(values.ASSET_TYPES),
        "last_seen_at": values.moment,
        "vulns": _list,
        "findings": _list,
    },
)

VULN: Final = Table(
    required={
        "scanner_type": values.filled,
        "scanner_identifier": values.filled,
        "vuln_def_name": values.filled,
        "last_seen_at": values.moment,
        "status": values.one_of(values.STATUSES),
    },
    optional={
        "scanner_score": values.whole(0, 10),
        "override_score": values.whole(0, 100),
        "created_at": values.moment,
        "last_fixed_on": values.moment,
        "closed_at": values.moment,
        "port": values.whole(0, 65535),
        "details": values.text,
    },
)

FINDING: Final = Table(
    required={
        "scanner_type": values.filled,
        "scanner_identifier": values.filled,
        "vuln_def_name": values.filled,
        "last_seen_at": values.moment,
    },
    optional={
        "severity": values.whole(0, 10),
        "triage_state": values.one_of(values.TRIAGE_STATES),
        "created_at": values.moment,
        "due_date": values.moment,
        "additional_fields": values.additional_fields,
    },
)

IDENTIFIERS: Final[dict[str, Check]] = {
    "cve_identifiers": values.cves,
    "cwe_identifiers": values.cwes,
    "wasc_identifiers": values.wascs,
}

VULN_DEF: Final = Table(
    required={"scanner_type": values.filled, "name": values.filled},
    optional={**IDENTIFIERS, "description": values.text, "solution": values.text},
)
