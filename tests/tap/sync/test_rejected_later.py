"""Rows that are rejected when findings are read again are named like those of the walk."""

from __future__ import annotations

from typing import Final

from tests.tap.scripted import (
    COUNT,
    FINDINGS,
    SEARCH,
    Answer,
    ScriptedServer,
    count_xml,
    finding,
    page,
    webapp,
)
from tests.tap.sync.test_proof import OTHER, ServerOfApps
from tests.tap.syncs import sync_here

ONE_TYPE: Final = {"finding_types": ["VULNERABILITY"]}
ODD: Final = finding(7003, qid="unreadable")
REJECTED: Final = "findings: rejected 1 row: Finding 7003: qid"


def test_a_row_that_only_the_counts_have_shown_is_named_when_it_is_rejected() -> None:
    rows = {9001: [finding(7001), ODD], 9002: [finding(7005, webApp=OTHER)]}
    with ServerOfApps(rows, [7003], by_app="lists") as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert outcome.log.count(REJECTED) == 1
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [9001]


def test_a_row_of_the_lost_end_of_a_page_is_named_when_it_is_rejected() -> None:
    script = {
        FINDINGS: [Answer(page(finding(7001))), Answer(page(ODD))],
        f"{COUNT}finding": [Answer(count_xml(2)), Answer(count_xml(1))],
    }
    always = {
        f"{SEARCH}webapp": Answer(page(webapp(9001))),
        f"{COUNT}webapp": Answer(count_xml(1)),
        f"{COUNT}finding": Answer(count_xml(2)),
        FINDINGS: Answer(page(finding(7001), ODD)),
    }
    with ScriptedServer(script, always) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert outcome.log.count(REJECTED) == 1
    assert outcome.proof["coverage"]["webApps"]["notProven"] == [9001]


def test_a_row_that_the_walk_has_named_is_not_named_again() -> None:
    with ServerOfApps({9001: [finding(7001), ODD]}) as server:
        outcome = sync_here({**server.config, **ONE_TYPE})

    assert outcome.log.count(REJECTED) == outcome.log.count("rejected") == 1
