"""One connector, several accounts: each is covered by its own syncs only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pair.faults_seen.scene import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pair.faults_seen.scene import Scene
    from tests.sandbox.world.world import World


def test_two_accounts_in_one_connector_close_nothing_of_each_other(scene: Scene) -> None:
    ours = scene.begun()
    first = scene.pair
    second = scene.other_pair("second", ledger_path=ledger_of(scene))
    with scene.other_account() as (world, login):
        second.tap_settings = login
        theirs = scene.shown_open(world)

        synced = second.sync()
        again = first.sync(full_sync=True)
        once_more = second.sync(full_sync=True)

    assert [one.exit_code for one in (synced, again, once_more)] == [0, 0, 0]
    assert scene.closings == []
    assert scene.held_open() == ours | theirs


def test_two_accounts_in_one_connector_close_what_is_gone_of_their_own(scene: Scene) -> None:
    scene.begun()
    first = scene.pair
    second = scene.other_pair("second", ledger_path=ledger_of(scene))
    with scene.other_account() as (world, login):
        second.tap_settings = login
        assert second.sync().exit_code == 0
        mine = scene.alone_on_its_page()
        scene.world.delete_finding(mine)
        theirs = next(one for one in world.all_findings() if one.open and one.url)
        name = world.unique_id(theirs)
        world.delete_finding(theirs)

        first.sync(full_sync=True)
        closed_first = list(scene.closings)
        second.sync(full_sync=True)

    assert closed_first == [f"explicit {scene.name(mine)}"]
    assert scene.closings == [*closed_first, f"explicit {name}"]


def test_two_accounts_in_one_connector_have_a_chain_each(scene: Scene) -> None:
    scene.begun()
    first = scene.pair
    second = scene.other_pair("second", ledger_path=ledger_of(scene))
    with scene.other_account() as (world, login):
        second.tap_settings = login
        assert second.sync().exit_code == 0
        scene.sandbox.next_day()
        mine, theirs = add_to(scene.world), add_to(world)

        nightly = [first.sync(), second.sync(), first.sync(), second.sync()]

    assert [(one.exit_code, one.outcome) for one in nightly] == [(0, "succeeded")] * 4
    assert scene.held_open() >= {mine, theirs}


def add_to(world: World) -> str:
    """Let something be found today, and give its name."""
    return world.unique_id(world.add_finding(next(iter(world.apps.values()))))


def test_another_account_with_the_state_of_the_first_is_read_whole(scene: Scene) -> None:
    ours = scene.begun()
    with scene.other_account() as (world, login):
        theirs = scene.shown_open(world)
        scene.pair.tap_settings = login

        synced = scene.sync()
        if synced.exit_code:
            synced = scene.sync()

    assert synced.exit_code == 0
    assert scene.closings == []
    assert scene.held_open() == ours | theirs


def test_a_proxy_that_strips_the_subscription_stops_no_closing(scene: Scene) -> None:
    scene.begun()
    gone = scene.alone_on_its_page()
    scene.world.delete_finding(gone)
    scene.strip_subscription()

    assert scene.sync(full_sync=True).exit_code == 0

    assert scene.closings == [f"explicit {scene.name(gone)}"]


def test_a_subscription_that_is_named_from_one_day_on_stops_no_closing(tmp_path: Path) -> None:
    with opened(tmp_path, subscription_header=False) as scene:
        scene.begun()
        gone = scene.alone_on_its_page()
        scene.world.delete_finding(gone)
        scene.name_subscription()

        assert scene.sync(full_sync=True).exit_code == 0

        assert scene.closings == [f"explicit {scene.name(gone)}"]


def test_another_source_of_findings_is_an_identity_change(scene: Scene) -> None:
    before = scene.begun()
    sent = scene.sandbox.ciscovm_requests["data_file"]

    refused = scene.sync(source="scan_reports")

    assert (refused.exit_code, refused.outcome) == (2, "refused")
    assert scene.sandbox.ciscovm_requests["data_file"] == sent
    assert scene.closings == []
    assert scene.held_open() == before


def ledger_of(scene: Scene) -> str:
    """Give the ledger that a pair keeps by itself."""
    return f"{scene.pair.home}/ledger-{scene.sandbox.connector_id}.db"
