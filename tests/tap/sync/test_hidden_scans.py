"""Scans that run and do not tell when they were launched: no search by date brings them."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import pytest

from tap_qualyswas.sync.bookmarks import UnendedScans
from tests.tap.catalogs import only
from tests.tap.scripted import SEARCH, Answer, ScriptedServer, finding, page, scan, webapp
from tests.tap.syncs import sync_here

if TYPE_CHECKING:
    from tests.tap.syncs import Outcome

LOGGER: Final = logging.getLogger(__name__)
BOOKMARK: Final = "2024-05-20T00:00:00Z"
LAUNCHED: Final = "2024-05-25T08:00:00Z"
IN_REFERENCE: Final = "was/1716624000000.77"
"""The same moment, in milliseconds."""
STATE: Final[dict[str, Any]] = {
    "bookmarks": {name: {"replication_key_value": BOOKMARK} for name in ("scans", "findings")}
}
RUNNING: Final = webapp(9001, lastScan="<id>77</id>", lastScanStatus="RUNNING")
WITHOUT_SCANS: Final = only("webapps", "findings", "knowledge_base", "syncs")


def sync(reference: str | None) -> tuple[Outcome, list[str]]:
    """Sync once while a scan runs that only a search for its id brings."""
    hidden = scan(77, launchedDate=None, status="RUNNING", summary=None, reference=reference)
    found = page(finding(1, lastDetectedDate="2024-05-30T08:00:00Z"))
    scans = [Answer(page(scan(76, launchedDate="2024-05-29T08:00:00Z"))), Answer(page(hidden))]
    scripts = {
        f"{SEARCH}webapp": [Answer(page(RUNNING))],
        f"{SEARCH}wasscan": scans,
        f"{SEARCH}finding": [Answer(found)],
    }
    settings = {"finding_types": ["VULNERABILITY"], "full_sync_every_days": 0}
    with ScriptedServer(scripts) as server:
        outcome = sync_here({**server.config, **settings}, STATE)
        asked = server.asked_at(f"{SEARCH}wasscan")
    return (outcome, [str(request.body) for request in asked])


def bookmarks(outcome: Outcome) -> dict[str, str]:
    kept = outcome.state["bookmarks"]
    return {name: kept[name]["replication_key_value"] for name in ("scans", "findings")}


def test_no_bookmark_passes_a_launch_that_only_the_reference_tells() -> None:
    outcome, asked = sync(reference=IN_REFERENCE)

    assert bookmarks(outcome) == {"scans": LAUNCHED, "findings": LAUNCHED}
    assert len(asked) == 2
    assert "launchedDate" not in asked[1]


def test_no_bookmark_moves_while_a_scan_runs_whose_launch_nothing_tells() -> None:
    outcome, _ = sync(reference=None)

    assert bookmarks(outcome) == {"scans": BOOKMARK, "findings": BOOKMARK}
    assert "Scan 77 has not ended and does not tell when it was launched" in outcome.log


@pytest.mark.parametrize("status", ["FINISHED", None])
def test_nothing_is_asked_for_where_no_web_application_names_a_scan_that_runs(
    status: str | None,
) -> None:
    ended = webapp(9001, lastScan="<id>77</id>", lastScanStatus=status)
    with ScriptedServer({f"{SEARCH}webapp": [Answer(page(ended))]}) as server:
        sync_here({**server.config, "full_sync_every_days": 0}, STATE)

        assert len(server.asked_at(f"{SEARCH}wasscan")) == 1


def test_one_that_no_search_by_date_brings_is_asked_for_again_where_launches_are_forgotten() -> (
    None
):
    """A run that goes on from a cursor has not read the scans before it."""
    unended = UnendedScans(lambda: datetime(2024, 5, 31, tzinfo=timezone.utc), LOGGER)
    for number in (77, 78):
        unended.note_webapp({"lastScan": {"id": number}, "lastScanStatus": "RUNNING"})
    unended.begin()
    for number, launched in ((77, None), (78, LAUNCHED)):
        unended.note({"id": number, "status": "RUNNING", "launchedDate": launched})
    unended.forget()

    assert unended.hidden == [77]


def test_it_holds_the_findings_where_scans_are_not_read() -> None:
    hidden = scan(77, launchedDate=None, status="RUNNING", reference=IN_REFERENCE)
    scripts = {
        f"{SEARCH}webapp": [Answer(page(RUNNING))],
        f"{SEARCH}wasscan": [Answer(page()), Answer(page(hidden))],
        f"{SEARCH}finding": [Answer(page(finding(1, lastDetectedDate="2024-05-30T08:00:00Z")))],
    }
    settings = {"finding_types": ["VULNERABILITY"], "full_sync_every_days": 0}
    with ScriptedServer(scripts) as server:
        outcome = sync_here({**server.config, **settings}, STATE, WITHOUT_SCANS)

    assert bookmarks(outcome)["findings"] == LAUNCHED


def test_one_that_runs_holds_bookmarks_when_its_web_application_came_before_an_interruption() -> (
    None
):
    first = Answer(page(RUNNING, more="true", last_id=9001))
    settings = {"finding_types": ["VULNERABILITY"], "full_sync_every_days": 0, "page_size": 1}
    with ScriptedServer({f"{SEARCH}webapp": [first]}) as server:
        interrupted = sync_here({**server.config, **settings}, STATE)
        state = next(
            kept
            for _, kept in interrupted.cuts()
            if kept["bookmarks"].get("webapps", {}).get("resume")
        )
    hidden = scan(77, launchedDate=None, status="RUNNING", reference=IN_REFERENCE)
    found = page(finding(1, lastDetectedDate="2024-05-30T08:00:00Z"))
    scripts = {
        f"{SEARCH}wasscan": [Answer(page()), Answer(page(hidden))],
        f"{SEARCH}finding": [Answer(found)],
    }
    with ScriptedServer(scripts) as server:
        outcome = sync_here({**server.config, **settings}, state)

    assert "webapps goes on where an interrupted run stopped." in outcome.log
    assert bookmarks(outcome)["findings"] == LAUNCHED
