"""KDI version 2 as types: the content of a file for Cisco Vulnerability Management.

From the help article "Data Importer (JSON Connector)". A field that is None is left out of the
file, as KDI has no null.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Raw, Struct

SCANNER_TYPE: Final = "QualysWAS"
MAX_NAME: Final = 255 - len(SCANNER_TYPE) - 1
"""CVM stores scanner type, a blank and the name as one key of 255 characters. A longer key is cut
when it is created but not when it is looked up, so it is never found again (KennaSecurity/toolkit,
pull request 519)."""
MAX_TAG: Final = 255
"""CVM publishes no limit for a tag; this is the one for its other names."""

DataModel = Literal["vulnerabilities", "findings"]
"""What findings become in CVM: the names of the setting `data_model`."""
VulnStatus = Literal["open", "closed", "false_positive", "risk_accepted"]
TriageState = Literal[
    "new",
    "in_progress",
    "triaged",
    "resolved",
    "false_positive",
    "risk_accepted",
    "duplicate",
    "not_a_security_issue",
]
FieldValue = str | int | float | bool


class Vuln(Struct, kw_only=True, omit_defaults=True, gc=False):
    """A vulnerability of an asset; the name of its definition is known only at the end."""

    scanner_type: str
    scanner_identifier: str
    status: VulnStatus
    last_seen_at: str
    vuln_def_name: str | None = None
    scanner_score: int | None = None
    created_at: str | None = None
    closed_at: str | None = None
    details: str | None = None


class Finding(Struct, kw_only=True, omit_defaults=True):
    """A finding of an asset, in the Application Security Module; see `Vuln`."""

    scanner_type: str
    scanner_identifier: str
    last_seen_at: str
    vuln_def_name: str | None = None
    severity: int | None = None
    triage_state: TriageState | None = None
    created_at: str | None = None
    additional_fields: dict[str, FieldValue] | None = None


class VulnDef(Struct, kw_only=True, omit_defaults=True):
    """What a vulnerability is, apart from where it was found."""

    scanner_type: str
    name: str
    cve_identifiers: str | None = None
    cwe_identifiers: str | None = None
    wasc_identifiers: str | None = None
    description: str | None = None
    solution: str | None = None

    @property
    def classified(self) -> bool:
        """Tell whether it has an identifier of any kind."""
        return bool(self.cve_identifiers or self.cwe_identifiers or self.wasc_identifiers)


class Asset(Struct, kw_only=True, omit_defaults=True):
    """An asset with all that a load says about it; its entries are already JSON."""

    url: str | None = None
    external_id: str | None = None
    application: str | None = None
    fqdn: str | None = None
    ip_address: str | None = None
    os: str | None = None
    last_seen_at: str | None = None
    tags: list[str] | None = None
    vulns: list[Raw] | None = None
    findings: list[Raw] | None = None
