"""A million entries are read within a few megabytes: too many for any test but a nightly one."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.loopback import LoopbackServer, Request, Response
from tests.target.cvm.listing import IMPORTER
from tests.target.cvm.quick import CONNECTOR

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ENTRIES = 1_000_000
ASSETS = 300_000
MOST_MB = 100

READER = """
import pathlib, sys
from target_ciscovm.cvm.holdings.holdings import open_holdings
from tests.target.cvm.quick import connect
api = connect(sys.argv[1])
with open_holdings(api, "vulnerabilities", pathlib.Path(sys.argv[2]), timeout_seconds=900) as held:
    count = sum(1 for one in held if one.open and one.locators["url"])
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0].split()[1]
print(count, peak)
"""


def vulnerabilities() -> Iterator[dict[str, Any]]:
    text = "a text as long as those of most definitions " * 10
    for number in range(ENTRIES):
        identifier = f"V-{number % 10_000}-{number:08x}-1111-4222-8333-444455556666"
        yield {
            "id": number,
            "status": "open",
            "first_found_on": "2026-01-01T00:00:00Z",
            "last_seen_time": "2026-03-01T00:00:00.000Z",
            "asset_id": number * 7 % ASSETS,
            "scanner_vulnerabilities": [{"external_unique_id": identifier, "open": True}],
            "connectors": [{"id": CONNECTOR, "name": IMPORTER["name"]}],
            "description": text,
        }


def assets() -> Iterator[dict[str, Any]]:
    for number in range(ASSETS):
        yield {"id": number, "status": "active", "url": f"https://a{number}.example.test/a/page"}


def packed(rows: Iterable[dict[str, Any]]) -> bytes:
    packer = gzip.compress
    lines = (json.dumps(row).encode() + b"\n" for row in rows)
    return b"".join(packer(b"".join(part), 1) for part in batches(lines))


def batches(lines: Iterator[bytes], size: int = 10_000) -> Iterator[Iterable[bytes]]:
    for first in lines:
        yield chain([first], (line for _, line in zip(range(size - 1), lines, strict=False)))


class Exporter(LoopbackServer):
    """Exports both, in files of several gzip members, as large ones may come."""

    def __init__(self) -> None:
        super().__init__()
        self.files = {"vulnerability": packed(vulnerabilities()), "asset": packed(assets())}
        self.asked: list[str] = []

    @override
    def answer(self, request: Request) -> Response:
        told: dict[str, Any] = {"message": "Export ready for download"}
        if request.path == "/connectors":
            told = {"connectors": [IMPORTER]}
        elif request.method == "POST":
            self.asked.append(json.loads(request.body)["export_settings"]["model"])
            told = {"search_id": len(self.asked) - 1}
        elif request.path == "/vulnerabilities/search":
            told = {"vulnerabilities": [], "meta": {"total_count": 0}}
        elif request.path == "/data_exports":
            model = self.asked[int(dict(request.query)["search_id"])]
            return Response(200, {"Content-Type": "application/gzip"}, self.files[model])
        return Response(200, {"Content-Type": "application/json"}, json.dumps(told).encode())


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of a process")
def test_a_million_entries_need_little_memory(tmp_path: Path) -> None:
    with Exporter() as server:
        command = [sys.executable, "-c", READER, server.url, str(tmp_path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    count, kilobytes = map(int, told.split())
    assert count == ENTRIES
    assert kilobytes < MOST_MB * 1024
