"""Answers of the real CVM are read, where a folder of them is named.

`RECORDED_SAMPLES` names the folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

from target_ciscovm.cvm.connector import read_run

SAMPLES: Final = os.environ.get("RECORDED_SAMPLES")


@pytest.mark.skipif(not SAMPLES, reason="RECORDED_SAMPLES is not set")
def test_recorded_runs_are_read() -> None:
    file = Path(SAMPLES or "") / "ciscovm" / "connector_runs_response_xsoar.json"
    rows = json.loads(file.read_text(encoding="utf-8"))

    runs = [read_run(row) for row in rows]

    assert runs
    for run, row in zip(runs, rows, strict=True):
        assert run is not None
        assert run.end_time is not None
        assert run.processed_payload_count == row["processed_payload_count"] > 0
