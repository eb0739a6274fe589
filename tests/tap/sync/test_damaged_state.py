"""A state whose values are damaged, wherever that is, ends no sync."""

from __future__ import annotations

import copy
from datetime import timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.sandbox.world.size import WorldSize
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = WorldSize(apps=2, findings=9, qids=4, scans=3)
HOUR: Final = timedelta(hours=1)
PAGES: Final = {"page_size": 2, "max_concurrency": 1}
DAMAGES: Final[dict[str, object]] = {
    "number": 17,
    "word": "x",
    "list": [["x", {}], None],
    "object": {"x": [1]},
    "truth": True,
    "null": None,
    "huge": 10**400,
    "year 0": "0000-00-00T00:00:00Z",
}


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Platform(SIZE) as found:
        yield found


@pytest.fixture(scope="module")
def state(platform: Platform) -> dict[str, Any]:
    """A state from the middle of the findings of a second sync, with a value in each place."""
    whole = platform.sync_here(PAGES)
    second = platform.sync_here({**PAGES, "full_sync": True}, state=whole.state)
    states = [s for _, s in second.cuts() if (s["bookmarks"]["findings"].get("resume"))]
    found = copy.deepcopy(states[1])
    found["bookmarks"]["syncs"]["fullSyncAsked"] = False
    found["bookmarks"]["knowledge_base"]["pending"] = [{"150001": ["VULNERABILITY", 1, 2]}]
    found["bookmarks"]["scan_results"] = {"pending": [1]}
    return found


def places(part: dict[str, Any], depth: int = 4) -> Iterator[tuple[str, ...]]:
    """Give the paths to all values, down to a depth."""
    for name, value in part.items():
        yield (name,)
        if isinstance(value, dict) and depth:
            yield from ((name, *rest) for rest in places(value, depth - 1))


def damaged(state: dict[str, Any], path: tuple[str, ...], damage: str) -> dict[str, Any]:
    """Give the state with another value in one place."""
    changed = copy.deepcopy(state)
    part = changed["bookmarks"]
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = copy.deepcopy(DAMAGES[damage])
    return changed


@pytest.mark.parametrize("share", [1, pytest.param(len(DAMAGES), marks=pytest.mark.long)])
def test_no_damaged_value_ends_a_sync(
    share: int, platform: Platform, state: dict[str, Any]
) -> None:
    """One kind of damage in each place, in turns; a long run tries all of them."""
    kinds = cycle(DAMAGES)
    # Streams that are no objects are no state, and a newer format is refused.
    spared = {("syncs", "format"), *((name,) for name in state["bookmarks"])}
    for path in places(state["bookmarks"]):
        for damage in islice(kinds, 0 if path in spared else share):
            platform.clock.advance(HOUR)  # Qualys takes a number of calls an hour
            outcome = platform.sync_here(PAGES, state=damaged(state, path, damage))

            assert outcome.proof["finishedAt"], (path, damage)


@pytest.mark.parametrize("stream", ["scans", "findings"])
def test_damaged_values_that_a_cursor_carries_end_no_sync(stream: str, platform: Platform) -> None:
    whole = platform.sync_here({**PAGES, "full_sync": True})
    cursors = [s for _, s in whole.cuts() if s["bookmarks"].get(stream, {}).get("resume")]
    state = copy.deepcopy(cursors[0])
    carried = state["bookmarks"][stream]["resume"][0]["carried"]
    carried |= {"greatest": "x", "unended": ["x", None, 17], "qids": {"150001": ["x"]}}
    outcome = platform.sync_here(PAGES, state=state)

    assert f"{stream} goes on where an interrupted run stopped." in outcome.log


@pytest.mark.parametrize("odd", [["NONSENSE", 5], ["VULNERABILITY", 10**30]])
def test_an_odd_representative_does_not_cost_the_classification_of_the_others(
    platform: Platform, odd: list[Any]
) -> None:
    state = platform.sync_here().state
    state["bookmarks"]["knowledge_base"]["pending"] = [{"150001": odd}]
    outcome = platform.sync_here(state=state)

    assert outcome.proof["incompleteReasons"] == []
