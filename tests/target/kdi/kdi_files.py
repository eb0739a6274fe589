"""Assets as they stand in files, and what a finished file holds, checked strictly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from target_ciscovm.kdi.files import EncodedAsset
from target_ciscovm.kdi.types import Asset, Vuln, VulnDef
from tests.sandbox.ciscovm.kdi.check import check

if TYPE_CHECKING:
    from pathlib import Path

SEEN = "2024-05-01T08:00:00Z"


def definition(name: str) -> bytes:
    return msgspec.json.encode(VulnDef(scanner_type="QualysWAS", name=name, description="é" * 9))


def vuln(identifier: str, name: str = "QID 1 T", details: str | None = None) -> Vuln:
    return Vuln(
        scanner_type="QualysWAS",
        scanner_identifier=identifier,
        vuln_def_name=name,
        status="open",
        last_seen_at=SEEN,
        details=details,
    )


def encoded(key: str, vulns: list[Vuln]) -> EncodedAsset:
    items = [msgspec.Raw(msgspec.json.encode(item)) for item in vulns]
    json = msgspec.json.encode(Asset(url=f"https://{key}.example.test/", vulns=items))
    return EncodedAsset(key, json)


def asset(number: int, names: tuple[str, ...] = ("QID 1 T",), text: str = "") -> EncodedAsset:
    """Give an asset with a vulnerability of each definition."""
    vulns = [vuln(f"{number}-{place}", name, text) for place, name in enumerate(names)]
    return encoded(f"app{number}", vulns)


def held(path: Path) -> dict[str, Any]:
    """Give what a file holds; it must be faultless."""
    document = path.read_bytes()
    assert check(document) == []
    found: dict[str, Any] = json.loads(document)
    return found


def urls(path: Path) -> list[str]:
    return [found["url"] for found in held(path)["assets"]]
