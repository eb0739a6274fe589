"""When closing so much is rather a mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.plan.guard import FEW, Balance, guard


def balance(closing: int, covered: int = 100) -> Balance:
    """Make what a load would do that closes so many of what it covers."""
    return Balance({"gone": closing}, covered, changes_file="run/changes.jsonl")


def test_a_load_that_closes_just_the_limit_may_run() -> None:
    assert guard(balance(50), 50) is None


@pytest.mark.parametrize(("closing", "limit"), [(51, 50), (21, 0), (100, 99), (41, 40)], ids=str)
def test_one_more_than_the_limit_stops_and_tells_what_a_person_needs(
    closing: int, limit: int
) -> None:
    told = guard(balance(closing), limit) or ""

    for word in (
        f"close {closing}",
        "of the 100",
        f"gone {closing}",
        "run/changes.jsonl",
        "max_close_percent",
        f"now {limit}",
        "100 never stops",
        "Nothing was run",
    ):
        assert word in told


def test_closings_of_all_causes_count_together_and_each_is_named() -> None:
    causes = {"gone": 30, "filtered: min_severity": 20, "deleted web app": 1}

    told = guard(Balance(causes, 100), 50) or ""

    assert "close 51" in told
    for name, count in causes.items():
        assert f"{name} {count}" in told


@pytest.mark.parametrize("covered", [1, 19, 20])
def test_a_few_closings_never_stop(covered: int) -> None:
    assert guard(balance(FEW, covered), 0) is None
    assert guard(balance(FEW + 1, covered + 1), 0) is not None


def test_a_limit_of_100_never_stops() -> None:
    assert guard(Balance({"gone": 100}, 100, findings=0, last_findings=100), 100) is None


@pytest.mark.parametrize(
    ("findings", "last", "stops"),
    [(0, 21, True), (0, 20, False), (0, None, False), (1, 1000, False), (None, 1000, False)],
)
def test_a_full_load_without_any_open_finding_stops_where_the_last_one_had_many(
    findings: int | None, last: int | None, stops: bool
) -> None:
    told = guard(Balance({}, 0, findings, last), 99)

    assert (told is not None) is stops
    if stops:
        assert f"had {last}" in (told or "")


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 99))
def test_the_guard_is_exact(covered: int, closing: int, limit: int) -> None:
    told = guard(balance(closing, covered), limit)

    assert (told is not None) is (closing > FEW and closing * 100 > limit * covered)
