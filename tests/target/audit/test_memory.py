"""Audit and rebuild as the commands they are, of as many entries as there may be."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.target.cvm.holdings.exporter import Exporter
from tests.target.cvm.quick import CONNECTOR, KEY
from tests.target.processes import MEASURED, peak_kb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMAND: Final = "from target_ciscovm.target import TargetCiscoVM; TargetCiscoVM.cli()"


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
    words = [sys.executable, "-c", MEASURED + COMMAND, command, "--config", str(file)]
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return peak_kb(done.stderr) / 1024
