"""A million entries are read within a few megabytes: too many for any test but a nightly one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.target.cvm.holdings.exporter import Exporter

if TYPE_CHECKING:
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


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of a process")
def test_a_million_entries_need_little_memory(tmp_path: Path) -> None:
    with Exporter(ENTRIES, ASSETS) as server:
        command = [sys.executable, "-c", READER, server.url, str(tmp_path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    count, kilobytes = map(int, told.split())
    assert count == ENTRIES
    assert kilobytes < MOST_MB * 1024
