"""Recorded answers of the real CVM are read."""

from __future__ import annotations

import json

from target_ciscovm.cvm.connector import read_run
from tests.support.recorded import SAMPLES, needs_samples


@needs_samples
def test_recorded_runs_are_read() -> None:
    file = SAMPLES / "ciscovm" / "connector_runs_response_xsoar.json"
    rows = json.loads(file.read_text(encoding="utf-8"))

    runs = [read_run(row) for row in rows]

    assert runs
    for run, row in zip(runs, rows, strict=True):
        assert run is not None
        assert run.end_time is not None
        assert run.processed_payload_count == row["processed_payload_count"] > 0
