"""Cases about states that the tap is given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.cases.case import read
from tests.sandbox.world.size import WorldSize
from tests.tap.syncs import Outcome, Platform, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator

STATES: Final = read("bookmarks/damaged_state").values


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(WorldSize(apps=2, findings=6, qids=3, scans=2)) as platform:
        yield platform


def with_state(platform: Platform, name: str) -> Outcome:
    return run_tap(platform.config, STATES[name])


def test_an_empty_state_is_a_full_sync_that_says_so(platform: Platform) -> None:
    outcome = with_state(platform, "empty")

    assert (outcome.exit_code, len(outcome.records("findings"))) == (0, 6)
    assert outcome.log.count("holds no bookmarks: everything is read.") == 1


def test_a_state_that_was_cut_off_is_refused_by_its_name(platform: Platform) -> None:
    before = platform.requests.total()
    outcome = with_state(platform, "cut")

    assert (outcome.exit_code, outcome.messages) == (2, [])
    (line,) = outcome.errors
    assert "state.json is not JSON" in line
    assert platform.requests.total() == before


def test_what_others_keep_in_a_state_is_left_as_it_is(platform: Platform) -> None:
    outcome = platform.sync_here(state=json.loads(STATES["foreign"]))

    assert len(outcome.records("findings")) == 6
    assert outcome.state["bookmarks"]["other"] == {"x": 1}
