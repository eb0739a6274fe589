"""What may be closed, and when closing so much is rather a mistake."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.mapping.locators import Identity
from target_ciscovm.plan.closing import (
    Balance,
    Read,
    guard,
    identity_problem,
    identity_text,
)


def test_only_a_web_application_that_was_read_may_be_closed() -> None:
    read = Read(webapps={1}, listed={1, 2})

    assert [read.may_close(number) for number in (1, 2, 3)] == [True, False, False]
    assert [read.is_deleted(number) for number in (1, 2, 3)] == [False, False, True]


def test_a_deleted_web_application_is_closed_only_when_asked_for() -> None:
    read = Read(webapps={1}, listed={1, 2}, close_deleted=True)

    assert [read.may_close(number) for number in (1, 2, 3)] == [True, False, True]


def test_a_part_of_an_account_tells_of_no_deletion() -> None:
    read = Read(webapps={1}, listed={1}, whole_account=False, close_deleted=True)

    assert (read.is_deleted(3), read.may_close(3)) == (False, False)


ORDINARY = Balance(open_before=100, closing=50, open_in_load=60, last_full_open=100)


def test_a_load_that_closes_just_the_limit_may_run() -> None:
    assert guard(ORDINARY, 50) is None


@pytest.mark.parametrize(("closing", "limit"), [(51, 50), (1, 0), (100, 99), (11, 10)], ids=str)
def test_one_more_than_the_limit_stops_with_both_numbers_and_the_setting(
    closing: int, limit: int
) -> None:
    told = guard(replace(ORDINARY, closing=closing), limit)

    assert told is not None
    for word in (f"close {closing}", "of the 100", "max_close_percent", f"now {limit}"):
        assert word in told
    assert "Nothing has been run" in told


def test_a_limit_of_100_never_stops() -> None:
    assert guard(Balance(100, 100, 0, last_full_open=100), 100) is None


def test_a_load_without_any_open_finding_stops_where_there_were_some() -> None:
    told = guard(Balance(10, 1, 0, last_full_open=1234), 99)

    assert told is not None
    assert "1,234" in told
    assert guard(Balance(0, 0, 0, last_full_open=0), 0) is None
    assert guard(Balance(None, 0, 0), 0) is None


@pytest.mark.parametrize(
    ("in_cvm", "in_load", "stops"),
    [(100, 50, False), (100, 49, True), (100, 200, False), (0, 0, False), (None, 0, False)],
)
def test_without_a_ledger_the_load_is_held_against_cvms_own_count(
    in_cvm: int | None, in_load: int, stops: bool
) -> None:
    told = guard(Balance(None, 0, in_load, open_in_cvm=in_cvm), 50)

    assert (told is not None) is stops


def test_nothing_open_before_is_nothing_to_lose() -> None:
    assert guard(Balance(0, 0, 5), 0) is None


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.integers(0, 99))
def test_the_guard_is_exact(before: int, closing: int, limit: int) -> None:
    told = guard(Balance(before, closing, 1), limit)

    assert (told is not None) is (closing * 100 > limit * before)


IDENTITY = Identity()
BEFORE = identity_text(IDENTITY, "vulnerabilities")


@pytest.mark.parametrize(
    ("identity", "model", "name"),
    [
        (Identity(("external_id",)), "vulnerabilities", "locator_order"),
        (Identity(tenant_order=("url",)), "vulnerabilities", "tenant_locator_order"),
        (Identity(keep_query=True), "vulnerabilities", "url_query"),
        (IDENTITY, "findings", "data_model"),
    ],
    ids=str,
)
def test_a_changed_identity_says_what_would_close_and_come_back(
    identity: Identity, model: str, name: str
) -> None:
    told = identity_problem(BEFORE, identity_text(identity, model), 1234)

    assert told is not None
    for word in (f"{name} was ", "1,234", "accept_identity_change"):
        assert word in told


def test_the_same_identity_and_an_empty_ledger_are_no_problem() -> None:
    assert identity_problem(BEFORE, dict(BEFORE), 1234) is None
    assert identity_problem(BEFORE, identity_text(IDENTITY, "findings"), 0) is None


def test_a_setting_that_an_older_ledger_does_not_know_is_no_change() -> None:
    older = {name: value for name, value in BEFORE.items() if name != "url_query"}

    assert identity_problem(older, BEFORE, 1234) is None
