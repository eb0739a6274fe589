"""Sequences that the weeks once found to go wrong, each on its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.pair.together import Pair, open_sandbox
from tests.pair.weeks_reading import MAPS
from tests.sandbox.ciscovm.kdi.locators import order_of
from tests.sandbox.oracle.sight import place_by_url
from tests.sandbox.sandbox import DAY
from tests.tap.catalogs import without

if TYPE_CHECKING:
    from pathlib import Path


def accept(pair: Pair, **settings: object) -> None:
    """Change settings that make what is known anew, and accept that by the code of the change."""
    pair.settings |= settings
    assert pair.sync(full_sync=True).exit_code == 2
    found = re.search(r"accept_identity_change to (\w+)", pair.report["message"])
    assert found, pair.report
    pair.settings |= {"accept_identity_change": found[1]}


def test_an_identity_change_goes_through_after_an_interrupted_sync(tmp_path: Path) -> None:
    with open_sandbox(apps=3, findings=40, seed=3) as sandbox:
        pair = Pair(sandbox, tmp_path, tap_settings={"page_size": 3})
        assert pair.sync().proven
        sandbox.faults.arm("tap-error+3")
        assert pair.sync(full_sync=True).tap_exit == 1  # its cursor is in the state now
        sandbox.faults.disarm()
        accept(pair, locator_order=["external_id"])

        assert pair.sync(full_sync=True).proven


def test_what_is_gone_is_closed_though_a_renamed_app_came_without_a_proof_once(
    tmp_path: Path,
) -> None:
    with open_sandbox(apps=1, findings=23, seed=57) as sandbox:
        pair = Pair(sandbox, tmp_path)
        assert pair.sync().proven
        world = sandbox.world
        (app,) = world.apps.values()
        world.rename_app(app, "Renamed")

        def without_proof(lines: bytes) -> bytes:
            rows = lines.splitlines(keepends=True)
            return b"".join(row for row in rows if b'"stream":"syncs"' not in row[:80])

        assert pair.sync(without_proof, full_sync=True).outcome == "succeeded_unproven"
        page = next(place_by_url(one) for one in world.all_findings() if one.url and one.open)
        for one in [one for one in world.all_findings() if place_by_url(one) == page]:
            world.delete_finding(one)
        told = pair.sync(full_sync=True)

        assert told.proven
        assert told.found.equal, told


@pytest.mark.parametrize("first", ["application", "external_id"])
def test_what_is_gone_is_closed_by_the_new_order_of_locators_too(
    first: str, tmp_path: Path
) -> None:
    with open_sandbox(apps=1, findings=23, seed=57) as sandbox:
        pair = Pair(sandbox, tmp_path)
        assert pair.sync().proven
        world, tenant = sandbox.world, sandbox.tenant
        pages = sorted({place_by_url(one) for one in world.all_findings() if one.url and one.open})
        for one in [one for one in world.all_findings() if place_by_url(one) == pages[-1]]:
            world.delete_finding(one)
        tenant.people.rank_locators(first)
        accept(pair, tenant_locator_order=list(order_of((first,))))

        told = pair.sync(full_sync=True)

        assert told.proven
        assert not told.found.wrongly_open, told
        gone = {one.scanner_identifier for one in pair.sandbox.tenant.held() if one.is_closed}
        closed = {one.scanner_identifier for one in tenant.state.closings}
        assert closed <= gone, "closed and opened again"


def test_what_a_deleted_app_has_open_is_not_taken_along_by_a_change_of_identity(
    tmp_path: Path,
) -> None:
    with open_sandbox(apps=2, findings=40, seed=7) as sandbox:
        world = sandbox.world
        theirs, ours = world.apps.values()
        world.rename_app(theirs, ours.name)
        pair = Pair(sandbox, tmp_path)
        assert pair.sync().proven
        world.delete_app(theirs)
        assert pair.sync(full_sync=True).found.equal
        sandbox.tenant.people.rank_locators("application", "external_id")
        sandbox.oracle.rules.place = lambda finding: finding.app.name.replace('"', "'")
        sandbox.oracle.rules.tenant_place = lambda held: held.locators["application"]
        accept(
            pair,
            locator_order=["application", "external_id"],
            tenant_locator_order=list(order_of(("application", "external_id"))),
        )

        told = pair.sync(full_sync=True)

        assert told.proven
        assert not told.found.wrongly_open, told
        assert not told.found.wrongly_closed, told
        sandbox.oracle.rules.closes_deleted_apps = True
        pair.settings |= {"close_deleted_webapps": True, "max_close_percent": 99}
        sandbox.clock.advance(DAY)
        told = pair.sync(full_sync=True)
        assert told.proven
        assert not told.found.wrongly_open
        assert not told.found.wrongly_closed


def test_findings_of_unknown_state_are_neither_opened_nor_closed(tmp_path: Path) -> None:
    with open_sandbox(apps=2, findings=20, seed=4) as sandbox:
        world, tenant = sandbox.world, sandbox.tenant
        assert any(not one.open for one in world.all_findings())
        # So that each row has to be refused for itself.
        pair = Pair(sandbox, tmp_path, settings={"max_failed_percent": "100"})
        pair.catalog = without("findings", "status", "type")

        pair.sync()

        assert tenant.held() == []
        pair.catalog = None
        assert pair.sync(full_sync=True).found.equal
        was_open = {one.id for one in tenant.held() if one.is_open}
        world.fix_finding(next(one for one in world.all_findings() if one.open))
        pair.catalog = without("findings", "status", "type")

        told = pair.sync(full_sync=True)

        assert told.found.equal, told
        assert {one.id for one in tenant.held() if one.is_open} == was_open
        assert tenant.state.closings == []


@pytest.mark.parametrize("maps", MAPS)
def test_where_there_is_nothing_to_map_a_stream_map_loses_nothing(
    maps: str, tmp_path: Path
) -> None:
    with open_sandbox(apps=1, findings=12, seed=57) as sandbox:
        pair = Pair(sandbox, tmp_path, settings={"max_close_percent": 100})
        assert pair.sync().proven
        for one in list(sandbox.world.all_findings()):
            sandbox.world.delete_finding(one)

        told = pair.sync(full_sync=True, stream_maps=MAPS[maps])

        assert (told.proven, told.found.differences) == (True, {})
        assert not any(one.is_open for one in sandbox.tenant.held())
