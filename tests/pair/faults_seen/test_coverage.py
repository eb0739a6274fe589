"""What a sync has not read is not gone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.pair.together import asks_for_full_sync
from tests.sandbox.oracle.sight import place_by_url
from tests.sandbox.world.model import FINDING_TYPES
from tests.tap.catalogs import without

if TYPE_CHECKING:
    from tests.pair.faults_seen.scene import Scene
    from tests.sandbox.world.model import WebApp

FEWER_TYPES = list(FINDING_TYPES[:2])
A_FILTER = {"findings": {"__filter__": "severity >= 3"}}
TWO_STREAMS = {
    "findings_high": {"__source__": "findings", "__filter__": "severity >= 4"},
    "findings": {"__filter__": "severity < 4"},
}


def test_finding_types_that_are_no_longer_read_stay_open(scene: Scene) -> None:
    before = scene.begun()

    narrowed = scene.sync(finding_types=FEWER_TYPES)

    assert (narrowed.exit_code, narrowed.outcome) == (0, "succeeded")
    assert scene.closings == []
    assert scene.held_open() == before


def test_what_is_gone_among_the_types_that_are_read_is_closed(scene: Scene) -> None:
    scene.begun()
    gone = scene.alone_on_its_page()
    scene.world.delete_finding(gone)

    scene.sync(finding_types=FEWER_TYPES)

    assert scene.closings == [f"explicit {scene.name(gone)}"]


@pytest.mark.parametrize("maps", [A_FILTER, TWO_STREAMS], ids=["filter", "source"])
def test_what_a_stream_map_of_the_tap_takes_away_stays_open(
    maps: dict[str, object], scene: Scene
) -> None:
    before = scene.begun()

    mapped = scene.sync(full_sync=True, stream_maps=maps)

    assert scene.closings == []
    assert scene.held_open() == before
    assert (mapped.exit_code, mapped.outcome) == (1, "failed")
    assert asks_for_full_sync(scene.pair.state)


def test_rows_dropped_on_purpose_let_the_load_go_on_and_close_nothing(scene: Scene) -> None:
    before = scene.begun()
    scene.world.delete_finding(scene.alone_on_its_page())
    scene.pair.settings["allow_dropped_records"] = True

    mapped = scene.sync(full_sync=True, stream_maps=A_FILTER)

    assert scene.closings == []
    assert scene.held_open() == before
    assert mapped.exit_code == 0
    assert not asks_for_full_sync(scene.pair.state)


@pytest.mark.parametrize("name", [pytest.param("url"), "webApp", "status", "type"])
def test_a_property_that_is_not_selected_closes_and_moves_nothing(name: str, scene: Scene) -> None:
    scene.begun()
    before = {(one.scanner_identifier, one.asset_id) for one in scene.held() if one.is_open}
    scene.pair.catalog = without("findings", name)

    scene.sync(full_sync=True)

    assert scene.closings == []
    assert before <= {(one.scanner_identifier, one.asset_id) for one in scene.held() if one.is_open}


def test_the_proof_says_that_a_property_is_missing(scene: Scene) -> None:
    scene.pair.catalog = without("findings", "url")

    assert scene.pair.read() == 0

    rows = [json.loads(line) for line in scene.pair.written.splitlines()]
    (proof,) = (row["record"] for row in rows if row.get("stream") == "syncs" and "record" in row)
    assert proof["complete"] is False
    assert any("url" in reason for reason in proof["incompleteReasons"])


def test_one_app_that_leaves_while_another_comes_closes_nothing(scene: Scene) -> None:
    before = scene.begun()
    scene.sandbox.faults.arm("apps-change")

    synced = scene.sync(full_sync=True)

    assert scene.sandbox.faults.struck["apps-change"]
    assert synced.exit_code == 0
    assert scene.closings == []
    assert scene.held_open() >= before


def test_what_is_gone_from_the_other_apps_is_closed_all_the_same(scene: Scene) -> None:
    scene.begun()
    busiest = scene.busiest_app()
    gone = next(one for one in scene.open_of(busiest) if one.url)
    scene.world.delete_finding(gone)
    scene.sandbox.faults.arm("apps-change")

    scene.sync(full_sync=True)

    assert busiest.id in scene.world.apps
    assert scene.closings == [f"explicit {scene.name(gone)}"]


def test_a_sync_of_one_app_closes_nothing_of_others_on_its_pages(scene: Scene) -> None:
    one, other = share_pages(scene)
    before = scene.begun()
    scene.world.delete_finding(next(row for row in scene.open_of(other) if row.url))

    scene.sync(webapp_ids=[one])

    assert scene.closings == []
    assert scene.held_open() == before


def test_without_a_ledger_a_sync_of_one_app_closes_nothing_of_others_on_its_pages(
    scene: Scene,
) -> None:
    one, _ = share_pages(scene)
    before = scene.begun()
    for path in scene.pair.home.glob("ledger-*.db"):
        path.unlink()

    scene.sync(webapp_ids=[one])

    assert scene.closings == []
    assert scene.held_open() == before


@pytest.mark.parametrize("words", [False, True], ids=["id", "name"])
def test_apps_that_lose_the_tag_that_is_asked_for_keep_their_findings_open(
    words: bool, scene: Scene
) -> None:
    tag, app = scene.world.tags[0], scene.busiest_app()
    for each in scene.world.apps.values():
        scene.world.tag_app(each, [tag])
    by_name, by_id = {"webapp_tags": [tag.name]}, {"webapp_tag_ids": [tag.id]}
    scene.pair.tap_settings = by_name if words else by_id
    before = scene.begun()
    scene.world.tag_app(app, [])

    scene.sync(full_sync=True)

    assert scene.closings == []
    assert scene.held_open() == before


def test_apps_that_get_a_tag_that_is_left_out_keep_their_findings_open(scene: Scene) -> None:
    left_out, app = scene.world.tags[0], scene.busiest_app()
    for each in scene.world.apps.values():
        scene.world.tag_app(each, [scene.world.tags[1]])
    scene.pair.tap_settings = {"webapp_tags_exclude": [left_out.name]}
    before = scene.begun()
    scene.world.tag_app(app, [left_out])
    gone = next(
        one for one in scene.world.all_findings() if one.open and one.app is not app and one.url
    )
    scene.world.delete_finding(gone)

    synced = scene.sync(full_sync=True)

    assert synced.exit_code == 0
    assert [line for line in scene.closings if scene.name(gone) not in line] == []
    assert scene.held_open() >= before - {scene.name(gone)}


def test_a_start_date_that_is_set_later_closes_nothing(scene: Scene) -> None:
    before = scene.begun()
    scene.pair.state = {}

    scene.sync(start_date=f"{scene.sandbox.clock.now():%Y-%m-%dT00:00:00Z}")

    assert scene.closings == []
    assert scene.held_open() == before


def share_pages(scene: Scene) -> tuple[int, WebApp]:
    """Let findings of two web apps lie on the same page; give the first's id and the other one."""
    one, other = sorted(scene.world.apps.values(), key=lambda app: -len(scene.open_of(app)))[:2]
    page = next(place_by_url(row) for row in scene.open_of(one) if row.url)
    for row in scene.open_of(other):
        scene.world.move_finding(row, page)
    return one.id, other
