"""The tree of tags: one walk, and only when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import with_metadata
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from collections import Counter

    from tests.tap.syncs import Outcome

SIZE: Final = WorldSize(apps=4, findings=20, qids=6, scans=3)
WITH_TAGS: Final = with_metadata({"tags": {"selected": True}})


def read(platform: Platform) -> tuple[Outcome, Counter[str]]:
    before = platform.requests.copy()
    outcome = platform.sync_here(catalog=WITH_TAGS)
    return outcome, platform.requests - before


@pytest.mark.parametrize("parents", ["named", "children"])
def test_every_tag_comes_with_the_one_above_it(parents: Literal["named", "children"]) -> None:
    with Platform(SIZE, switches=Switches(tag_parents=parents)) as platform:
        outcome, asked = read(platform)
        tags = platform.world.tags

    assert {row["id"]: (row["name"], row["parentTagId"]) for row in outcome.records("tags")} == {
        tag.id: (tag.name, tag.parent.id if tag.parent else None) for tag in tags
    }
    assert {row["ruleType"] for row in outcome.records("tags")} == {"STATIC", "NAME_CONTAINS"}
    assert asked["search/am/tag"] == 1
    assert asked["count/am/tag"] == 0
    assert outcome.proof["complete"] is True
    assert "WARNING" not in outcome.log
    (told,) = (one for one in outcome.proof["streams"] if one["stream"] == "tags")
    assert (told["read"], told["counted"]) == (len(tags), None)


def test_nobody_asks_for_tags_unless_they_are_wanted() -> None:
    with Platform(SIZE) as platform:
        outcome = platform.sync_here()
        asked = platform.requests

    assert outcome.records("tags") == []
    assert [name for name in asked if name.endswith("/am/tag")] == []


@pytest.mark.parametrize("closed", ["unauthorized", "401", "404"])
def test_no_right_to_tags_is_said_once_and_costs_nothing_else(
    closed: Literal["unauthorized", "401", "404"],
) -> None:
    with Platform(SIZE, switches=Switches(tag_search=closed)) as platform:
        outcome, asked = read(platform)
        findings = len(list(platform.world.all_findings()))

    lines = [line for line in outcome.log.splitlines() if "may not read the tags" in line]
    assert len(lines) == 1
    assert outcome.records("tags") == []
    assert len(outcome.records("findings")) == findings
    assert outcome.proof["complete"] is True
    assert asked["search/am/tag"] <= 2  # a lone 401 is tried once more
