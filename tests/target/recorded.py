"""Inputs that other programs failed on: made up here, and recorded where a folder of them is named.

`RECORDED_CASES` names the folder. Each test that takes such an input has one of the same kind of
its own, so that nothing is left untested without the folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target import rows as made
from tests.target.streams import joined, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _pytest.mark import ParameterSet

    from tests.target.rows import Row

FOLDER: Final = os.environ.get("RECORDED_CASES")
STATE: Final = {"bookmarks": {"findings": {"replication_key_value": "2024-05-02T08:00:00Z"}}}


def old(number: int, **changes: object) -> Row:
    """Make a finding as older taps write it: without a uniqueId."""
    row = made.finding(number, qid=159000 + number, name=f"Demo weakness {number}")
    del row["uniqueId"]
    return row | changes


def identifiers(*numbers: int) -> set[str]:
    """Give what CVM knows such findings by."""
    return {f"VULNERABILITY-{7000 + number}" for number in numbers}


def stream(*rows: Row, name: str = "findings") -> bytes:
    """Make an input of one stream, with a state at its end."""
    return joined(schema(name), *(record(name, row) for row in rows), state(STATE))


def either(name: str, own: bytes) -> pytest.MarkDecorator:
    """Give a test two inputs of one kind: our own, and the recorded one."""
    missing = pytest.mark.skipif(not FOLDER, reason="RECORDED_CASES is not set")
    cases: list[ParameterSet] = [
        pytest.param(own, id="own"),
        pytest.param(_recorded(name), id="recorded", marks=missing),
    ]
    return pytest.mark.parametrize("given", cases)


def _recorded(name: str) -> bytes:
    if not FOLDER:
        return b""
    content = (Path(FOLDER) / name).read_bytes()
    found = json.loads(content) if name.endswith("scenario.json") else {}
    return stream(*_answered(found)) if found.get("server") == "qualys" else content


def _answered(scenario: dict[str, Any]) -> list[Row]:
    """Give the findings that a recorded Qualys answered with, in its own forms."""
    answers = [step["response"].get("json", {}) for step in scenario["exchange"]]
    found = [answer.get("ServiceResponse", {}).get("data", []) for answer in answers]
    return [row["Finding"] for rows in found for row in rows]


def findings_of(given: bytes) -> Sequence[Row]:
    """Give the findings of an input."""
    messages = [json.loads(line) for line in given.splitlines() if line.strip()]
    return [
        message["record"]
        for message in messages
        if message["type"] == "RECORD" and message["stream"] == "findings"
    ]
