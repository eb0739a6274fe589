"""An interrupted sync goes on where it stopped, at whatever page, and never passes for a whole."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any, Final

import pytest

from tests.sandbox.world.model import iso
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only
from tests.tap.syncs import Outcome, Platform

SIZE: Final = WorldSize(apps=8, findings=70, qids=12, scans=12)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
PAGES: Final = {"page_size": 6}
KEYS: Final = {"webapps": "id", "scans": "id", "findings": "uniqueId", "knowledge_base": "qid"}


def rows_of(messages: list[dict[str, Any]], stream: str) -> list[Any]:
    key = KEYS[stream]
    return [m["record"][key] for m in messages if m.get("stream") == stream and "record" in m]


def walked(outcome: Outcome) -> bool:
    """Tell whether a state keeps where a walk stands."""
    return any(part.get("resume") for part in outcome.state["bookmarks"].values())


@pytest.mark.parametrize("workers", [1, 3])
def test_it_goes_on_after_any_page_and_repeats_nothing_of_that_walk(workers: int) -> None:
    settings = {**PAGES, "max_concurrency": workers}
    with Platform(SIZE) as platform:
        whole = platform.sync_here(settings)
        for before, state in whole.cuts():
            rest = platform.sync_here(settings, state=state)
            for stream in KEYS:
                both = rows_of(before, stream) + rows_of(rest.messages, stream)
                assert set(both) == set(rows_of(whole.messages, stream)), stream
            if state["bookmarks"].get("findings", {}).get("resume"):
                findings = rows_of(before, "findings") + rows_of(rest.messages, "findings")
                assert len(findings) == len(set(findings)) == 70
                assert rest.proof["complete"] is False

    assert len(whole.cuts()) > 10


def test_it_is_not_complete_and_the_next_one_begins_at_the_beginning() -> None:
    with Platform(SIZE) as platform:
        whole = platform.sync_here(PAGES)
        _, state = next(cut for cut in whole.cuts() if cut[1]["bookmarks"]["webapps"].get("resume"))
        resumed = platform.sync_here(PAGES, state=state)
        following = platform.sync_here(PAGES, state=resumed.state)

    told = "the sync went on from the cursor of an interrupted one"
    assert told in resumed.proof["incompleteReasons"]
    assert (resumed.proof["complete"], following.proof["complete"]) == (False, True)
    assert following.proof["mode"] == "full"
    assert len(following.records("findings")) == 70


def in_findings(outcome: Outcome) -> dict[str, Any]:
    """Give a state from the middle of the findings."""
    states = [s for _, s in outcome.cuts() if s["bookmarks"].get("findings", {}).get("resume")]
    return copy.deepcopy(states[len(states) // 2])


def is_whole(outcome: Outcome) -> bool:
    return len(outcome.records("findings")) == 70


@pytest.mark.parametrize(
    "settings",
    [
        {"finding_types": ["VULNERABILITY", "INFORMATION_GATHERED"]},
        {"webapp_name_contains": "a"},
        {"start_date": "2020-01-01T00:00:00Z"},
        {"include_evidence": True},
    ],
)
def test_a_cursor_of_other_filters_or_another_window_is_not_used(settings: dict[str, Any]) -> None:
    with Platform(SIZE) as platform:
        state = in_findings(platform.sync_here(PAGES))
        resumed = platform.sync_here({**PAGES, **settings}, state=state)
        fresh = platform.sync_here({**PAGES, **settings})

    assert sorted(rows_of(resumed.messages, "findings")) == sorted(
        rows_of(fresh.messages, "findings")
    )
    assert "goes on where" not in resumed.log


def test_a_cursor_of_applications_that_a_filter_no_longer_stands_for_is_not_used() -> None:
    settings = {**PAGES, "webapp_name_contains": "a"}
    with Platform(SIZE) as platform:
        state = in_findings(platform.sync_here(settings))
        app = next(iter(platform.world.apps.values()))
        platform.world.rename_app(app, "xyz")
        resumed = platform.sync_here(settings, state=state)

    assert "findings goes on where" not in resumed.log
    assert app.id not in {row["webApp"]["id"] for row in resumed.records("findings")}


@pytest.mark.parametrize(
    "damage",
    [
        {"spans": None},
        {"spans": {"VULNERABILITY": [["x", None]]}},
        {"spans": {"VULNERABILITY": [3]}},
        {"frame": None},
        {"carried": None},
        {"carried": {"horizon": "soon"}},
    ],
)
def test_a_damaged_cursor_is_not_used(damage: dict[str, Any]) -> None:
    with Platform(SIZE) as platform:
        state = in_findings(platform.sync_here(PAGES))
        state["bookmarks"]["findings"]["resume"][0] |= damage
        resumed = platform.sync_here(PAGES, state=state)

    assert is_whole(resumed)


@pytest.mark.parametrize("carried", [{"qids": 5, "greatest": 7}, {"qids": {"a": 1, "5": [1]}}])
def test_what_is_carried_along_may_be_damaged(carried: dict[str, Any]) -> None:
    with Platform(SIZE) as platform:
        state = in_findings(platform.sync_here(PAGES))
        (kept,) = state["bookmarks"]["findings"]["resume"]
        kept["carried"] |= carried
        resumed = platform.sync_here(PAGES, state=state)

    assert resumed.proof["complete"] is False


def test_qids_of_the_rows_before_the_cut_are_still_asked_for() -> None:
    with Platform(SIZE) as platform:
        whole = platform.sync_here(PAGES)
        resumed = platform.sync_here(PAGES, state=in_findings(whole))

    assert rows_of(resumed.messages, "knowledge_base") == rows_of(whole.messages, "knowledge_base")


def test_qids_stay_open_until_their_entries_are_there() -> None:
    with Platform(SIZE, faults=["kb-down"]) as platform:
        with pytest.raises(Exception, match="could not answer") as raised:
            platform.sync_here({"max_attempts": 1})
        failed: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
        platform.face.faults.disarm()
        platform.clock.advance(DAY)
        after = platform.sync_here({"full_sync_every_days": 0}, state=failed.state)
        qids = {row.qid.qid for row in platform.world.all_findings()}

    (pending,) = failed.state["bookmarks"]["knowledge_base"]["pending"]
    assert {*map(int, pending)} == qids
    assert {row["qid"] for row in after.records("knowledge_base")} == qids
    assert after.state["bookmarks"]["knowledge_base"]["pending"] is None


def is_behind(kind: str, state: dict[str, Any]) -> bool:
    """Tell whether a walk has passed all findings of a type, but not all others."""
    resume = state["bookmarks"].get("findings", {}).get("resume")
    return bool(resume) and resume[0]["spans"][kind] == []


def test_what_changes_behind_the_cursor_while_nobody_reads_is_read_afterwards() -> None:
    """Incremental days later: the resumed walk has passed the row; the bookmark must not."""
    never = {**PAGES, "full_sync_every_days": 0, "overlap_hours": 0}
    with Platform(SIZE) as platform:
        whole = platform.sync_here({**never, "max_concurrency": 1})
        state = next(s for _, s in whole.cuts() if is_behind("VULNERABILITY", s))
        first = platform.world.findings["VULNERABILITY"][0]
        platform.clock.advance(DAY)
        platform.world.reopen_finding(first)
        changed = first.tested
        platform.clock.advance(3 * DAY)
        platform.world.reopen_finding(platform.world.findings["INFORMATION_GATHERED"][-1])
        resumed = platform.sync_here(never, state=state)
        last = platform.sync_here(never, state=resumed.state)

    unique = platform.world.unique_id(first)
    assert unique not in rows_of(resumed.messages, "findings")
    assert unique in rows_of(last.messages, "findings")
    (row,) = [r for r in last.records("findings") if r["uniqueId"] == unique]
    assert row["lastTestedDate"] == iso(changed)


def test_a_scan_that_ends_between_the_two_runs_is_read_afterwards() -> None:
    never = {**PAGES, "full_sync_every_days": 0, "overlap_hours": 0}
    with Platform(SIZE) as platform:
        first = platform.world.findings["VULNERABILITY"][0]
        running = platform.world.launch_scan(first.app)
        platform.clock.advance(DAY)
        state = in_findings(platform.sync_here({**never, "max_concurrency": 1}))
        platform.world.finish_scan(running)
        platform.clock.advance(DAY)
        platform.world.reopen_finding(platform.world.findings["INFORMATION_GATHERED"][-1])
        resumed = platform.sync_here(never, state=state)
        last = platform.sync_here(never, state=resumed.state)

    assert platform.world.unique_id(first) in rows_of(last.messages, "findings")


def test_a_scan_launched_between_the_two_runs_holds_the_findings_too() -> None:
    """The resumed walk of the scans never sees it: it lies behind the cursor."""
    never = {"full_sync_every_days": 0, "overlap_hours": 0}
    with Platform(SIZE) as platform:
        world = platform.world
        first = platform.sync_here(never)
        platform.clock.advance(HOUR)
        cut = platform.sync_here(never, state=first.state)
        state = next(s for _, s in cut.cuts() if s["bookmarks"]["scans"].get("resume"))
        platform.clock.advance(DAY)
        running = world.launch_scan(world.findings["VULNERABILITY"][0].app)
        platform.clock.advance(DAY)
        world.reopen_finding(world.findings["INFORMATION_GATHERED"][-1])
        resumed = platform.sync_here(never, state=state)
        found = world.add_finding(running.app, scan=running)
        world.finish_scan(running)
        last = platform.sync_here(never, state=resumed.state)

    assert "scans goes on where an interrupted run stopped" in resumed.log
    assert world.unique_id(found) in rows_of(last.messages, "findings")


def test_reports_that_were_not_wanted_when_their_scans_were_read_are_read() -> None:
    wanted = only("webapps", "scans", "findings", "scan_results")
    with Platform(SIZE) as platform:
        fresh = platform.sync_here(PAGES, catalog=wanted)
        states = [state for _, state in platform.sync_here(PAGES).cuts()]
        state = next(one for one in states if one["bookmarks"].get("scans", {}).get("resume"))
        resumed = platform.sync_here(PAGES, state=state, catalog=wanted)

    scans = [{row["scanId"] for row in one.records("scan_results")} for one in (resumed, fresh)]
    assert scans[0] == scans[1]
