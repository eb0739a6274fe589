"""Recorded conversations that other programs failed on come to what is expected of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.tap.scenarios import FOLDER, Played, names, play, read

pytestmark = pytest.mark.skipif(not FOLDER, reason="RECORDED_CASES is not set")

Check = Callable[[Played, Any], bool]


def findings(played: Played) -> list[dict[str, Any]]:
    return played.outcome.records("findings")


def told(played: Played) -> dict[str, Any]:
    (row,) = [row for row in played.outcome.proof["streams"] if row["stream"] == "findings"]
    return dict(row)


def tags(played: Played) -> dict[str, list[str]]:
    apps = [row["webApp"] for row in findings(played)]
    return {str(app["id"]): [tag["name"] for tag in app["tags"] or []] for app in apps}


def tags_as(played: Played, expected: Any) -> bool:  # noqa: ANN401 - one list, or one for each app
    found = tags(played)
    return found == expected if isinstance(expected, dict) else [*found.values()] == [expected]


def bookmark(played: Played) -> str:
    # After a failure the last state may not even have been written: then the old one holds.
    state = played.outcome.state or played.state_before or {}
    return str(state["bookmarks"]["findings"]["replication_key_value"])


def sizes(played: Played) -> list[int]:
    return [int(one.body.split("limitResults>")[1].strip("</")) for one in played.walked]


def waited(played: Played) -> float:
    first, second = played.walked[:2]
    return second.at - first.at


def asked_for_entries(played: Played) -> str:
    return "".join(one.body for one in played.server.asked if "knowledge_base" in one.path)


def goes_on_after(played: Played, last_id: int) -> bool:
    return str(last_id) in played.again().walked[0].body


CHECKS: Final[dict[str, Check]] = {
    "ids": lambda played, ids: [row["id"] for row in findings(played)] == ids,
    "records": lambda played, number: len(findings(played)) == number,
    "partial": lambda played, some: bool(findings(played)) is some,
    "scan_ids": lambda played, ids: [r["id"] for r in played.outcome.records("scans")] == ids,
    "requests": lambda played, number: len(played.walked) == number,
    "retry": lambda played, again: (len(played.walked) > 1) is again,
    "exit": lambda played, code: (
        (played.error.exit_code if played.error else 0) == code
        or (played.error is not None and code == "non-zero")
    ),
    "log_has": lambda played, text: text in str(played.error),
    "completeness_mark": lambda played, mark: bool(played.outcome.records("syncs")) is mark,
    "autoclose": lambda played, proven: bool(played.outcome.records("syncs")) is proven,
    "duplicates_dropped": lambda played, number: told(played)["duplicates"] == number,
    "rejected": lambda played, ids: (
        f"findings: {len(ids)} rows were rejected" in played.outcome.proof["incompleteReasons"]
    ),
    "tags": tags_as,
    "severity": lambda played, by_id: (
        by_id.items() <= {str(row["id"]): row["severity"] for row in findings(played)}.items()
    ),
    "kb_missing": lambda played, number: f"{number} QIDs without one" in played.outcome.log,
    "kb_ids_requested": lambda played, qids: all(
        str(qid) in asked_for_entries(played) for qid in qids
    ),
    "page_sizes": lambda played, first: sizes(played)[: len(first)] == first,
    "min_wait_s": lambda played, seconds: waited(played) >= seconds,
    "max_wait_s": lambda played, seconds: waited(played) <= seconds,
    "state_after": lambda played, value: bookmark(played) == value,
    "state_after_not_before": lambda played, value: bookmark(played) >= value,
    "resume_last_id": goes_on_after,
    "second_run_first_id_after": goes_on_after,
    "report_names_unknown": lambda played, fields: all(
        field in played.outcome.log for field in fields
    ),
    "note": lambda _played, _text: True,
}


@pytest.mark.parametrize("name", names("_scenario.json") or [""])
def test_each_recorded_conversation_comes_to_what_is_expected(name: str) -> None:
    scenario = read(name)
    played = play(scenario)
    missed = {
        what: expected
        for what, expected in scenario["expect"].items()
        if not CHECKS[what](played, expected)
    }

    assert missed == {}, played.error
    # Each walk keeps to one type, which is a condition of its own.
    kind = '<Criteria field="type" operator="EQUALS">'
    bodies = [asked.body.replace(kind, "") for asked in played.server.asked]
    for request in (step["request"] for step in scenario["exchange"]):
        assert all(any(text in body for body in bodies) for text in request.get("body_has", []))
        assert not any(text in body for body in bodies for text in request.get("body_lacks", []))
