"""Audit and rebuild as the commands they are, of as many entries as there may be."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.processes import BIN
from tests.target.cvm.holdings.exporter import Exporter
from tests.target.cvm.quick import CONNECTOR, KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOK_SECONDS: Final = 0.02


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory of a process")
@pytest.mark.parametrize(
    ("entries", "assets", "most_mb"),
    [
        (30_000, 9_000, 110),
        pytest.param(
            1_000_000,
            300_000,
            300,
            marks=[pytest.mark.long, pytest.mark.timeout(1800)],
        ),
    ],
)
def test_it_needs_little_memory(entries: int, assets: int, most_mb: int, tmp_path: Path) -> None:
    with Exporter(entries, assets) as server:
        config = {"api_url": server.url, "api_key": KEY, "connector_id": CONNECTOR}
        for command in ("--rebuild-ledger", "--audit"):
            peak = peak_mb(command, config | {"output_path": str(tmp_path)}, tmp_path)
            assert peak < most_mb, command

    (found,) = tmp_path.glob("2*/audit.json")
    assert json.loads(found.read_text())["message"] == f"CVM holds exactly these {entries:,}."


def peak_mb(command: str, config: Mapping[str, object], folder: Path) -> float:
    """Run a command of the target, and give the most memory that it had."""
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    peak = 0
    words = [str(BIN / "target-ciscovm"), command, "--config", str(file)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM"):
                    peak = max(peak, int(line.split()[1]))
            time.sleep(LOOK_SECONDS)
        assert process.stderr is not None
        assert process.returncode == 0, process.stderr.read()
    return peak / 1024
