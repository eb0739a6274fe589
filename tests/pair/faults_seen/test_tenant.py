"""What CVM is like, and what others do in it, closes nothing of ours and nothing of theirs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.pair.faults_seen.scene import opened
from tests.pair.together import asks_for_full_sync
from tests.sandbox_tests.loads import document, vuln

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pair.faults_seen.scene import Scene
    from tests.sandbox.ciscovm.tenant.view import Held

ORDERS = ["application", "external_id"]


def test_every_file_declines_the_offer_to_close_what_it_lacks(scene: Scene) -> None:
    scene.begun()
    scene.world.delete_finding(scene.alone_on_its_page())
    scene.world.fix_finding(next(one for one in scene.on_a_page() if one.open))
    scene.sync(full_sync=True)
    scene.sandbox.next_day(turbulent=True)
    scene.sync()

    assert scene.closings
    assert {way.split()[0] for way in scene.closings} == {"explicit"}
    assert all(one["skip_autoclose"] is True for one in scene.documents())


@pytest.mark.parametrize("first", ORDERS)
def test_another_locator_order_of_the_tenant_closes_nothing(first: str, tmp_path: Path) -> None:
    with opened(tmp_path, locator_order=(first,), autoclose_scope="file") as scene:
        scene.pair.settings["part_max_bytes"] = 2000
        scene.sync()
        scene.sync(full_sync=True)

        assert scene.closings == []
        assert scene.held_open() == scene.shown_open()


@pytest.mark.parametrize("first", ORDERS)
def test_a_move_within_an_asset_of_the_tenant_keeps_the_finding_open(
    first: str, tmp_path: Path
) -> None:
    with opened(tmp_path, locator_order=(first,)) as scene:
        scene.sync()
        for finding in scene.on_a_page()[:6]:
            page = finding.app.url + ("a" if finding.id % 2 else "z")
            scene.world.move_finding(finding, page)

        scene.sync(full_sync=True)

        assert scene.held_open() == scene.shown_open()


def test_pages_that_cvm_takes_for_one_close_nothing_of_each_other(tmp_path: Path) -> None:
    with opened(tmp_path, url_case="insensitive", autoclose_scope="file") as scene:
        scene.pair.settings["part_max_bytes"] = 2000
        app = scene.busiest_app()
        for place, row in enumerate(one for one in scene.open_of(app) if one.url):
            scene.world.move_finding(row, f"{app.url}{('login', 'Login')[place % 2]}")

        scene.sync()
        scene.sync(full_sync=True)

        assert scene.held_open() == scene.shown_open()
        assert scene.closings == []


def test_a_move_between_pages_that_cvm_takes_for_one_keeps_the_finding_open(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, url_case="insensitive") as scene:
        finding = scene.alone_on_its_page()
        scene.world.move_finding(finding, f"{finding.app.url}login")
        scene.begun()
        scene.world.move_finding(finding, f"{finding.app.url}Login")

        scene.sync(full_sync=True)

        assert scene.held_open() == scene.shown_open()


def test_a_qid_with_a_new_title_leaves_no_second_entry_behind(tmp_path: Path) -> None:
    with opened(tmp_path, name_in_identity=True) as scene:
        scene.begun()
        for qid in scene.world.qids:
            scene.world.retitle(qid, f"{qid.title} (revised)")

        assert scene.sync(full_sync=True).exit_code == 0

        assert scene.closings == []
        keys = [(one.asset_id, one.scanner_identifier) for one in scene.held() if one.is_open]
        assert len(keys) == len(set(keys))


def test_what_is_gone_is_closed_by_the_name_that_it_was_opened_with(tmp_path: Path) -> None:
    with opened(tmp_path, name_in_identity=True) as scene:
        scene.begun()
        gone, fixed = scene.on_a_page()[:2]
        for qid in (gone.qid, fixed.qid):
            scene.world.retitle(qid, f"{qid.title} (revised)")
        scene.world.delete_finding(gone)
        scene.world.fix_finding(fixed)

        assert scene.sync(full_sync=True).exit_code == 0

        assert scene.held_open() == scene.shown_open()


def test_over_the_licence_limit_a_move_closes_nothing(scene: Scene) -> None:
    scene.begun()
    finding = scene.alone_on_its_page()
    page = f"{finding.app.url}moved"
    scene.world.move_finding(finding, page)
    scene.sandbox.faults.arm("ciscovm-overage")

    for _ in range(2):
        scene.sync(full_sync=True)
        assert scene.closings == []
        assert scene.name(finding) in scene.held_open()
    scene.sandbox.faults.disarm()
    ended = scene.sync()
    assert asks_for_full_sync(scene.pair.state), ended
    assert scene.sync().exit_code == 0

    assert scene.places(finding) == {page}
    assert scene.held_open() == scene.shown_open()


def test_a_rejected_row_holds_its_own_entry_and_no_other(scene: Scene) -> None:
    before = scene.begun()
    rejected, gone = scene.together_on_a_page()
    scene.world.delete_finding(gone)
    scene.pair.settings["max_failed_percent"] = "50"

    def spoil(lines: bytes) -> bytes:
        return spoilt_row(lines, scene.name(rejected), qid="no number")

    synced = scene.pair.sync(spoil, full_sync=True)

    assert synced.exit_code == 0
    assert scene.held_open() == before - {scene.name(gone)}


def test_a_move_to_an_asset_too_large_for_cvm_leaves_the_finding_where_it_was(
    tmp_path: Path,
) -> None:
    with opened(tmp_path, apps=1, max_file_bytes=8000) as scene:
        scene.pair.settings["max_failed_percent"] = "100"
        (app,) = scene.world.apps.values()
        rows = scene.on_a_page()
        for row in [one for one in scene.world.all_findings() if one.url is None]:
            scene.world.delete_finding(row)
        for place, row in enumerate(rows):
            scene.world.move_finding(row, f"{app.url}page{place // 3}")
        scene.begun()
        moving, others = rows[0], rows[3:]
        for row in [moving, *others]:
            scene.world.move_finding(row, f"{app.url}crowded")
        held = scene.places(moving)

        scene.sync(full_sync=True)

        assert scene.places(moving) == held
        for row in others:
            scene.world.delete_finding(row)
        scene.sync(full_sync=True)
        assert scene.places(moving) == {f"{app.url}crowded"}


def test_reset_tags_wipes_no_asset_whose_tags_did_not_all_come(scene: Scene) -> None:
    scene.begun()
    finding = scene.alone_on_its_page()
    (held,) = (one for one in scene.held() if one.scanner_identifier.endswith(scene.name(finding)))
    scene.sandbox.tenant.people.tag(held.asset_id, "set by hand")
    scene.pair.settings["reset_tags"] = True
    scene.pair.settings["max_failed_percent"] = "50"

    def without_app(lines: bytes) -> bytes:
        return spoilt_row(lines, scene.name(finding), webApp=None)

    scene.pair.sync(without_app, full_sync=True)

    tags = scene.sandbox.tenant.state.assets[held.asset_id].tags
    assert set(tags) >= set(held.tags) | {"set by hand"}


def test_what_another_loader_opened_on_our_assets_stays_open(scene: Scene) -> None:
    before = scene.begun()
    ours = next(one for one in scene.held() if one.is_open)
    load_by_hand(scene, ours, vuln("theirs", scanner_type="Other scanner"))

    scene.sync(full_sync=True)

    assert scene.closings == []
    assert scene.held_open() == before | {"theirs"}


def test_what_another_loader_closed_is_open_again_after_the_next_full_sync(scene: Scene) -> None:
    before = scene.begun()
    ours = next(one for one in scene.held() if one.is_open)
    close_by_hand(scene, ours)
    assert scene.held_open() < before

    assert scene.sync(full_sync=True).exit_code == 0

    assert scene.held_open() == before


def test_another_loader_that_runs_between_our_upload_and_our_run_closes_nothing(
    scene: Scene,
) -> None:
    before = scene.begun()
    ours = next(one for one in scene.held() if one.is_open)

    def another_loader(_: bytes) -> None:
        load_by_hand(scene, ours, vuln("theirs", scanner_type="Other scanner"))

    synced = scene.pair.sync(meanwhile=another_loader, full_sync=True)

    assert synced.exit_code == 0
    assert scene.held_open() == before | {"theirs"}


def test_a_load_of_which_cvm_processed_nothing_fails_and_is_sent_again(scene: Scene) -> None:
    scene.sandbox.faults.arm("payloads-fail")
    told = scene.sync()
    assert (told.exit_code, told.outcome) == (1, "failed")
    scene.sandbox.faults.disarm()

    for _ in range(2):
        last = scene.sync()

    assert last.exit_code == 0
    assert scene.held_open() == scene.shown_open()


def spoilt_row(lines: bytes, name: str, **changes: object) -> bytes:
    """Change one finding's row on its way from tap to target."""
    rows = lines.splitlines(keepends=True)
    for place, row in enumerate(rows):
        if name.encode() in row and b'"RECORD"' in row:
            message: dict[str, Any] = json.loads(row)
            message["record"] |= changes
            rows[place] = json.dumps(message).encode() + b"\n"
    return b"".join(rows)


def load_by_hand(scene: Scene, where: Held, *vulns: dict[str, Any]) -> None:
    """Load vulnerabilities on an asset of ours into our connector, as a stranger's script would."""
    tenant, number = scene.sandbox.tenant, scene.sandbox.connector_id
    whole = document({**where.locators, "vulns": list(vulns)}, skip_autoclose=True)
    file = tenant.upload(number, json.dumps(whole).encode())
    tenant.begin(number, [file.id])
    tenant.settle()


def close_by_hand(scene: Scene, ours: Held) -> None:
    """Close an entry of ours in our connector, as a stranger's script would."""
    said = vuln(ours.name, scanner_identifier=ours.scanner_identifier, status="closed")
    load_by_hand(scene, ours, said | {"closed_at": "2026-03-01T00:00:00Z"})
