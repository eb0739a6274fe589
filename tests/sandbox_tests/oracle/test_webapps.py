"""Web applications and findings that are gone."""

from __future__ import annotations

import pytest

from tests.sandbox.world.model import VULNERABILITY, Tag
from tests.sandbox_tests.oracle.bench import Bench, differences


@pytest.mark.parametrize("closes", [True, False])
def test_deleted_apps_are_to_be_closed_where_settings_say_so_and_two_days_have_missed_them(
    bench: Bench, closes: bool
) -> None:
    app = bench.victim.app
    opened = [bench.world.unique_id(one) for one in bench.world.findings_of(app) if one.open]
    bench.sandbox.oracle.rules.closes_deleted_apps = closes
    bench.settle()
    bench.world.delete_app(app)
    bench.sandbox.begin()

    assert [bench.settle().wrongly_open for _ in range(2)] == [[], []]
    bench.pass_day()
    assert bench.settle().wrongly_open == (sorted(opened) if closes else [])


@pytest.mark.parametrize("days", [0, 1])
def test_deleted_apps_may_be_closed_no_sooner(bench: Bench, days: int) -> None:
    app = bench.victim.app
    opened = [bench.world.unique_id(one) for one in bench.world.findings_of(app) if one.open]
    bench.sandbox.oracle.rules.closes_deleted_apps = True
    bench.settle()
    bench.world.delete_app(app)
    bench.sandbox.begin()
    bench.settle()
    for _ in range(days):
        bench.pass_day()
    bench.load()

    assert bench.settle().wrongly_closed == ([] if days else sorted(opened))


def test_what_was_never_loaded_is_not_missed_once_it_is_gone_with_its_app(bench: Bench) -> None:
    fixed = next(one for one in bench.world.findings[VULNERABILITY] if not one.open)
    fixed.status = "REOPENED"
    bench.sandbox.begin()
    assert differences(bench.settle()) == {"missing": [bench.world.unique_id(fixed)]}

    bench.world.delete_app(fixed.app)
    bench.sandbox.begin()
    assert bench.settle().equal


def test_nobody_tells_the_tags_of_a_deleted_app_any_more(bench: Bench) -> None:
    app = bench.victim.app
    names = {bench.world.unique_id(one) for one in bench.world.findings_of(app)}
    bench.world.delete_app(app)
    bench.sandbox.begin()
    for asset in bench.sandbox.tenant.state.assets.values():
        if names & {entry.scanner_identifier for entry in asset.entries.values()}:
            asset.tags.clear()

    assert set(bench.settle().untagged) & names == set()


def test_nobody_tells_the_tags_of_what_went_during_a_sync(bench: Bench) -> None:
    bench.world.tag_app(bench.victim.app, [Tag(1, "not told in time")])
    bench.sandbox.begin()
    others = {bench.world.unique_id(one) for one in bench.world.findings_of(bench.victim.app)}
    bench.world.delete_finding(bench.victim)
    found = bench.settle()

    assert set(found.untagged) <= others - {bench.name}
    assert found.untagged
