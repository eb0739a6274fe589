"""A run's report: `report.json`, `report.html` and the table at the end of the log."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from target_ciscovm.report_model import (
    Changes,
    Closing,
    ConnectorInfo,
    FileInfo,
    FilterCount,
    Note,
    Phase,
    Proof,
    Reconciliation,
    RejectionCount,
    Report,
    RunInfo,
    SeverityCount,
    SourceInfo,
    StreamCount,
    Times,
    WebApp,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Changes",
    "Closing",
    "ConnectorInfo",
    "FileInfo",
    "FilterCount",
    "Note",
    "Phase",
    "Proof",
    "Reconciliation",
    "RejectionCount",
    "Report",
    "RunInfo",
    "SeverityCount",
    "SourceInfo",
    "StreamCount",
    "Times",
    "WebApp",
    "table",
    "write_html",
    "write_json",
]


def write_json(report: Report, path: Path) -> None:
    """Write `report` as JSON, indented, readable by the owner only."""
    data = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    _write_private(path, data)


def write_html(report: Report, path: Path) -> None:
    """Write `report` as one page that opens offline, readable by the owner only."""
    raise NotImplementedError


def table(report: Report) -> list[str]:
    """Give the lines of the table at the end of the log."""
    return [f"{report.outcome} (exit code {report.exit_code}): {report.message}"]


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
