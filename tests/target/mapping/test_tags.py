"""The tags of an asset: what Qualys calls it, tidy, and nothing that CVM would read otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.kdi.types import MAX_TAG
from target_ciscovm.mapping.tags import TagRules, asset_tags

ONLY_QUALYS = TagRules(application=False)


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        (["Blue, North", " Team ", "Team"], ["Blue, North", "Team"]),
        (["b", "a", "b"], ["b", "a"]),
        (["Blue", "blue"], ["Blue", "blue"]),
        ([None, "", "  ", "\x00\x07", "\r\n"], []),
        (["two\nlines", "a\t b"], ["two lines", "a b"]),
        (["bell\x07", "nul\x00", "half \ud800"], ["bell", "nul", "half"]),
        (['"quoted"', "<b>", "a;b|c"], ['"quoted"', "<b>", "a;b|c"]),
        ([], []),
    ],
    ids=repr,
)
def test_tags_are_tidy_and_each_is_there_once(names: list[str | None], tags: list[str]) -> None:
    assert asset_tags(names, [], ONLY_QUALYS) == tags


def test_the_application_is_the_last_tag_unless_it_is_one_already() -> None:
    assert asset_tags(["Blue"], ["Shop"], TagRules()) == ["Blue", "Shop"]
    assert asset_tags(["Shop", "Blue"], ["Shop"], TagRules()) == ["Shop", "Blue"]
    assert asset_tags(["Blue"], ["Shop"], ONLY_QUALYS) == ["Blue"]


def test_every_tag_has_the_prefix() -> None:
    assert asset_tags(["Blue", " "], ["Shop"], TagRules(prefix="was:")) == ["was:Blue", "was:Shop"]
    assert asset_tags(["Blue"], [], TagRules(prefix="WAS ")) == ["WAS Blue"]


def test_skipped_tags_are_none_so_that_the_key_is_left_out() -> None:
    assert asset_tags(["Blue"], ["Shop"], TagRules(skip=True)) is None


def test_long_tags_that_differ_only_at_the_end_stay_two() -> None:
    found = asset_tags(["x" * 300 + "a", "x" * 300 + "b", "x" * MAX_TAG], [], ONLY_QUALYS)

    assert found is not None
    assert len(set(found)) == 3
    assert {len(tag) for tag in found} == {MAX_TAG}


def test_thousands_of_tags_are_all_there() -> None:
    names = [f"tag {number}" for number in range(5000)]

    assert asset_tags(names, [], TagRules()) == names


@given(st.lists(st.none() | st.text() | st.text("ab ,\x00\n", max_size=4)), st.text())
def test_whatever_comes_the_tags_are_filled_short_and_different(
    names: list[str | None], prefix: str
) -> None:
    tags = asset_tags(names, ["App"], TagRules(prefix=prefix)) or []

    assert all(tag.strip() == tag and 0 < len(tag) <= MAX_TAG for tag in tags)
    assert len(set(tags)) == len(tags)
    assert asset_tags(tags, [], ONLY_QUALYS) == tags
