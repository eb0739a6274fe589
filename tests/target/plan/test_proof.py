"""Only a whole, fresh, full sync of our own account proves what is gone; a flaw closes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.mapping.records import Sync
from target_ciscovm.plan.proof import Arrived, Verdict, account, judge

NOW = datetime(2024, 5, 2, 12, tzinfo=timezone.utc)
COUNTS = {"webapps": 2, "scans": 3, "findings": 10, "knowledge_base": 4}
ROW: dict[str, Any] = {
    "syncId": "s-1",
    "mode": "full",
    "startedAt": "2024-05-02T11:00:00Z",
    "complete": True,
    "apiUrl": "https://qualysapi.example.test",
    "subscription": "made-up-subscription",
    "streams": [{"stream": name, "emitted": count} for name, count in COUNTS.items()],
}
ARRIVED = Arrived(
    received=COUNTS | {"syncs": 1},
    now=NOW,
    newest_run=NOW - timedelta(days=1),
    ledger_account="made-up-subscription",
)


def sync(**changes: object) -> Sync:
    return msgspec.convert(ROW | changes, Sync)


def verdict(arrived: Arrived = ARRIVED, **changes: object) -> Verdict:
    return judge(sync(**changes), arrived)


def test_a_whole_fresh_full_sync_of_our_account_is_proven() -> None:
    assert verdict() == Verdict(valid=True, proven=True, fresh=True)


def test_no_row_is_no_proof() -> None:
    assert judge(None, ARRIVED).valid is False
    assert "no row of syncs" in judge(None, ARRIVED).reasons[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"complete": False}, "not complete"),
        ({"complete": False, "incompleteReasons": ["a cursor", "it died"]}, "a cursor; it died"),
        ({"startedAt": None}, "does not say when"),
        ({"startedAt": "0000-00-00"}, "does not say when"),
        ({"startedAt": "2024-05-01T11:59:59Z"}, "24 hours"),
        ({"startedAt": "2024-05-03T12:00:01Z"}, "24 hours"),
        ({"subscription": "somebody-else"}, "another Qualys account"),
        ({"subscription": None}, "another Qualys account (qualysapi.example.test)"),
        ({"subscription": None, "apiUrl": None}, "another Qualys account (unknown)"),
        ({"streams": []}, "did not read webapps, findings, knowledge_base"),
        ({"streams": ROW["streams"][1:]}, "did not read webapps"),
        ({"streams": ROW["streams"][:3]}, "did not read knowledge_base"),
        (
            {"streams": [*ROW["streams"][:2], {"stream": "findings"}, ROW["streams"][3]]},
            "does not say how many findings",
        ),
    ],
    ids=str,
)
def test_a_flaw_of_the_row_makes_it_no_proof(changes: dict[str, object], says: str) -> None:
    found = verdict(ARRIVED, **changes)

    assert (found.valid, found.proven) == (False, False)
    assert any(says in reason for reason in found.reasons)


@pytest.mark.parametrize("name", list(COUNTS))
@pytest.mark.parametrize("difference", [-1, 1])
def test_a_count_that_is_not_what_arrived_is_no_proof(name: str, difference: int) -> None:
    received = COUNTS | {name: COUNTS[name] + difference, "syncs": 1}

    found = verdict(replace(ARRIVED, received=received))

    assert (found.valid, found.proven) == (False, False)
    assert f"{received[name]:,} {name} arrived of {COUNTS[name]:,}" in found.reasons[0]


def test_a_stream_that_the_tap_says_nothing_of_is_no_proof() -> None:
    streams = [row for row in ROW["streams"] if row["stream"] != "scans"]

    assert verdict(streams=streams).valid is False
    untold = replace(ARRIVED, received={**COUNTS, "scans": 0, "syncs": 1})
    assert verdict(untold, streams=streams).proven is True


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"proof_is_last": False}, "after the row of syncs"),
        ({"newest_run": NOW}, "newest run"),
        ({"newest_run": datetime(2024, 5, 2, 11, tzinfo=timezone.utc)}, "newest run"),
        ({"ledger_account": "somebody-else"}, "another Qualys account"),
    ],
    ids=str,
)
def test_a_flaw_of_what_arrived_makes_it_no_proof(changes: dict[str, Any], says: str) -> None:
    found = verdict(replace(ARRIVED, **changes))

    assert (found.valid, found.proven) == (False, False)
    assert says in found.reasons[0]


@pytest.mark.parametrize(
    ("row", "arrived", "says"),
    [
        ({"mode": "incremental"}, {}, "incremental"),
        ({"mode": None}, {}, "incremental"),
        ({}, {"lost_unknown": True}, "cannot be told"),
        ({}, {"autoclose": False}, "autoclose is never"),
    ],
    ids=str,
)
def test_a_faultless_row_may_close_nothing_all_the_same(
    row: dict[str, object], arrived: dict[str, Any], says: str
) -> None:
    found = verdict(replace(ARRIVED, **arrived), **row)

    assert (found.valid, found.proven) == (True, False)
    assert says in found.reasons[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"newest_run": None},
        {"now": None},
        {"ledger_account": None},
        {"newest_run": NOW - timedelta(hours=1, seconds=1)},
        {"now": NOW + timedelta(hours=23)},
        {"now": NOW - timedelta(hours=25)},
    ],
    ids=str,
)
def test_what_nobody_can_tell_is_no_flaw(changes: dict[str, Any]) -> None:
    assert verdict(replace(ARRIVED, **changes)).proven is True


def test_all_flaws_are_told_at_once() -> None:
    arrived = replace(ARRIVED, proof_is_last=False, lost_unknown=True, received={})

    assert len(verdict(arrived, complete=False, mode="incremental").reasons) >= 6


@pytest.mark.parametrize(
    ("row", "known"),
    [
        ({"subscription": " S-1 "}, "S-1"),
        ({"subscription": " "}, "qualysapi.example.test"),
        ({"subscription": None, "apiUrl": "https://API.example.test/"}, "api.example.test"),
        ({"subscription": None, "apiUrl": "https://[broken"}, None),
        ({"subscription": None, "apiUrl": "no url"}, None),
        ({"subscription": None, "apiUrl": None}, None),
    ],
    ids=str,
)
def test_an_account_is_its_subscription_else_its_host(
    row: dict[str, object], known: str | None
) -> None:
    assert account(sync(**row)) == known
    assert account(None) is None


FLAWS = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["full", "incremental", None]),
        "complete": st.booleans(),
        "subscription": st.none() | st.sampled_from(["made-up-subscription", "x", ""]),
        "apiUrl": st.none() | st.text(max_size=20),
        "startedAt": st.none() | st.text(max_size=20),
    },
)


@given(FLAWS, st.booleans(), st.booleans(), st.booleans())
def test_proven_is_valid_and_full_and_says_nothing_else(
    row: dict[str, object], last: bool, lost: bool, autoclose: bool
) -> None:
    arrived = replace(ARRIVED, proof_is_last=last, lost_unknown=lost, autoclose=autoclose)

    found = verdict(arrived, **row)

    assert found.proven is (not found.reasons)
    assert not found.proven or found.valid
    if found.proven:
        assert (row.get("mode", "full"), row.get("complete", True)) == ("full", True)
        assert (last, lost, autoclose) == (True, False, True)


def test_a_row_of_now_is_fresh_whatever_else_is_wrong_with_it() -> None:
    assert verdict(complete=False).fresh is True
    assert verdict(replace(ARRIVED, newest_run=NOW)).fresh is False
    assert judge(None, ARRIVED).fresh is False
