"""What can be asked for at the same time is, and nothing twice before Qualys has answered."""

from __future__ import annotations

import threading
from typing import Final

import pytest

from tap_qualyswas.search.ahead import Ahead, together
from tests.sandbox.world.size import WorldSize
from tests.tap.scripted import COUNT, SEARCH, Answer, ScriptedServer, count_xml, page, webapp
from tests.tap.syncs import Platform, sync_here

TWO_STREAMS: Final = {"finding_types": ["VULNERABILITY"], "page_size": 1}
A_WHILE: Final = 0.5
"""Seconds; what is asked for meanwhile takes far less."""


def test_calls_are_made_side_by_side_and_keep_their_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def call(number: int) -> int:
        both.wait()
        return number

    assert together([lambda: call(1), lambda: call(2)]) == [1, 2]


def test_what_fails_ahead_fails_when_it_is_wanted() -> None:
    def fail() -> None:
        msg = "no"
        raise ValueError(msg)

    begun = Ahead(fail)

    with pytest.raises(ValueError, match="no"):
        begun.result()


def test_scans_are_read_while_web_applications_come() -> None:
    first = Answer(page(webapp(1), more="true", last_id=1), delay=A_WHILE)
    scripts = {f"{SEARCH}webapp": [first, Answer(page(webapp(2)))]}
    counts = {f"{COUNT}webapp": Answer(count_xml(2))}
    with ScriptedServer(scripts, counts) as server:
        sync_here({**server.config, **TWO_STREAMS})
        asked = [request.path for request in server.requests]

    assert asked[0] == f"{COUNT}webapp"  # alone: a wrong login must not be tried twice
    second = asked.index(f"{SEARCH}webapp", asked.index(f"{SEARCH}webapp") + 1)
    assert {f"{COUNT}wasscan", f"{SEARCH}wasscan"} <= set(asked[:second])


def test_one_call_at_a_time_brings_the_same() -> None:
    with Platform(WorldSize(apps=6, findings=60, qids=12, scans=10)) as platform:
        one, two = (platform.sync_here({"max_concurrency": number}) for number in (1, 2))

    for stream in ("webapps", "scans", "findings", "knowledge_base"):
        rows = [
            [{**row, "syncId": None} for row in outcome.records(stream)] for outcome in (one, two)
        ]
        # Findings of two types may share an id, and come in any order then.
        key = {"knowledge_base": "qid", "findings": "uniqueId"}.get(stream, "id")
        assert sorted(rows[0], key=lambda row: row[key]) == sorted(
            rows[1], key=lambda row: row[key]
        )
    assert one.proof["complete"] is two.proof["complete"] is True
