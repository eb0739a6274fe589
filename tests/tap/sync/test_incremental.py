"""From one sync to the next: nothing that changes is missed, and no more is read than needed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from qualyswas_ciscovm.dates import to_text
from tap_qualyswas.errors import SettingsError
from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.model import iso
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only
from tests.tap.syncs import Outcome, Platform

if TYPE_CHECKING:
    from tests.sandbox.world.model import Finding, Scan

SIZE: Final = WorldSize(apps=6, findings=80, qids=12, scans=12)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def keys_of(outcome: Outcome) -> set[str]:
    return {row["uniqueId"] for row in outcome.records("findings")}


def bookmark(outcome: Outcome, stream: str = "findings") -> str:
    return str(outcome.state["bookmarks"][stream]["replication_key_value"])


def open_vulnerability(platform: Platform) -> Finding:
    rows = platform.world.findings["VULNERABILITY"]
    return next(row for row in rows if row.open)


def scan_of(platform: Platform, finding: Finding) -> Scan:
    return platform.world.launch_scan(finding.app)


def window_start(outcome: Outcome) -> str:
    (told,) = [row for row in outcome.proof["streams"] if row["stream"] == "findings"]
    return str(told["windowStart"])


def key(platform: Platform, finding: Finding) -> str:
    return platform.world.unique_id(finding)


def test_the_first_sync_is_full_and_the_next_reads_what_changed() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(2 * DAY)
        finding = open_vulnerability(platform)
        scan = scan_of(platform, finding)
        platform.clock.advance(HOUR)
        platform.world.finish_scan(scan)
        second = platform.sync_here(state=first.state)
        tested = {key(platform, row) for row in platform.world.findings_of(finding.app)}
        start = window_start(second)
        recent = {key(platform, r) for r in platform.world.all_findings() if iso(r.tested) > start}

    assert (first.proof["mode"], second.proof["mode"]) == ("full", "incremental")
    assert len(first.records("findings")) == 80
    assert tested <= keys_of(second) == recent < keys_of(first)
    assert scan.id in {row["id"] for row in second.records("scans")}
    assert second.proof["complete"] is True
    assert second.proof["previousSyncAt"] == first.proof["startedAt"]
    assert second.proof["previousFullSyncAt"] == first.proof["startedAt"]


def test_an_incremental_sync_makes_no_count_calls() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(DAY)
        before = platform.requests.copy()
        platform.sync_here(state=first.state)

    assert not [name for name in platform.requests - before if name.startswith("count/")]


def test_a_fix_is_seen_although_it_was_detected_long_ago() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(3 * DAY)
        finding = open_vulnerability(platform)
        platform.world.fix_finding(finding)
        second = platform.sync_here(state=first.state)

    (row,) = [r for r in second.records("findings") if r["uniqueId"] == key(platform, finding)]
    assert row["status"] == "FIXED"
    assert row["lastDetectedDate"] < row["fixedDate"]


@pytest.mark.parametrize(("hours", "since"), [(24, DAY), (3, 3 * HOUR), (0, timedelta(seconds=1))])
def test_a_sync_begins_before_the_bookmark(hours: int, since: timedelta) -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(DAY)
        second = platform.sync_here({"overlap_hours": hours}, state=first.state)
        at = platform.world

    last = max(row.last for row in at.all_findings())
    assert bookmark(first) == iso(last)
    assert window_start(second) == iso(last - int(since.total_seconds()))


def test_a_running_scan_holds_both_bookmarks_until_it_has_ended() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(2 * DAY)
        slow, quick = list(platform.world.apps.values())[:2]
        running = platform.world.launch_scan(slow)
        new = platform.world.add_finding(slow, scan=running)
        platform.clock.advance(DAY)
        platform.world.finish_scan(platform.world.launch_scan(quick))
        second = platform.sync_here(state=first.state)
        platform.clock.advance(2 * DAY)
        platform.world.finish_scan(running)
        third = platform.sync_here({"overlap_hours": 0}, state=second.state)

    assert bookmark(second) == bookmark(second, "scans") == iso(running.launched)
    assert key(platform, new) not in keys_of(second)
    assert key(platform, new) in keys_of(third)
    assert running.id in {row["id"] for row in third.records("scans")}


def test_a_finished_scan_whose_results_are_not_there_yet_holds_them_too() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(2 * DAY)
        app = next(iter(platform.world.apps.values()))
        scan = platform.world.launch_scan(app)
        platform.world.add_finding(app, scan=scan)
        platform.world.finish_scan(scan, "PROCESSING")
        platform.clock.advance(DAY)
        platform.world.fix_finding(open_vulnerability(platform))
        second = platform.sync_here(state=first.state)

    assert bookmark(second) <= iso(scan.launched)
    assert bookmark(second, "scans") == iso(scan.launched)


@pytest.mark.parametrize("refused", [(), ("wasscan.launchedDate",)])
def test_a_running_scan_holds_the_findings_when_scans_are_not_selected(
    refused: tuple[str, ...],
) -> None:
    streams = ("webapps", "findings", "knowledge_base", "syncs")
    with Platform(SIZE, switches=Switches(refused_criteria=refused)) as platform:
        slow, quick, hanging = list(platform.world.apps.values())[:3]
        platform.world.launch_scan(hanging)
        platform.clock.advance(31 * DAY)
        running = platform.world.launch_scan(slow)
        platform.clock.advance(HOUR)
        platform.world.add_finding(quick)
        outcome = platform.sync_here(catalog=only(*streams))

    assert bookmark(outcome) == iso(running.launched)


def test_a_scan_that_hangs_for_a_month_no_longer_holds_them() -> None:
    with Platform(SIZE) as platform:
        app = next(iter(platform.world.apps.values()))
        hanging = platform.world.launch_scan(app)
        platform.clock.advance(31 * DAY)
        platform.world.add_finding(app)
        outcome = platform.sync_here()

    assert bookmark(outcome) > iso(hanging.launched)
    assert f"Scan {hanging.id} was launched at {iso(hanging.launched)} and has not ended" in (
        outcome.log
    )


def changed_by_a_person(platform: Platform) -> tuple[dict[str, Finding], Outcome, Outcome]:
    """Give what a person changed, the incremental sync after it, and the full one after that."""
    plain = {"overlap_hours": 0}
    first = platform.sync_here(plain)
    platform.clock.advance(2 * DAY)
    world = platform.world
    ignored, edited = [row for row in world.findings["VULNERABILITY"] if row.open][:2]
    gone = world.findings["INFORMATION_GATHERED"][0]
    world.ignore_finding(ignored)
    world.edit_severity(edited, 1)
    world.delete_finding(gone)
    second = platform.sync_here(plain, state=first.state)
    platform.clock.advance(6 * DAY)
    third = platform.sync_here(plain, state=second.state)
    return ({"ignored": ignored, "edited": edited, "gone": gone}, second, third)


def test_what_a_person_changed_is_seen_by_the_next_full_sync() -> None:
    with Platform(SIZE) as platform:
        changed, second, third = changed_by_a_person(platform)
        keys = {name: key(platform, finding) for name, finding in changed.items()}

    assert keys["edited"] not in keys_of(second)
    assert third.proof["mode"] == "full"
    (row,) = [r for r in third.records("findings") if r["uniqueId"] == keys["edited"]]
    assert row["severity"] == 1
    assert keys["gone"] not in keys_of(third)


def test_an_ignore_is_seen_by_the_next_incremental_sync() -> None:
    with Platform(SIZE) as platform:
        changed, second, _ = changed_by_a_person(platform)
        ignored = key(platform, changed["ignored"])

    (row,) = [r for r in second.records("findings") if r["uniqueId"] == ignored]
    assert row["isIgnored"] is True
    assert second.proof["complete"] is True
    (told,) = [row for row in second.proof["streams"] if row["stream"] == "findings"]
    assert told["read"] == told["emitted"] == len(keys_of(second))


def test_a_finding_of_the_window_that_is_ignored_comes_once() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(DAY)
        finding = open_vulnerability(platform)
        platform.world.finish_scan(scan_of(platform, finding))
        platform.world.ignore_finding(finding)
        second = platform.sync_here(state=first.state)

    unique = key(platform, finding)
    assert [row["uniqueId"] for row in second.records("findings")].count(unique) == 1


def test_without_the_criterion_an_ignore_is_seen_by_the_next_full_sync() -> None:
    with Platform(SIZE, switches=Switches(refused_criteria=("finding.ignoredDate",))) as platform:
        changed, second, third = changed_by_a_person(platform)
        ignored = key(platform, changed["ignored"])

    assert ignored not in keys_of(second)
    assert second.log.count("cannot search by ignoredDate") == 1
    assert second.proof["complete"] is True
    (row,) = [r for r in third.records("findings") if r["uniqueId"] == ignored]
    assert row["isIgnored"] is True
    assert "ignoredDate" not in third.log


@pytest.mark.parametrize("settings", [{}, {"start_date": "2026-02-01T00:00:00Z"}])
def test_a_sync_from_the_beginning_does_not_ask_for_ignores(settings: dict[str, Any]) -> None:
    with Platform(SIZE) as platform:
        platform.sync_here(settings)
        fields = {one.field for logged in platform.face.log for one in logged.criteria}

    assert "ignoredDate" not in fields


@pytest.mark.parametrize(
    ("every", "days", "mode"),
    [(7, 6.9, "incremental"), (7, 7, "full"), (1, 1, "full"), (0, 400, "incremental")],
)
def test_a_full_sync_happens_by_itself(every: int, days: float, mode: str) -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(days * DAY)
        second = platform.sync_here({"full_sync_every_days": every}, state=first.state)

    assert second.proof["mode"] == mode
    assert (len(second.records("findings")) == 80) is (mode == "full")


@pytest.mark.parametrize(
    "settings",
    [
        {"full_sync": True},
        {"finding_types": ["VULNERABILITY", "SENSITIVE_CONTENT"]},
        {"webapp_name_contains": "a"},
    ],
)
def test_a_full_sync_happens_when_it_is_asked_for_or_a_filter_changes(
    settings: dict[str, Any],
) -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(DAY)
        second = platform.sync_here(settings, state=first.state)

    assert second.proof["mode"] == "full"
    assert second.proof["complete"] is True
    assert all(row["windowStart"] is None for row in second.proof["streams"])


def test_a_full_sync_counts_that_was_read_to_its_end_whatever_was_made_of_it() -> None:
    with Platform(SIZE, faults=["qualys-evaluation-header"]) as platform:
        first = platform.sync_here()
        platform.clock.advance(HOUR)
        second = platform.sync_here(state=first.state)

    assert first.proof["complete"] is False
    assert second.proof["mode"] == "incremental"
    assert second.proof["previousFullSyncAt"] == first.proof["startedAt"]


def test_a_sync_with_a_start_date_is_never_full() -> None:
    with Platform(SIZE) as platform:
        dates = sorted(row.tested for row in platform.world.all_findings())
        start = iso(dates[40])
        outcome = platform.sync_here({"start_date": start, "full_sync": True})

    assert "Incremental sync: all since start_date, as full_sync is set." in outcome.log

    assert outcome.proof["mode"] == "incremental"
    assert len(keys_of(outcome)) == sum(date >= dates[40] for date in dates)
    assert min(row["lastTestedDate"] for row in outcome.records("findings")) == start


def test_a_start_date_in_the_future_is_refused() -> None:
    """By Qualys's time, not that of the machine."""
    with Platform(SIZE) as platform:
        start = to_text(platform.clock.now() + HOUR)
        with pytest.raises(SettingsError, match=f"{start} lies in the future") as refused:
            platform.sync_here({"start_date": start})
        assert not refused.value.outcome.records("webapps")  # type: ignore[attr-defined]
        platform.clock.advance(2 * HOUR)
        outcome = platform.sync_here({"start_date": start})

    assert outcome.proof["mode"] == "incremental"


def test_a_wider_filter_does_not_carry_a_bookmark_past_a_running_scan() -> None:
    with Platform(SIZE) as platform:
        slow, quick = list(platform.world.apps.values())[:2]
        running = platform.world.launch_scan(slow)
        new = platform.world.add_finding(slow, scan=running)
        platform.clock.advance(2 * DAY)
        platform.world.add_finding(quick)
        narrow = platform.sync_here({"webapp_ids": [quick.id]})
        wide = platform.sync_here(state=narrow.state)
        platform.world.finish_scan(running)
        last = platform.sync_here(state=wide.state)

    assert bookmark(narrow) > iso(running.launched)
    assert bookmark(wide) == iso(running.launched)
    assert last.proof["mode"] == "incremental"
    assert key(platform, new) in keys_of(last)


def test_the_bookmark_of_another_account_is_not_carried_past_a_running_scan() -> None:
    with Platform(SIZE) as platform:
        state = platform.sync_here().state
        running = platform.world.launch_scan(next(iter(platform.world.apps.values())))
        platform.clock.advance(2 * DAY)
        for stream in ("scans", "findings"):
            state["bookmarks"][stream]["replication_key_value"] = to_text(platform.clock.now())
        platform.face.faults.arm("qualys-other-account")
        outcome = platform.sync_here(state=state)

    assert outcome.proof["mode"] == "full"
    assert max(bookmark(outcome), bookmark(outcome, "scans")) <= iso(running.launched)


def test_nothing_new_leaves_the_bookmark_where_it_was() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here()
        platform.clock.advance(5 * DAY)
        second = platform.sync_here({"overlap_hours": 0}, state=first.state)

    assert bookmark(second) == bookmark(first)
    assert second.proof["complete"] is True


def test_rows_without_dates_come_with_a_full_sync_and_move_nothing() -> None:
    with Platform(SIZE, faults=["rows-without-dates"]) as platform:
        outcome = platform.sync_here()
        dated = [r["lastDetectedDate"] for r in outcome.records("findings")]

    assert len(dated) == 80
    assert None in dated
    assert bookmark(outcome) == max(date for date in dated if date)
    assert outcome.proof["complete"] is True
