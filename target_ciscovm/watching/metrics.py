"""The figures of the last run as a file for the textfile collector of Prometheus's node exporter.

The format is that of https://prometheus.io/docs/instrumenting/exposition_formats/. What a run does
not know, such as the time of the last success, is taken over from the file before.
"""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Final, get_args

from qualyswas_ciscovm.dates import parse
from target_ciscovm.outcomes import Outcome
from target_ciscovm.output.private_files import written_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from target_ciscovm.report.model import Report

LOGGER: Final = logging.getLogger(__name__)

PREFIX: Final = "qualyswas_ciscovm"
READABLE: Final = 0o644
"""The exporter is another user. The file holds counts and nothing else."""

KEPT: Final = {
    "last_success_timestamp_seconds": "End of the last run that ended with 0.",
    "last_proven_timestamp_seconds": "Beginning of the last sync that was proven complete.",
    "open_findings": "Findings open in CVM, by the ledger.",
}
"""Figures that outlast a run that does not know them."""
OF_RUN: Final = {
    "run_exit_code": "Exit code of the last run.",
    "run_timestamp_seconds": "End of the last run.",
    "run_duration_seconds": "How long the last run took.",
    "run_received_findings": "Findings that arrived in the last run.",
    "run_rejected_records": "Records that the last run rejected.",
    "run_opened_findings": "Findings that the last run opened, or would have.",
    "run_closed_findings": "Findings that the last run closed, or would have.",
    "run_warnings": "Warnings of the last run.",
}
OUTCOME: Final = "run_outcome"
LINE: Final = re.compile(rf'{PREFIX}_(\w+)\{{connector="[0-9]*"\}} ([0-9.]+)')


def write_metrics(report: Report, path: Path | None) -> None:
    """Write the figures of a run; what fails is a warning."""
    if path is None:
        return
    try:
        with written_whole(path) as made:
            made.write_text(metrics(report, _kept(path)), encoding="utf-8")
            made.chmod(READABLE)
    except OSError as error:
        cause = error.strerror or str(error)
        LOGGER.warning("metrics_path %s could not be written: %s.", path, cause)


def metrics(report: Report, before: Mapping[str, float] | None = None) -> str:
    """Give the figures of a run in the text format.

    Args:
        report: of the run.
        before: figures that are kept where this run does not know them.
    """
    figures = {**(before or {}), **_state(report), **_run(report)}
    labels = f'connector="{report.connector.id if report.connector else ""}"'
    lines: list[str] = []
    for name, meaning in (KEPT | OF_RUN).items():
        if name in figures:
            lines += _head(name, meaning)
            lines.append(f"{PREFIX}_{name}{{{labels}}} {figures[name]:.15g}")
    lines += _head(OUTCOME, "1 for the outcome of the last run, 0 for the others.")
    for outcome in get_args(Outcome):
        is_this = int(outcome == report.outcome)
        lines.append(f'{PREFIX}_{OUTCOME}{{{labels},outcome="{outcome}"}} {is_this}')
    return "\n".join(lines) + "\n"


def _head(name: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {PREFIX}_{name} {meaning}"
    yield f"# TYPE {PREFIX}_{name} gauge"


def _state(report: Report) -> dict[str, float]:
    found = {
        "last_success_timestamp_seconds": _ended(report) if report.exit_code == 0 else None,
        "last_proven_timestamp_seconds": _seconds(report.proof.last),
        "open_findings": report.open_now,
    }
    return {name: value for name, value in found.items() if value is not None}


def _run(report: Report) -> dict[str, float]:
    changes = report.changes
    return {
        "run_exit_code": report.exit_code,
        "run_timestamp_seconds": _ended(report),
        "run_duration_seconds": report.times.seconds,
        "run_received_findings": report.reconciliation.received,
        "run_rejected_records": sum(stream.rejected for stream in report.streams),
        "run_opened_findings": changes.opened if changes else 0,
        "run_closed_findings": changes.closed if changes else 0,
        "run_warnings": len(report.warnings),
    }


def _ended(report: Report) -> float:
    """Give the servers' time, or the local one where no server was reached."""
    told = _seconds(report.times.finished)
    return time.time() if told is None else told


def _seconds(moment: str | None) -> float | None:
    found = parse(moment)
    return None if found is None else found.timestamp()


def _kept(path: Path) -> dict[str, float]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    return {name: float(value) for name, value in LINE.findall(text) if name in KEPT}
