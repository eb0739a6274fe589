"""A load that goes on from a state needs everything that came before to be in CVM."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tests.pair.faults_seen.scene import opened
from tests.pair.together import asks_for_full_sync
from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pair.faults_seen.scene import Scene

FILES_ONLY = {"api_key": None, "connector_id": None}


def test_files_first_and_a_key_later_is_told_and_healed(scene: Scene) -> None:
    with_key = scene.pair.settings
    scene.pair.settings = with_key | FILES_ONLY
    assert scene.sync().exit_code == 0
    scene.sandbox.next_day()
    scene.pair.settings = with_key

    assert_told_and_healed(scene)


def test_a_new_connector_with_an_old_state_is_told_and_healed(scene: Scene) -> None:
    own = scene.pair.settings
    scene.pair.settings = own | {"connector_id": OTHER_CONNECTOR_ID}
    assert scene.sync().exit_code == 0
    scene.sandbox.next_day()
    scene.pair.settings = own

    assert_told_and_healed(scene)


def test_a_start_date_is_no_reason_to_fail_every_night(scene: Scene) -> None:
    """A sync from a start date on is never full, so it is as good as one."""
    scene.pair.tap_settings["start_date"] = "2020-01-01"
    own = scene.pair.settings
    scene.pair.settings = own | {"connector_id": OTHER_CONNECTOR_ID}
    assert scene.sync().exit_code == 0
    scene.sandbox.next_day()
    scene.pair.settings = own

    nights = [scene.sync() for _ in range(3)]

    assert [one.outcome for one in nights] == ["failed", "succeeded", "succeeded"]
    assert not asks_for_full_sync(scene.pair.state)


def test_a_state_of_another_installation_is_told_and_healed(scene: Scene) -> None:
    other = scene.other_pair("other", connector_id=OTHER_CONNECTOR_ID)
    assert other.sync().exit_code == 0
    scene.sandbox.next_day()
    scene.pair.state = copy.deepcopy(other.state)

    assert_told_and_healed(scene)


def assert_told_and_healed(scene: Scene) -> None:
    """Hold that the next two syncs load what came, ask for a full sync, and carry that out."""
    told = scene.sync()

    assert scene.held_open(), "what came is loaded"
    assert (told.exit_code, told.outcome) == (1, "failed")
    assert asks_for_full_sync(scene.pair.state)
    healed = scene.sync()
    assert (healed.exit_code, healed.outcome, healed.proven) == (0, "succeeded", True)
    assert scene.held_open() == scene.shown_open()
    assert not asks_for_full_sync(scene.pair.state)


def test_an_older_state_only_repeats(scene: Scene) -> None:
    scene.begun()
    older = copy.deepcopy(scene.pair.state)
    scene.sandbox.next_day()
    assert scene.sync().exit_code == 0
    scene.sandbox.next_day()
    scene.pair.state = older

    again = scene.sync()

    assert (again.exit_code, again.outcome) == (0, "succeeded")
    assert scene.held_open() >= scene.shown_open()


def test_an_older_load_after_a_newer_one_closes_nothing_that_was_found_again(scene: Scene) -> None:
    scene.begun()
    finding = scene.alone_on_its_page()
    scene.world.fix_finding(finding)
    older = lines_of(scene)
    scene.sandbox.next_day()
    scene.world.reopen_finding(finding)
    assert scene.sync().exit_code == 0

    scene.pair.load(older)

    assert scene.name(finding) in scene.held_open()


def test_an_older_load_after_a_newer_one_moves_nothing_back(scene: Scene) -> None:
    scene.begun()
    finding = scene.alone_on_its_page()
    page = f"{finding.app.url}moved"
    older = lines_of(scene, full_sync=True)
    scene.sandbox.next_day()
    scene.world.move_finding(finding, page)
    assert scene.sync(full_sync=True).proven
    assert scene.places(finding) == {page}

    scene.pair.load(older)

    assert scene.places(finding) >= {page}
    assert scene.sync(full_sync=True).proven
    assert scene.places(finding) == {page}


def test_an_older_full_load_closes_nothing_that_came_after_it(scene: Scene) -> None:
    scene.begun()
    older = lines_of(scene, full_sync=True)
    scene.sandbox.next_day()
    added = scene.world.add_finding(scene.busiest_app())
    assert scene.sync().exit_code == 0
    before = scene.held_open()
    assert scene.name(added) in before

    scene.pair.load(older)

    assert scene.held_open() >= before & scene.shown_open()


def lines_of(scene: Scene, **tap_settings: object) -> bytes:
    """Read once more without loading it, as a schedule does whose load waits."""
    assert scene.pair.read(**tap_settings) == 0
    return scene.pair.written


def test_a_row_that_an_incremental_sync_loses_on_the_way_is_told_and_healed(scene: Scene) -> None:
    scene.begun()
    scene.sandbox.next_day()
    added = scene.world.add_finding(scene.busiest_app())
    name = scene.name(added).encode()

    def lose(lines: bytes) -> bytes:
        return b"".join(row for row in lines.splitlines(keepends=True) if name not in row)

    told = scene.pair.sync(lose)

    assert (told.exit_code, told.outcome) == (1, "failed")
    assert asks_for_full_sync(scene.pair.state)
    assert scene.sync().exit_code == 0
    assert scene.name(added) in scene.held_open()
    assert not asks_for_full_sync(scene.pair.state)


def test_a_row_that_a_mapper_alters_is_told_though_the_number_agrees(scene: Scene) -> None:
    before = scene.begun()
    name = scene.name(scene.alone_on_its_page()).encode()

    def alter(lines: bytes) -> bytes:
        return lines.replace(name, b"00000000" + name[8:])

    told = scene.pair.sync(alter, full_sync=True)

    assert scene.closings == []
    assert scene.held_open() >= before
    assert (told.exit_code, told.outcome) == (1, "failed")
    assert asks_for_full_sync(scene.pair.state)


def test_a_stream_map_of_the_target_that_takes_all_findings_is_told(scene: Scene) -> None:
    scene.begun()
    scene.sandbox.next_day()
    added = scene.world.add_finding(scene.busiest_app())
    scene.pair.settings["stream_maps"] = {"findings": {"__alias__": "was_findings"}}

    told = scene.sync()
    del scene.pair.settings["stream_maps"]

    assert (told.exit_code, told.outcome) == (1, "failed")
    assert asks_for_full_sync(scene.pair.state)
    assert scene.sync().exit_code == 0
    assert scene.name(added) in scene.held_open()


def test_a_stream_map_of_the_target_that_filters_closes_nothing_as_gone(scene: Scene) -> None:
    before = scene.begun()
    scene.pair.settings["stream_maps"] = {"findings": {"__filter__": "severity >= 3"}}

    mapped = scene.sync(full_sync=True)

    assert mapped.exit_code == 0
    assert scene.closings == []
    assert scene.held_open() == before


def test_a_load_that_lost_its_state_alone_is_no_gap(tmp_path: Path) -> None:
    with opened(tmp_path) as scene:
        scene.begun()
        state = copy.deepcopy(scene.pair.state)
        scene.sandbox.next_day()
        assert scene.sync().exit_code == 0
        scene.pair.state = state  # nobody kept the newer one
        scene.sandbox.next_day()

        again = scene.sync()

        assert (again.exit_code, again.outcome) == (0, "succeeded")


def test_a_fix_closes_a_finding_at_every_place_where_it_is_open(scene: Scene) -> None:
    scene.begun()
    finding = scene.alone_on_its_page()
    scene.world.move_finding(finding, f"{finding.app.url}moved")
    finding.tested = scene.world.moment()  # it was tested there, so an incremental sync reads it
    assert scene.sync().exit_code == 0
    scene.world.fix_finding(finding)

    assert scene.sync().exit_code == 0

    assert scene.places(finding) == set()


def test_too_long_without_a_proven_load_is_told(scene: Scene) -> None:
    scene.begun()
    scene.pair.settings["max_days_unproven"] = 3
    scene.pair.tap_settings["full_sync_every_days"] = 0
    codes = []
    for _ in range(5):
        scene.sandbox.next_day()
        codes.append(scene.sync().exit_code)

    assert (codes[:2], codes[3:]) == ([0, 0], [1, 1])
