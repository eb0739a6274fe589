"""Figures for Prometheus: whole, readable by its exporter, and kept over a run that fails."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final

import pytest

from qualyswas_ciscovm.dates import parse
from target_ciscovm.watching.metrics import metrics
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.report.reports import REPORTS
from tests.target.streams import Sync, finding, webapp

if TYPE_CHECKING:
    from pathlib import Path

    from target_ciscovm.report.model import Report
    from tests.target.loads import CVM

LINE: Final = re.compile(
    r'qualyswas_ciscovm_(\w+)\{connector="(\d*)"(?:,outcome="(\w+)")?\} ([0-9.e+]+)'
)


def figures(text: str) -> dict[str, float]:
    """Read the text format: each figure follows what it means and what it is."""
    found: dict[str, float] = {}
    known: set[str] = set()
    for line in text.splitlines():
        if line.startswith("# "):
            known.add(line.split()[2])
            continue
        matched = LINE.fullmatch(line)
        assert matched, line
        assert f"qualyswas_ciscovm_{matched[1]}" in known
        name = f"{matched[1]} {matched[3]}" if matched[3] else matched[1]
        assert name not in found
        found[name] = float(matched[4])
    return found


@pytest.mark.parametrize("name", REPORTS)
def test_each_run_has_figures_in_the_form_of_prometheus(name: str) -> None:
    report: Report = REPORTS[name]()

    found = figures(metrics(report))

    assert found[f"run_outcome {report.outcome}"] == 1
    assert sum(value for key, value in found.items() if key.startswith("run_outcome ")) == 1
    assert found["run_exit_code"] == report.exit_code


def test_a_load_writes_its_figures_for_another_user(cvm: CVM, tmp_path: Path) -> None:
    path = tmp_path / "ciscovm.prom"

    loaded = cvm.load(Sync([webapp()], [finding(1), finding(2)]), metrics_path=str(path))

    found = figures(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [file.name for file in tmp_path.iterdir() if "ciscovm.prom" in file.name] == [path.name]
    assert (found["run_opened_findings"], found["open_findings"]) == (2, 2)
    ended = parse(loaded.report["times"]["finished"])
    assert ended is not None
    assert found["last_success_timestamp_seconds"] == ended.timestamp()
    assert found["last_proven_timestamp_seconds"] <= ended.timestamp()


def test_a_run_that_fails_keeps_when_it_last_went_well(cvm: CVM, tmp_path: Path) -> None:
    path = tmp_path / "ciscovm.prom"
    cvm.load(Sync([webapp()], [finding(1)]), metrics_path=str(path))
    before = figures(path.read_text())

    cvm.load(b"not JSON\n", metrics_path=str(path))

    after = figures(path.read_text())
    assert after["run_outcome failed"] == 1
    assert after["run_timestamp_seconds"] > before["run_timestamp_seconds"]
    for name in ("last_success_timestamp_seconds", "last_proven_timestamp_seconds"):
        assert after[name] == before[name]
    assert after["open_findings"] == 1


def test_a_run_that_is_refused_is_one_of_its_connector_too(cvm: CVM, tmp_path: Path) -> None:
    path = tmp_path / "ciscovm.prom"
    cvm.faults.arm("ciscovm-key")

    loaded = cvm.load(Sync([webapp()], [finding(1)]), metrics_path=str(path))

    assert loaded.outcome == "refused"
    assert {match[2] for match in LINE.finditer(path.read_text())} == {str(CONNECTOR_ID)}
    assert loaded.report["connector"] == {"id": CONNECTOR_ID, "name": "", "api_url": cvm.url}


@pytest.mark.parametrize(("name", "cause"), [("missing/ciscovm.prom", "No such file"), ("/", "")])
def test_figures_that_cannot_be_written_are_a_warning(
    name: str, cause: str, cvm: CVM, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / name

    loaded = cvm.load(Sync([webapp()], [finding(1)]), metrics_path=str(path))

    assert loaded.exit_code == 0
    assert f"metrics_path {path} could not be written: {cause}" in caplog.text
