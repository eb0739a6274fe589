"""One entry that CVM holds, as an export or a search tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.kdi.types import DataModel

Judgement = Literal[
    "closed", "false_positive", "risk_accepted", "duplicate", "not_a_security_issue", "open"
]
"""What people, or a script of theirs, have called a vulnerability or finding."""

LOCATORS: Final = ("url", "external_id", "application", "fqdn", "ip_address", "hostname", "file")
"""Locators of an asset that are read, by the names that KDI has for them."""


class Owner(NamedTuple):
    """A connector that has an entry under a vulnerability; two connectors may bear one name."""

    id: int
    name: str


class Holding(msgspec.Struct, frozen=True):
    """One entry of one vulnerability or finding in CVM.

    CVM tells neither the scanner type of an entry nor, in the vulnerabilities model, the name of
    its definition. It names the connectors of a vulnerability, not that of each entry below it.

    Attributes:
        identifier: the `scanner_identifier` that it was loaded with.
        model: data model that it was read from.
        open: whether the scanner's entry is open. None where connectors share the vulnerability,
            have the same identifier there, and differ.
        judgement: the status that people gave it, None where none did. A finding has one status
            only, so what a load set (`map_ignored`) looks the same.
        owners: connectors that have entries under the vulnerability, this one among them; none
            where CVM does not tell them.
        definition: name of the definition, None where CVM does not tell it.
        vulnerability_id: CVM's number of the vulnerability, or of the finding.
        asset_id: CVM's number of the asset.
        locators: of the asset, those of `LOCATORS` that have a value.
        active: whether the asset is active; None where CVM does not tell it.
        first_seen: as CVM writes it, None where it does not.
        last_seen: likewise.
    """

    identifier: str
    model: DataModel
    open: bool | None
    judgement: Judgement | None
    owners: tuple[Owner, ...]
    definition: str | None
    vulnerability_id: int
    asset_id: int
    locators: Mapping[str, str]
    active: bool | None
    first_seen: str | None
    last_seen: str | None
