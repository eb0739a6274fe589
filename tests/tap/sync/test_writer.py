"""Which states are written."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_qualyswas.sync.writer import CountingWriter, EachState
from tests.sandbox.world.size import WorldSize
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    import pytest


def test_a_state_is_written_when_it_differs_from_the_last_one(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    states = EachState(CountingWriter())
    findings: dict[str, object] = {}

    for at in (None, None, 7, None):  # one state, changed in place
        findings["at"] = at
        states.write_state({"bookmarks": {"findings": findings}})

    written = [json.loads(line)["value"] for line in capfdbinary.readouterr().out.splitlines()]
    assert [one["bookmarks"]["findings"]["at"] for one in written] == [None, 7, None]


def test_no_state_of_a_sync_is_written_twice_in_a_row() -> None:
    with Platform(WorldSize(apps=3, findings=30, qids=5, scans=4)) as platform:
        outcome = platform.sync_here()

    states = [one["value"] for one in outcome.messages if one["type"] == "STATE"]
    assert len(states) > len(outcome.proof["streams"])
    assert all(one != after for one, after in pairwise(states))
