"""A CVM that exports as many entries as a test wants, of one connector, and all of them open."""

from __future__ import annotations

import gzip
import json
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

from tests.support.loopback import LoopbackServer, Request, Response
from tests.target.cvm.listing import IMPORTER
from tests.target.cvm.quick import CONNECTOR

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Exporter(LoopbackServer):
    """Exports entries and assets, in files of several gzip members, as large ones may come.

    Args:
        entries: number of entries, each of a vulnerability of its own.
        assets: number of assets that they stand on.
        inactive: vulnerabilities that a search finds on inactive assets, which are all, if any are.
    """

    def __init__(self, entries: int, assets: int, inactive: int = 0) -> None:
        super().__init__()
        status = "inactive" if inactive else "active"
        self.files = {
            "vulnerability": packed(vulnerabilities(entries, assets)),
            "asset": packed(asset_rows(assets, status)),
        }
        self.totals = {"/vulnerabilities/search": inactive, "/findings": 0}
        self.few_assets = list(asset_rows(min(assets, 100), status))
        self.asked: list[str] = []

    @override
    def answer(self, request: Request) -> Response:
        told: Any = {"message": "Export ready for download"}
        if request.path == "/connectors":
            told = {"connectors": [IMPORTER]}
        elif request.path.endswith("/connector_runs"):
            told = []
        elif request.method == "POST":
            self.asked.append(json.loads(request.body)["export_settings"]["model"])
            told = {"search_id": len(self.asked) - 1}
        elif request.path == "/assets/search":
            told = {"assets": self.few_assets, "meta": {}}
        elif request.path in self.totals:
            meta = {"total_count": self.totals[request.path]}
            told = {request.path.split("/")[1]: [], "meta": meta}
        elif request.path == "/data_exports":
            model = self.asked[int(dict(request.query)["search_id"])]
            content = self.files.get(model, b"")
            return Response(200, {"Content-Type": "application/gzip"}, content)
        return Response(200, {"Content-Type": "application/json"}, json.dumps(told).encode())


def vulnerabilities(entries: int, assets: int) -> Iterator[dict[str, Any]]:
    """Give rows as long as most are."""
    text = "a text as long as those of most definitions " * 10
    for number in range(entries):
        identifier = f"V-{number % 10_000}-{number:08x}-1111-4222-8333-444455556666"
        yield {
            "id": number,
            "status": "open",
            "first_found_on": "2026-01-01T00:00:00Z",
            "last_seen_time": "2026-03-01T00:00:00.000Z",
            "asset_id": number * 7 % assets,
            "scanner_vulnerabilities": [{"external_unique_id": identifier, "open": True}],
            "connectors": [{"id": CONNECTOR, "name": IMPORTER["name"]}],
            "description": text,
        }


def asset_rows(assets: int, status: str) -> Iterator[dict[str, Any]]:
    """Give an asset for each page of an application."""
    for number in range(assets):
        yield {"id": number, "status": status, "url": f"https://a{number}.example.test/a/page"}


def packed(rows: Iterable[dict[str, Any]]) -> bytes:
    """Pack rows as JSON lines."""
    lines = (json.dumps(row).encode() + b"\n" for row in rows)
    return b"".join(gzip.compress(b"".join(part), 1) for part in batches(lines))


def batches(lines: Iterator[bytes], size: int = 10_000) -> Iterator[Iterable[bytes]]:
    """Give the lines in groups."""
    for first in lines:
        yield chain([first], (line for _, line in zip(range(size - 1), lines, strict=False)))
