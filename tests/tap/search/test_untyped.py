"""A finding without a type is rejected by name: it is never written, and never twice."""

from __future__ import annotations

from typing import Final

from tests.tap.scripted import (
    COUNT,
    FINDINGS,
    Answer,
    ScriptedServer,
    count_xml,
    finding,
    page,
)
from tests.tap.syncs import sync_here

TYPED: Final = finding(1)
UNTYPED: Final = finding(2, type=None)


def test_a_finding_without_a_type_is_rejected_by_name() -> None:
    always = {
        FINDINGS: Answer(page(TYPED, UNTYPED)),
        f"{COUNT}finding": Answer(count_xml(2)),
    }
    with ScriptedServer(always=always) as server:
        outcome = sync_here({**server.config, "finding_types": ["VULNERABILITY"]})

    assert [row["id"] for row in outcome.records("findings")] == [1]
    assert "findings: rejected 1 row: finding 2: it has no type" in outcome.log
