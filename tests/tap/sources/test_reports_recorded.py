"""Reports that people exported from the real portal are read with no loss, by another count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

from qualyswas_ciscovm.dates import to_utc
from tests.support.recorded import SAMPLES, needs_samples
from tests.tap.syncs import sync_here

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.syncs import Outcome

pytestmark = needs_samples

NAMES: Final = (
    "portal_report_no_vuln.xml",
    "portal_report_one_vuln.xml",
    "portal_report_small.xml",
)
KINDS: Final = ("VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED")


def read(*paths: Path, **settings: object) -> Outcome:
    given = {"source": "report_files", "report_paths": [str(path) for path in paths]}
    return sync_here({**given, **settings})


def recorded(name: str) -> tuple[Path, ET.Element]:
    path = SAMPLES / "qualys" / name
    return (path, ET.fromstring(path.read_bytes().strip()))  # noqa: S314 - files that are known


def rows_of(root: ET.Element) -> dict[str, tuple[str, ET.Element]]:
    """Give each row by its unique id, with its type."""
    return {
        str(row.findtext("UNIQUE_ID")): (kind, row)
        for kind in KINDS
        for row in root.findall(f"RESULTS//{kind}_LIST/{kind}")
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_recorded_report_is_read(name: str) -> None:
    path, root = recorded(name)
    outcome = read(path, include_evidence=True)

    rows = rows_of(root)
    severities = {
        qid.findtext("QID"): (qid.findtext("SEVERITY"), qid.findtext("TITLE"))
        for qid in root.findall("GLOSSARY/QID_LIST/QID")
    }
    findings = {row["uniqueId"]: row for row in outcome.records("findings")}
    assert findings.keys() == rows.keys()
    for key, found in findings.items():
        kind, row = rows[key]
        assert found["type"] == kind
        assert found["qid"] == int(row.findtext("QID") or "")
        assert found["id"] == int(row.findtext("DETECTION_ID") or "")
        assert found["url"] == row.findtext("URL")
        assert (str(found["severity"]), found["name"]) == severities[row.findtext("QID")]
        assert found["webApp"]["id"] == int(root.findtext("APPENDIX/WEBAPP/ID") or "")
        moment = row.findtext("LAST_TIME_DETECTED") or row.findtext("DETECTION_DATE")
        assert found["lastDetectedDate"] == to_utc(moment)
        assert found["resultList"][0]["payloads"]
    assert {row["qid"] for row in outcome.records("knowledge_base")} == {
        int(row.findtext("QID") or "") for _, row in rows.values()
    }
    assert "left out fields" not in outcome.log
    assert "unreadable" not in outcome.log


@pytest.mark.parametrize("name", NAMES)
def test_what_a_recorded_report_counts_and_does_not_list_is_told(name: str) -> None:
    path, root = recorded(name)
    outcome = read(path)

    kinds = [kind for kind, _ in rows_of(root).values()]
    for kind in KINDS:
        told = int(root.findtext(f"SUMMARY/GLOBAL_SUMMARY/{kind}") or "")
        is_told = f"counts {told:,} of type {kind} and lists {kinds.count(kind):,}" in outcome.log
        assert is_told is (told != kinds.count(kind))


def test_recorded_reports_are_read_together() -> None:
    paths, roots = zip(*map(recorded, NAMES), strict=True)
    outcome = read(*paths)

    assert {row["uniqueId"] for row in outcome.records("findings")} == {
        key for root in roots for key in rows_of(root)
    }
    assert {row["id"] for row in outcome.records("webapps")} == {
        int(root.findtext("APPENDIX/WEBAPP/ID") or "") for root in roots
    }
    made = [to_utc(root.findtext("HEADER/GENERATION_DATETIME")) for root in roots]
    assert outcome.proof["startedAt"] == max(filter(None, made))
    # Reports of scans show no whole of anything.
    covered = outcome.proof["coverage"]["webApps"]
    assert covered["notProven"] == sorted(row["id"] for row in outcome.records("webapps"))
