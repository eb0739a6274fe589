"""The questions to real accounts find out how the sandbox's switches stand."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tap_qualyswas.settings.values import read_settings
from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.cvm.login import Login
from tests.probe import __main__ as probe
from tests.probe import ciscovm, qualys
from tests.probe.answers import Answer
from tests.probe.scratch import Scratch
from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID
from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.loads import Caller, asset, document, vuln

QUALYS: Final[list[dict[str, Any]]] = [
    {},
    {
        "id_order": "descending",
        "empty_result_form": "more",
        "bare_dates": False,
        "subscription_header": False,
        "lean_updated_date": False,
        "search_scan_details": True,
        "verbose_scans": False,
        "search_app_details": False,
        "marked_evidence": True,
        "refused_criteria": ("wasscan.resultsStatus", "finding.ignoredDate"),
        "portal_version": False,
        "kb_oldest_version": "3.0",
        "kb_max_ids": 20,
        "concurrency_wait": None,
        "token_form": "json",
    },
]
CISCOVM: Final[list[dict[str, Any]]] = [
    {},
    {
        "closing_under_skip": False,
        "manual_statuses_survive": False,
        "name_in_identity": True,
        "url_case": "insensitive",
        "dropped_tags_vanish": True,
        "autoclose_scope": "file",
        "assets_counted": "merged",
        "skip_autoclose_of": "first",
        "payload": "file",
        "updated_counted": "named",
        "entries_counted": "vulnerabilities",
        "counter_spelling": "misspelt",
        "success_form": "text",
        "undated_closing": "closes",
        "bad_file_spoils_run": True,
    },
    {
        "unknown_closing": "ignored",
        "judged_closing": "closes",
        "skip_autoclose_of": "last",
        "untold_counters": "entries",
        "undated_closing": "ignored",
        "success_rule": "always",
        "search_delay": 0.3,
    },
    {"judged_closing": "ignored", "untold_counters": "all", "upload_validates": True},
    {"run_takes": "last", "run_verb": "GET"},
    {"run_verb": "POST"},
    {"success_rule": "all"},
    {"export_inactive": True, "finding_exports": False, "export_seconds": 0.1},
]


SECONDS: Final = {"search_delay", "export_seconds"}
"""How long something takes is no question of yes or no."""
OLD: Final = asset(
    vuln("old"), url="https://old.example.test/", last_seen_at="2025-01-01T00:00:00Z"
)


def told(answers: list[Answer], switches: Switches) -> None:
    """Hold answers against the switches that they are about."""
    found = {one.switch: one.told for one in answers if one.switch}
    assert found == {name: getattr(switches, name) for name in found}


@pytest.mark.parametrize("positions", QUALYS)
def test_qualys_is_asked(positions: dict[str, Any]) -> None:
    switches = Switches(**positions)
    with Sandbox(apps=4, findings=60, scans=6, switches=switches) as sandbox:
        login = {"username": sandbox.username, "password": sandbox.password}
        client = {"client_id": sandbox.face.client_id, "client_secret": sandbox.face.client_secret}
        gateway = {"gateway_url": sandbox.qualys_url, **client}
        tap = TapQualysWAS(config={"api_url": sandbox.qualys_url, **login, **gateway})
        settings = read_settings(tap.config)
        answers = list(qualys.ask(qualys.Account(settings)))
    told(answers, switches)
    assert positions.keys() <= {one.switch for one in answers}
    assert sandbox.violations() == []


@pytest.mark.parametrize("positions", CISCOVM)
def test_ciscovm_is_asked(positions: dict[str, Any]) -> None:
    switches = Switches(**positions, rate_limit=0, run_seconds=0)
    with Sandbox(apps=1, findings=1, scans=1, switches=switches) as sandbox:
        sandbox.tenant.inactivity_days = 30
        Caller(sandbox, OTHER_CONNECTOR_ID).load(document(OLD))
        login = Login(sandbox.ciscovm_url, sandbox.api_key, sandbox.connector_id)
        answers = list(ciscovm.ask(Scratch(login, poll_seconds=0.05, pace=0)))
        opened = [one for one in sandbox.tenant.held(sandbox.connector_id) if one.is_open]
    told(answers, switches)
    assert answers[0].switch == "closing_under_skip"
    assert positions.keys() - SECONDS <= {one.switch for one in answers}
    assert Answer("Does an export give what a search gives?", told=True) in answers
    assert opened == []


def test_a_connector_in_use_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    switches = Switches(rate_limit=0, run_seconds=0)
    with Sandbox(apps=1, findings=1, scans=1, switches=switches) as sandbox:
        Caller(sandbox).load(document(asset(vuln("a"))))
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        assert probe.main(["--scratch-connector", str(sandbox.connector_id)]) == 1
        assert len(sandbox.tenant.state.runs) == 1
    assert "use a scratch connector" in capsys.readouterr().err


def test_answers_are_printed_one_by_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(apps=2, findings=20, scans=2) as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        assert probe.main(["--qualys"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "May scan searches ask for verbose? True [verbose_scans]" in lines
    assert sandbox.password not in "".join(lines)
