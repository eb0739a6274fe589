"""Recorded settings, states and findings that other programs failed on."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from qualyswas_ciscovm.settings import coerce, from_environment
from tap_qualyswas.errors import SettingsError
from tap_qualyswas.qualys.platforms import find_platform
from tap_qualyswas.settings.schema import CONFIG_SCHEMA
from tests.sandbox.world.model import FINDING_TYPES
from tests.sandbox.world.size import WorldSize
from tests.tap.qualys import TAP, Files, Platform, read_messages, sync_here
from tests.tap.scenarios import FOLDER, names, read, xml
from tests.tap.scripted import FINDINGS, Answer, ScriptedServer, page

pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDED_CASES is not set")

PREFIX: Final = "TAP_QUALYSWAS_"
UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DATES: Final = ("firstDetectedDate", "lastDetectedDate", "lastTestedDate")
KNOWN_OTHERWISE: Final = {"MAX_RETRIES"}
"""Settings of other programs; the tap calls it max_attempts."""


def folder() -> Path:
    return Path(FOLDER or "")


@pytest.mark.parametrize("name", names("_env.json") or [""])
def test_recorded_variables_become_typed_settings(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {key: value for key, value in read(name).items() if key.startswith(PREFIX)}
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    config, problems = coerce(from_environment(CONFIG_SCHEMA, PREFIX), CONFIG_SCHEMA)

    assert problems == []
    for key in {key.removeprefix(PREFIX) for key in variables} - KNOWN_OTHERWISE:
        kind = CONFIG_SCHEMA["properties"][key.lower()]["type"]
        assert ("integer" in kind) is isinstance(config[key.lower()], int)


@pytest.mark.parametrize("name", names("_settings.json") or [""])
def test_recorded_addresses_come_to_one_or_to_a_sentence(name: str) -> None:
    for address in (case["in"] for case in read(name)):
        if address.startswith("http://"):
            with pytest.raises(SettingsError, match="must begin with https"):
                find_platform(api_url=address)
        elif "qualysguard." in address:
            right = address.replace("qualysguard.", "qualysapi.")
            with pytest.raises(SettingsError, match=rf"Set api_url to {right}\.$"):
                find_platform(api_url=address)
        else:
            bare = address.removeprefix("https://").partition("/")[0]
            assert find_platform(api_url=address).api_url == f"https://{bare}"


@pytest.mark.parametrize("name", names("_state.json") or [""])
def test_recorded_states_are_used_kept_or_refused_by_name(name: str) -> None:
    path = folder() / name
    platform = Platform(WorldSize(apps=2, findings=6, qids=3, scans=2))
    with platform, Files({"config.json": platform.config}) as files:
        command = [*TAP, "--config", files["config.json"], "--state", str(path)]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    messages = read_messages(done.stdout)
    rows = [message for message in messages if message.get("stream") == "findings"]
    if not is_json(path.read_text("utf-8")):
        assert done.returncode == 2
        assert f"state file {path} is not JSON" in done.stderr.decode()
        assert messages == []
        return

    (*_, last) = [message["value"] for message in messages if message["type"] == "STATE"]
    assert done.returncode == 0
    assert len([row for row in rows if row["type"] == "RECORD"]) == 6
    kept = json.loads(path.read_text("utf-8") or "{}").get("bookmarks", {})
    assert kept.items() <= last["bookmarks"].items()
    if not kept:
        assert "holds no bookmarks: everything is read" in done.stderr.decode()


def is_json(text: str) -> bool:
    try:
        json.loads(text or "{}")
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", names("_singer.jsonl") or [""])
def test_recorded_findings_come_through_in_clean_forms(name: str) -> None:
    lines = map(json.loads, (folder() / name).read_text("utf-8").splitlines())
    given = [line["record"] for line in lines if line["type"] == "RECORD"]
    for kind in FINDING_TYPES:
        rows = [row for row in given if row["type"] == kind]
        emitted, bodies = served(kind, rows)

        assert [row["id"] for row in emitted] == [row["id"] for row in rows]
        assert [row["status"] for row in emitted] == [row["status"] for row in rows]
        assert all(
            row[date] is None or UTC.fullmatch(row[date]) for row in emitted for date in DATES
        )
        assert [row["name"] for row in emitted] == [row["name"] for row in rows]
        asked = {qid for body in bodies for qid in re.findall(r"(?<=ids=)[\d%C]+", body)}
        assert "0" not in {qid for qids in asked for qid in qids.split("%2C")}


def served(kind: str, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Give what the tap makes of rows of a type, and what it asks the knowledge base for."""
    body = [xml({"Finding": {**row, "uniqueId": f"u-{row['id']}"}}) for row in rows]
    with ScriptedServer({FINDINGS: [Answer(page(*body))]}) as server:
        outcome = sync_here({**server.config, "finding_types": [kind]})
    asked = [one.body for one in server.asked if "knowledge_base" in one.path]
    return (outcome.records("findings"), asked)
