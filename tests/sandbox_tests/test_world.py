"""The sandbox's world goes on day by day, the same way from the same seed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.clock import START, Clock
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World
from tests.sandbox_tests.qualys.asking import Asker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.world.model import Finding

DAY = timedelta(days=1)


def world(*, turbulent: bool = False, seed: int = 3) -> World:
    return World(WorldSize(apps=12, findings=300, seed=seed, turbulent=turbulent), Clock())


def pass_days(world: World, days: int, *, turbulent: bool = False) -> None:
    for _ in range(days):
        world.clock.set(START + DAY * (world.day + 1))
        world.next_day(turbulent=turbulent)


def picture(world: World) -> list[tuple[object, ...]]:
    return [
        (
            world.unique_id(one),
            one.type,
            one.app.name,
            one.url,
            one.status,
            one.severity,
            one.first,
            one.tested,
            one.fixed,
            one.ignored is None,
        )
        for one in world.all_findings()
    ]


@pytest.mark.parametrize("turbulent", [False, True])
def test_the_same_seed_gives_the_same_world_on_every_day(turbulent: bool) -> None:
    first, second = world(turbulent=turbulent), world(turbulent=turbulent)
    for _ in range(6):
        assert picture(first) == picture(second)
        for one in (first, second):
            pass_days(one, 1, turbulent=turbulent)


def test_another_seed_gives_another_world() -> None:
    assert picture(world(seed=3)) != picture(world(seed=4))


def test_a_world_has_the_size_that_was_asked_for() -> None:
    made = World(WorldSize(apps=7, findings=90, scans=20, qids=30, seed=1), Clock())
    assert len(made.apps) == 7
    assert len(list(made.all_findings())) == 90
    assert len(made.scans) == 20
    assert len(made.qids) == 30


def test_each_day_something_appears_is_fixed_and_tested_again() -> None:
    here = world()
    for day in range(1, 8):
        before = {here.unique_id(one): (one.status, one.tested) for one in here.all_findings()}
        pass_days(here, 1)
        after = {here.unique_id(one): one for one in here.all_findings()}
        assert here.day == day
        assert after.keys() - before.keys()
        assert before.keys() <= after.keys()
        changed = [uid for uid in before if before[uid] != (after[uid].status, after[uid].tested)]
        assert changed
        assert all(before[uid][1] < after[uid].tested <= here.moment() for uid in changed)


def test_findings_are_fixed_and_reopen_within_a_week() -> None:
    here = world()
    start = {here.unique_id(one): one.status for one in here.all_findings()}
    pass_days(here, 7)
    turns = {(start.get(here.unique_id(one)), one.status) for one in here.all_findings()}
    assert ("ACTIVE", "FIXED") in turns
    assert any(old == "FIXED" and new in {"REOPENED", "ACTIVE"} for old, new in turns)
    assert any(old is None for old, _ in turns)


def test_quiet_days_delete_and_edit_nothing() -> None:
    here = world()
    start = {here.unique_id(one): one.severity for one in here.all_findings()}
    names = {app.id: app.name for app in here.apps.values()}
    pass_days(here, 10)
    now = {here.unique_id(one): one.severity for one in here.all_findings()}
    assert {uid: now[uid] for uid in start} == start
    assert {app.id: app.name for app in here.apps.values()} == names


def test_turbulent_days_bring_all_that_people_and_chance_do() -> None:
    here = world(turbulent=True)
    start = {here.unique_id(one): one for one in here.all_findings()}
    names = {app.id: app.name for app in here.apps.values()}
    titles = [one.title for one in here.qids]
    pass_days(here, 25, turbulent=True)
    now = {here.unique_id(one): one for one in here.all_findings()}
    assert start.keys() - now.keys(), "deleted"
    assert [one for one in now.values() if one.ignored], "ignored"
    assert [one for one in now.values() if one.edited], "edited"
    assert [one for one in now.values() if one.status == "PROTECTED"], "protected"
    assert titles != [one.title for one in here.qids], "retitled"
    assert names != {app.id: app.name for app in here.apps.values()}, "renamed, new or deleted"
    assert {"CANCELED", "ERROR", "FINISHED"} <= {scan.status for scan in here.scans}
    assert {"CANCELED_WITH_RESULTS", "SUCCESSFUL"} <= {scan.results for scan in here.scans}


def some(world: World) -> Finding:
    return next(one for one in world.all_findings() if one.status == "ACTIVE")


def test_a_scan_shows_nothing_before_it_ends() -> None:
    here = world()
    one = some(here)
    count = len(list(here.all_findings()))
    scan = here.launch_scan(one.app)
    here.add_finding(one.app, scan=scan)
    here.fix_finding(one, scan)
    here.finish_scan(scan, "PROCESSING")
    assert (one.status, len(list(here.all_findings()))) == ("ACTIVE", count)
    here.finish_scan(scan)
    assert (one.status, len(list(here.all_findings()))) == ("FIXED", count + 1)


@pytest.mark.parametrize(("with_results", "news"), [(True, 1), (False, 0)])
def test_a_cancelled_scan_fixes_nothing(with_results: bool, news: int) -> None:
    here = world()
    one = some(here)
    count = len(list(here.all_findings()))
    scan = here.launch_scan(one.app)
    here.add_finding(one.app, scan=scan)
    here.fix_finding(one, scan)
    here.cancel_scan(scan, with_results=with_results)
    assert (one.status, len(list(here.all_findings()))) == ("ACTIVE", count + news)


def test_a_world_is_saved_and_goes_on_the_same_way(tmp_path: Path) -> None:
    here = world(turbulent=True)
    pass_days(here, 2, turbulent=True)
    here.save(tmp_path / "world")
    clock = Clock()
    again = World.load(tmp_path / "world", clock)
    for one in (here, again):
        pass_days(one, 3, turbulent=True)
    assert picture(again) == picture(here)


def test_http_shows_the_day_that_it_is() -> None:
    with Sandbox(apps=5, findings=60, seed=2) as sandbox:
        asker = Asker(sandbox)
        first = asker.count("finding")
        dates = [asker.get("count/was/webapp").response.headers["Date"][:16]]
        sandbox.next_day()
        dates.append(asker.get("count/was/webapp").response.headers["Date"][:16])
        assert dates == ["Mon, 02 Mar 2026", "Tue, 03 Mar 2026"]
        assert asker.count("finding") == len(list(sandbox.world.all_findings())) > first
        recent = ("lastTestedDate", "GREATER", "2026-03-02T00:00:00Z")
        assert 0 < asker.count("finding", recent) < asker.count("finding")


def ids_of(world: World) -> dict[str, set[int]]:
    return {kind: {row.id for row in rows} for kind, rows in world.findings.items()}


@pytest.mark.parametrize("seed", range(4))
def test_ids_of_the_types_lie_apart_but_for_a_few(seed: int) -> None:
    one = World(WorldSize(apps=12, findings=600, seed=seed), Clock())
    ids = ids_of(one)
    others = ids["SENSITIVE_CONTENT"] | ids["INFORMATION_GATHERED"]
    assert len(ids["VULNERABILITY"] & others) == 6
    assert not ids["SENSITIVE_CONTENT"] & ids["INFORMATION_GATHERED"]
    assert max(set.union(*ids.values())) < 2**53
    assert all(rows == sorted(rows, key=lambda row: row.id) for rows in one.findings.values())


def test_ids_of_the_types_may_overlap_or_be_shared_and_be_huge() -> None:
    sizes = [
        WorldSize(apps=12, findings=600, seed=3, id_sequences=kind, huge_ids=True)
        for kind in ("overlapping", "shared")
    ]
    overlapping, shared = (ids_of(World(size, Clock())) for size in sizes)
    alike = overlapping["INFORMATION_GATHERED"] & overlapping["VULNERABILITY"]
    assert len(alike) > len(overlapping["INFORMATION_GATHERED"]) / 3
    assert sum(map(len, shared.values())) == len(set.union(*shared.values()))
    assert max(alike) > 2**53 > min(alike)
