"""Evidence in whole syncs: secrets stay where they are, unless somebody asks for them."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.qualys.xml.evidence import BODY, COOKIE
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import FINDINGS, Answer, ScriptedServer, finding, page
from tests.tap.syncs import Outcome, Platform, sync_here

SIZE: Final = WorldSize(apps=4, findings=60, qids=12, scans=6)
HALF: Final = "&#60;" * 300_000
LONG: Final = (
    "<count>1</count><list><Result><payloads><count>1</count><list><PayloadInstance>"
    f"<payload>{HALF}</payload><response>{'ü' * 5_000_000}</response>"
    "</PayloadInstance></list></payloads></Result></list>"
)


def synced(*, marked: bool = False, **settings: Any) -> Outcome:  # noqa: ANN401
    with Platform(SIZE, switches=Switches(marked_evidence=marked)) as platform:
        return platform.sync_here(settings)


def packed(text: str) -> str:
    """Give what is the same in the base64 of a text, whatever stands around it."""
    return base64.b64encode(text.encode()).decode().rstrip("=")[4:-4]


def written(outcome: Outcome) -> str:
    return json.dumps(outcome.messages, ensure_ascii=False) + outcome.log


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("settings", [{}, {"include_evidence": True}])
def test_cookies_and_logins_are_nowhere_in_what_is_written(
    settings: dict[str, Any], marked: bool
) -> None:
    outcome = synced(marked=marked, **settings)
    text = written(outcome)

    assert COOKIE not in text
    assert "pa55w0rd" not in text
    assert packed(BODY) not in text
    assert ("[redacted]" in json.dumps(outcome.records("findings"))) is bool(settings)


@pytest.mark.parametrize("marked", [True, False])
def test_they_are_there_in_plain_text_when_somebody_asks_for_them(marked: bool) -> None:
    text = written(synced(marked=marked, include_evidence=True, redact_evidence=False))

    assert COOKIE in text
    assert BODY in text
    assert packed(BODY) not in text


def test_each_finding_has_its_evidence_and_nothing_else_changes() -> None:
    lean, whole = synced(), synced(include_evidence=True)

    rows = {row["uniqueId"]: row for row in whole.records("findings")}
    assert all(row["resultList"] is None for row in lean.records("findings"))
    assert all(row["resultList"] for row in rows.values())
    for row in lean.records("findings"):
        other = rows[row["uniqueId"]]
        told = {name: value for name, value in row.items() if value is not None}
        differing = {name for name, value in told.items() if other[name] != value}
        assert differing <= {"webApp", "syncId"}, "which comes with its tags then"


def test_no_line_is_too_long_whatever_a_server_has_answered() -> None:
    rows = page(finding(7001, resultList=LONG), finding(7002))
    settings = {"finding_types": ["VULNERABILITY"], "include_evidence": True}
    with ScriptedServer({FINDINGS: [Answer(rows)]}) as server:
        outcome = sync_here({**server.config, **settings, "evidence_max_bytes": 1_000_000})

    first, second = outcome.records("findings")
    payload = first["resultList"][0]["payloads"][0]
    assert payload["payload"] == "<" * 300_000
    assert len(json.dumps(first).encode()) < 8 << 20
    assert payload["response"].endswith("ü [cut]")
    assert second["id"] == 7002
    assert "cut texts that were too long: response (1x)" in outcome.log
