"""A ledger that is lost, old, foreign or somebody else's closes nothing wrongly."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.ciscovm.tenant.tenant import OTHER_CONNECTOR_ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pair.faults_seen.scene import Scene


def ledger(scene: Scene) -> Path:
    return scene.pair.home / f"ledger-{scene.sandbox.connector_id}.db"


def test_a_ledger_of_another_connector_is_refused_by_name(scene: Scene) -> None:
    shared = scene.home / "shared-ledger.db"
    scene.pair.settings["ledger_path"] = str(shared)
    before = scene.begun()
    scene.pair.settings["connector_id"] = OTHER_CONNECTOR_ID
    sent = scene.sandbox.ciscovm_requests["data_file"]

    refused = scene.sync(full_sync=True)

    assert (refused.exit_code, refused.outcome) == (2, "refused")
    assert str(shared) in refused.message
    assert str(scene.sandbox.connector_id) in refused.message
    assert scene.sandbox.ciscovm_requests["data_file"] == sent
    assert scene.held_open() == before


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"", id="empty"), pytest.param(b"no database" * 90, id="text")],
)
def test_a_file_that_is_no_ledger_is_named_and_kept(content: bytes, scene: Scene) -> None:
    before = scene.begun()
    ledger(scene).write_bytes(content)

    refused = scene.sync(full_sync=True)

    assert refused.exit_code
    assert str(ledger(scene)) in refused.message
    assert ledger(scene).read_bytes() == content
    assert scene.closings == []
    assert scene.held_open() == before


def test_without_a_ledger_nothing_that_is_open_is_closed(scene: Scene) -> None:
    scene.begun()
    scene.world.move_finding(scene.alone_on_its_page(), f"{scene.busiest_app().url}moved")
    ledger(scene).unlink()

    scene.sync(full_sync=True)

    assert scene.held_open() >= scene.shown_open()


def test_a_ledger_of_last_week_closes_nothing_that_came_since(scene: Scene) -> None:
    scene.begun()
    kept = scene.home / "kept.db"
    shutil.copy(ledger(scene), kept)
    for _ in range(3):
        scene.sandbox.next_day(turbulent=True)
        assert scene.sync().exit_code == 0
    shutil.copy(kept, ledger(scene))
    closed = list(scene.closings)

    scene.sync()
    healed = scene.sync(full_sync=True)

    assert healed.exit_code == 0
    assert scene.held_open() >= scene.shown_open()
    shown = scene.shown_open()
    assert not [way for way in scene.closings[len(closed) :] if way.split()[1] in shown]


def test_two_installations_for_one_connector_close_nothing_of_each_other(scene: Scene) -> None:
    one, other = (app for app in list(scene.world.apps.values())[:2])
    scene.pair.tap_settings = {"webapp_ids": [one.id]}
    second = scene.other_pair("second")
    second.tap_settings = {"webapp_ids": [other.id]}
    for row in scene.open_of(other):
        scene.world.move_finding(row, one.url)
    mine, theirs = scene.names(scene.open_of(one)), scene.names(scene.open_of(other))

    for _ in range(2):
        assert scene.sync(full_sync=True).exit_code == 0
        assert second.sync(full_sync=True).exit_code == 0

    assert scene.closings == []
    assert scene.held_open() == mine | theirs


def test_deleted_apps_are_closed_only_when_two_days_have_not_shown_them(scene: Scene) -> None:
    before = scene.begun()
    scene.pair.settings["close_deleted_webapps"] = True
    scene.sandbox.oracle.rules.closes_deleted_apps = True
    app = scene.busiest_app()
    theirs = scene.names(scene.open_of(app))
    scene.world.delete_app(app)

    assert scene.sync(full_sync=True).proven
    assert scene.held_open() == before
    scene.sandbox.next_day()
    scene.sandbox.next_day()
    assert scene.sync(full_sync=True).proven

    assert not theirs & scene.held_open()


def test_what_a_moved_finding_leaves_behind_is_closed_in_the_load_that_opens_it(
    scene: Scene,
) -> None:
    scene.begun()
    finding = scene.alone_on_its_page()
    page = f"{finding.app.url}moved"
    scene.world.move_finding(finding, page)
    scene.sandbox.faults.arm("run-fails")
    assert scene.sync(full_sync=True).exit_code == 1
    scene.sandbox.faults.disarm()
    assert scene.closings == []

    assert scene.sync(full_sync=True).exit_code == 0

    assert scene.places(finding) == {page}
    assert scene.closings == [f"explicit {scene.name(finding)}"]
