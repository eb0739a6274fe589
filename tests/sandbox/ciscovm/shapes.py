"""The tenant's values in the shapes of Cisco's OpenAPI file.

A value that is not there is left out where the file does not allow null, save where null is known
to be sent: `host` of a connector that takes files, `end_time` and `success` of a run that is on.
"""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm.kdi.locators import KDI_NAMES, primary
from tests.sandbox.ciscovm.tenant.state import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tests.sandbox.ciscovm.tenant.state import Asset, Connector, Entry, Run, Vulnerability
    from tests.sandbox.ciscovm.tenant.tenant import Tenant
    from tests.sandbox.faults.switches import Switches

    Answer = dict[str, object]

MISSPELT: Final = "processed_palyoad_count"
"""Real in answers of 2020 and 2021; the current file spells it right."""

_BY_HAND: Final = {
    "false_positive": "false_positive_by_human",
    "risk_accepted": "risk_accepted_by_human",
    "closed": "closed_by_human",
}
_OPTIONAL: Final = frozenset({"ip_address"})
"""Locators whose schema takes no null."""
_UNTOLD: Final = frozenset({"container_id", "image_id"})
"""Locators of KDI that no answer of the file has."""
ASSET_FIELDS: Final = frozenset(
    {
        "id",
        "created_at",
        "last_seen_time",
        "operating_system",
        "locator",
        "primary_locator",
        "tags",
        "priority",
        "owner",
        "status",
        *KDI_NAMES,
    }
    - _UNTOLD
)
"""Fields of an asset that an export can be asked for, as far as they are modelled."""
_USER: Final = 254871


def millis(moment: datetime) -> str:
    """Return a moment as runs and findings have it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def seconds(moment: datetime) -> str:
    """Return a moment as assets and vulnerabilities have it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def connector(tenant: Tenant, found: Connector) -> Answer:
    """Return a row of `GET /connectors`."""
    return {
        "host": found.host,
        "name": found.name,
        "running": tenant.is_running(found.id),
        "id": found.id,
    }


def run(found: Run, switches: Switches, *, null_counters: bool) -> Answer:
    """Return a connector run; its counters are told at its end."""
    success: object = found.success
    if switches.success_form == "text" and success is not None:
        success = str(success).lower()
    counters: Answer = dict(vars(found.counters))
    untold = "all" if null_counters else switches.untold_counters
    for name in counters:
        if untold == "all" or (untold == "entries" and "vuln" in name):
            counters[name] = None
    if switches.counter_spelling == "misspelt":
        counters[MISSPELT] = counters.pop("processed_payload_count")
    return {
        "id": found.id,
        "start_time": millis(found.start_time),
        "end_time": millis(found.end_time) if found.end_time else None,
        "success": success,
        **counters,
    }


def asset(tenant: Tenant, found: Asset) -> Answer:
    """Return an asset of a search."""
    name, value = primary(found.locators, tenant.order)
    locators = {key: found.locators.get(key) for key in KDI_NAMES if key not in _UNTOLD}
    answer: Answer = {
        "id": found.id,
        "created_at": seconds(found.created_at),
        "last_seen_time": seconds(found.last_seen),
        "operating_system": found.os,
        "last_booted_at": None,
        "ipv6": None,
        "locator": value,
        "primary_locator": name,
        "network_ports": [],
        "tags": list(found.tags),
        "vulnerabilities_count": sum(
            status(found, one) == "open" for one in found.vulnerabilities.values()
        ),
        "status_set_manually": False,
        "overage": found.overage,
        "urls": {"vulnerabilities": f"assets/{found.id}/vulnerabilities"},
        "notes": None,
        "priority": found.priority,
        "risk_meter_score": 0,
        "asset_groups": [],
        "status": "active" if tenant.is_active(found) else "inactive",
        **{key: held for key, held in locators.items() if held or key not in _OPTIONAL},
    }
    return answer | ({"owner": found.owner} if found.owner else {})


def tags(found: Asset) -> Answer:
    """Return an asset's tags with who put them."""
    info = []
    for name, sources in found.tags.items():
        told: Answer = {
            "connectors": [
                {"connector_id": number, "last_seen_at": moment.date().isoformat()}
                for number, moment in sources.connectors.items()
            ]
        }
        told |= {"api": {"user_id": _USER}} if sources.api else {}
        told |= {"ui": {"user_id": _USER}} if sources.ui else {}
        info.append({"tag_name": name, "tag_sources": told})
    return {"tags": list(found.tags), "tag_info": info}


def entries_of(found: Asset, merged: Vulnerability) -> list[Entry]:
    """Return the entries of all connectors that mean one vulnerability."""
    return [found.entries[key] for key in merged.entries]


def status(found: Asset, merged: Vulnerability) -> str:
    """Return the status of a vulnerability: a person's word, else open while any entry is."""
    if merged.manual is not None:
        return _BY_HAND[merged.manual]
    if merged.open_entries:
        return "open"
    told = {entry.status for entry in entries_of(found, merged)}
    judged = next((name for name in ("false_positive", "risk_accepted") if name in told), None)
    return _BY_HAND[judged] if judged else "closed"


def vulnerability(
    connectors: Mapping[int, Connector], found: Asset, merged: Vulnerability
) -> Answer:
    """Return a vulnerability of a search."""
    entries = entries_of(found, merged)
    first, state = entries[0], status(found, merged)
    owners = [connectors[number] for number in dict.fromkeys(one.connector_id for one in entries)]
    closed = [one.closed_at for one in entries if one.closed_at]
    cves = [name for name in first.identifiers if name.startswith("CVE-")]
    answer: Answer = {
        "id": merged.id,
        "status": state,
        "created_at": seconds(merged.created_at),
        "first_found_on": seconds(min(one.created_at for one in entries)),
        "last_seen_time": millis(max(one.last_seen_at for one in entries)),
        "port": [str(one.port) for one in entries if one.port is not None],
        "identifiers": [one.scanner_identifier for one in entries],
        "custom_fields": [],
        "scanner_vulnerabilities": [
            {"port": one.port, "external_unique_id": one.scanner_identifier, "open": one.is_open}
            for one in entries
        ],
        "asset_id": found.id,
        "connectors": [
            {
                "id": one.id,
                "name": one.name,
                "connector_definition_name": one.definition,
                "vendor": one.vendor,
            }
            for one in owners
        ],
        "urls": {"asset": f"assets/{found.id}"},
        "patch": False,
        "description": first.description,
        "closed": state.startswith("closed"),
    }
    answer |= {"closed_at": seconds(max(closed))} if closed and answer["closed"] else {}
    answer |= {"scanner_score": first.score} if first.score is not None else {}
    answer |= {"solution": first.solution} if first.solution else {}
    answer |= {"priority": merged.priority} if merged.priority is not None else {}
    return answer | ({"cve_id": cves[0]} if cves else {})


def finding(connectors: Mapping[int, Connector], found: Asset, entry: Entry) -> Answer:
    """Return a finding of the Application Security Module; `score` is ten times KDI's severity."""
    owner = connectors[entry.connector_id]
    answer: Answer = {
        "asset_id": found.id,
        "closed_at": millis(entry.closed_at)
        if entry.closed_at and entry.status not in OPEN
        else None,
        "connector": {"id": owner.id, "name": owner.name},
        "created_at": millis(entry.created_at),
        "external_unique_id": entry.scanner_identifier,
        "id": entry.id,
        "identifiers": entry.identifiers,
        "last_found_on": millis(entry.last_seen_at),
        "score": 10 * (entry.score or 0),
        "status": entry.status,
        "updated_at": millis(entry.last_seen_at),
        "url_locator": found.locators.get("url"),
        "vulnerability_definition": {
            "id": entry.id,
            "name": entry.name,
            "description": entry.description or "",
        },
    }
    for key in ("application", "file"):
        answer |= {f"{key}_locator": found.locators[key]} if key in found.locators else {}
    return answer
