"""Findings out of scan reports, and what each scan reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tap_qualyswas import errors
from tap_qualyswas.streams import ORDER
from tests.sandbox.world.model import iso
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only
from tests.tap.syncs import Outcome, Platform

if TYPE_CHECKING:
    from tests.sandbox.world.model import Scan
    from tests.sandbox.world.world import World

SIZE: Final = WorldSize(apps=10, findings=150, qids=20, scans=14)
REPORTS: Final = {"source": "scan_reports"}
DAY: Final = timedelta(days=1)
WITH_RESULTS: Final = only(*ORDER)


def latest(world: World) -> dict[int, Scan]:
    """Give the latest successful scan of each web application."""
    found: dict[int, Scan] = {}
    for each in world.scans:
        known = found.get(each.app.id)
        if each.results == "SUCCESSFUL" and (known is None or each.launched > known.launched):
            found[each.app.id] = each
    return found


def seen_by(world: World, one: Scan) -> set[tuple[Any, ...]]:
    return {
        (one.app.id, row.type, row.qid.qid, row.url, row.param)
        for row in world.findings_of(one.app)
        if row.first <= one.launched <= row.last
    }


def told(outcome: Outcome) -> set[tuple[Any, ...]]:
    return {
        (row["webApp"]["id"], row["type"], row["qid"], row["url"], row["param"])
        for row in outcome.records("findings")
        if row["type"] != "INFORMATION_GATHERED"
    }


def groups(outcome: Outcome) -> dict[int, str | None]:
    return {row["qid"]: row["group"] for row in outcome.records("knowledge_base")}


def without_information(rows: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    return {row for row in rows if row[1] != "INFORMATION_GATHERED"}


def test_findings_are_those_of_each_applications_latest_successful_scan() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here(REPORTS)
        world = platform.world
        scans = latest(world)
        expected = set[tuple[Any, ...]]().union(*(seen_by(world, one) for one in scans.values()))

    assert told(outcome) == without_information(expected)
    for row in outcome.records("findings"):
        launched = iso(scans[row["webApp"]["id"]].launched)
        assert row["lastDetectedDate"] == row["lastTestedDate"] == launched
        assert row["status"] == "ACTIVE"
    assert platform.requests["search/was/finding"] == platform.requests["count/was/finding"] == 0


def test_applications_without_such_a_scan_are_named_as_not_proven() -> None:
    with Platform(SIZE) as platform:
        proof = platform.sync_here(REPORTS).proof
        unproven = sorted(set(platform.world.apps) - set(latest(platform.world)))

    assert unproven
    assert proof["coverage"]["webApps"]["notProven"] == unproven
    assert proof["complete"] is True


def test_the_same_thing_has_the_same_id_whenever_and_in_whatever_report() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here(REPORTS)
        platform.clock.advance(DAY)
        app = next(iter(latest(platform.world).values())).app
        platform.world.finish_scan(platform.world.launch_scan(app))
        second = platform.sync_here({**REPORTS, "full_sync": True})

    ids = [{row["uniqueId"] for row in each.records("findings")} for each in (first, second)]
    assert len(first.records("findings")) == len(ids[0])
    assert ids[0] <= ids[1]


def test_each_sync_reads_all_reports_as_none_tells_what_has_changed() -> None:
    with Platform(SIZE) as platform:
        first = platform.sync_here(REPORTS)
        platform.clock.advance(2 * DAY)
        app = next(iter(latest(platform.world).values())).app
        platform.world.finish_scan(platform.world.launch_scan(app))
        before = platform.requests.copy()
        second = platform.sync_here(REPORTS, state=first.state)

    assert second.proof["mode"] == "full"
    assert told(first) <= told(second)
    assert (platform.requests - before)["download/was/wasscan"] == len(latest(platform.world))


def test_an_interrupted_read_of_reports_goes_on_with_the_next_one() -> None:
    with Platform(SIZE) as platform:
        whole = platform.sync_here(REPORTS)
        places = [
            (at, message["value"])
            for at, message in enumerate(whole.messages)
            if message["type"] == "STATE"
            and message["value"]["bookmarks"].get("findings", {}).get("resume")
        ]
        for at, state in places:
            rest = platform.sync_here(REPORTS, state=state)
            before = Outcome(0, "", whole.messages[:at])
            assert told(before) | told(rest) == told(whole)
            assert groups(rest) == groups(whole)
            assert rest.proof["complete"] is False

    assert len(places) > 3


def test_scan_results_hold_what_each_finished_scan_reported() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here(catalog=WITH_RESULTS)
        world = platform.world
        expected = {
            (one.id, *found[1:])
            for one in world.scans
            for found in without_information(seen_by(world, one))
        }

    asked = platform.requests["download/was/wasscan"]
    assert f"scan_results is selected, which takes {asked} calls to Qualys" in outcome.log
    rows = outcome.records("scan_results")
    assert {
        (row["scanId"], row["kind"], row["qid"], row["uri"], row["param"])
        for row in rows
        if row["kind"] != "INFORMATION_GATHERED"
    } == expected
    assert len({row["resultId"] for row in rows}) == len(rows)
    assert outcome.proof["complete"] is True


def test_scans_that_have_not_finished_are_read_when_they_have() -> None:
    with Platform(SIZE) as platform:
        app = next(iter(platform.world.apps.values()))
        running = platform.world.launch_scan(app)
        platform.world.add_finding(app, scan=running)
        first = platform.sync_here(catalog=WITH_RESULTS)
        platform.world.finish_scan(running)
        platform.clock.advance(DAY)
        second = platform.sync_here(state=first.state, catalog=WITH_RESULTS)

    assert running.id not in {row["scanId"] for row in first.records("scan_results")}
    assert running.id in {row["scanId"] for row in second.records("scan_results")}


def test_scan_results_are_fetched_next_time_when_a_run_ends_before_them() -> None:
    with Platform(SIZE, faults=["tap-error+0"]) as platform:
        with pytest.raises(errors.InvalidRequest) as raised:
            platform.sync_here(catalog=WITH_RESULTS)
        failed: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
        platform.face.faults.disarm()
        platform.clock.advance(3 * DAY)
        later = platform.sync_here(
            {"full_sync_every_days": 0}, state=failed.state, catalog=WITH_RESULTS
        )

    assert {row["scanId"] for row in later.records("scan_results")} == {
        one.id for one in platform.world.scans if seen_by(platform.world, one)
    }
