"""Counts are read aloud as a person would say them."""

from __future__ import annotations

import pytest

from qualyswas_ciscovm.wording import counted


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 findings"), (1, "1 finding"), (2, "2 findings"), (48_311, "48,311 findings")],
)
def test_a_noun_agrees_with_its_count(value: int, said: str) -> None:
    assert counted(value, "finding") == said


@pytest.mark.parametrize(("value", "said"), [(1, "1 entry"), (2, "2 entries")])
def test_a_plural_of_its_own_is_used(value: int, said: str) -> None:
    assert counted(value, "entry", "entries") == said
