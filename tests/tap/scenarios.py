"""Recorded conversations with Qualys, written in JSON, played to the tap in the XML of Qualys.

`RECORDED_CASES` names the folder. The same kinds of faults, made up here, have tests of their own.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from tap_qualyswas.errors import QualysError
from tests.tap.qualys import Outcome, sync_here
from tests.tap.scripted import FINDINGS, SEARCH, Answer, Asked, ScriptedServer, page, webapp

FOLDER: Final = os.environ.get("RECORDED_CASES")
SLOW_SECONDS: Final = 1.3
"""A late answer is late by this, beside a timeout of one second."""

NAMES: Final = {
    "timeout_s": "request_timeout_seconds",
    "webapp_name_filter": "webapp_name_contains",
}
PASSED_OVER: Final = {"state_value", "kb_cache", "kb_modified_after", "extra_criteria"}
"""Settings of other programs: the tap keeps no cache, and has web applications for a filter."""


def read(name: str) -> Any:  # noqa: ANN401 - any JSON
    """Read a recorded file."""
    return json.loads((Path(FOLDER or "") / name).read_text("utf-8"))


def names(ending: str) -> list[str]:
    """Give the recorded files of the tap with such a name; none without the folder."""
    index = read("INDEX.json") if FOLDER else []
    ours = [case for case in index if "tap" in case["side"].split(" + ")]
    return sorted(name for case in ours for name in case["files"] if name.endswith(ending))


def xml(value: object) -> str:
    """Write JSON as the XML that Qualys would send for it."""
    if isinstance(value, dict):
        return "".join(f"<{name}>{xml(inside)}</{name}>" for name, inside in value.items())
    if isinstance(value, list):
        return "".join(map(xml, value))
    return escape(str(value).lower() if isinstance(value, bool) else str(value or ""))


def answer(told: dict[str, Any]) -> Answer:
    """Make an answer of a recorded one."""
    text = told.get("text", "")
    if text.startswith("@"):
        text = (Path(FOLDER or "") / text[1:]).read_text("utf-8")
    if "json" in told:
        rows = told["json"]["ServiceResponse"].get("data", [])
        for row in [rows] if isinstance(rows, dict) else rows:
            _date(row.get("Finding", {}))
        text = xml(told["json"])
    headers = {name: value for name, value in told["headers"].items() if name != "Content-Type"}
    return Answer(text, told["status"], headers, delay=SLOW_SECONDS * ("delay_s" in told))


def _date(finding: dict[str, Any]) -> None:
    """Let it be detected when it was tested: theirs is the bookmark of the one, ours the other."""
    finding.pop("lastDetectedDate", None)
    if "lastTestedDate" in finding:
        finding["lastDetectedDate"] = finding["lastTestedDate"]


def synced(value: str) -> dict[str, Any]:
    """Give the state that an earlier sync has left."""
    key = {"replication_key": "lastDetectedDate", "replication_key_value": value}
    return {"bookmarks": {"findings": key, "syncs": {"lastSyncAt": "2024-05-31T00:00:00Z"}}}


@dataclass
class Played:
    """What a run came to.

    Attributes:
        error: what it ended with, None when it ended well.
    """

    outcome: Outcome
    server: ScriptedServer
    error: QualysError | None = None
    state_before: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def walked(self) -> list[Asked]:
        """The calls for pages; those for one finding of each QID come with details."""
        return [asked for asked in self.server.asked_at(FINDINGS) if "verbose" not in asked.body]

    def again(self) -> Played:
        """Run once more, from the state that is left, against a server without any rows."""
        with ScriptedServer() as server:
            return run(server, self.settings, self.outcome.state)


def play(scenario: dict[str, Any]) -> Played:
    """Run the tap against a recorded conversation."""
    given = scenario["settings"]
    wishes = {"finding_types": ["VULNERABILITY"], "max_concurrency": 1, "overlap_hours": 0}
    wishes["full_sync_every_days"] = 0
    settings = {NAMES.get(name, name): given[name] for name in given if name not in PASSED_OVER}
    apps = [criterion["value"] for criterion in given.get("extra_criteria", [])]
    settings |= {"webapp_ids": apps} if apps else {}
    scripts: dict[str, list[Answer]] = {}
    for step in scenario["exchange"]:
        scripts.setdefault(step["request"]["path"], []).append(answer(step["response"]))
    found = {f"{SEARCH}webapp": Answer(page(*map(webapp, apps or [9001])))}
    state = synced(given["state_value"]) if "state_value" in given else None
    with ScriptedServer(scripts, found) as server:
        return run(server, {**wishes, **settings}, state)


def run(server: ScriptedServer, settings: dict[str, Any], state: dict[str, Any] | None) -> Played:
    """Run the tap once, and give what it came to."""
    try:
        return Played(
            sync_here({**server.config, **settings}, state), server, None, state, settings
        )
    except QualysError as error:
        outcome: Outcome = error.outcome  # type: ignore[attr-defined] # set by sync_here
        return Played(outcome, server, error, state, settings)
