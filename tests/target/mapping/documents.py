"""KDI files made by hand around what the target maps, to be checked strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_ciscovm.kdi import types as kdi_types
from tests.sandbox.ciscovm.kdi.check import check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_ciscovm.mapping.finding import Item


def document(asset: kdi_types.Asset, names: Iterable[str]) -> bytes:
    """Give a file of one asset, with a bare definition for each name."""
    defined = [kdi_types.VulnDef(scanner_type="QualysWAS", name=name) for name in names]
    whole = {"version": 2, "skip_autoclose": True, "assets": [asset], "vuln_defs": defined}
    return msgspec.json.encode(whole)


def problems(*items: Item) -> list[str]:
    """Check items as the vulnerabilities and findings of one asset."""
    asset = kdi_types.Asset(
        url="https://app1.example.test/",
        vulns=[as_json(item) for item in items if isinstance(item, kdi_types.Vuln)],
        findings=[as_json(item) for item in items if isinstance(item, kdi_types.Finding)],
    )
    return check(document(asset, {item.vuln_def_name or "" for item in items}))


def as_json(item: Item) -> msgspec.Raw:
    """Give an item as it stands in its asset."""
    return msgspec.Raw(msgspec.json.encode(item))
