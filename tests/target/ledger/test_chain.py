from __future__ import annotations

import msgspec
import pytest

from target_ciscovm.ledger.chain import gap, scope_of
from target_ciscovm.ledger.tables import Link
from target_ciscovm.mapping.records import Sync, SyncCoverage

BEGAN = "2026-03-01T08:00:00Z"
EARLIER, LATER = "2026-03-01T07:59:59Z", "2026-03-01T08:00:01Z"
LINK = Link("scope", BEGAN, 3)
SYNC = Sync(
    mode="incremental",
    login="made-up",
    filters={"webapp_ids": [1]},
    coverage=SyncCoverage(source="api"),
    previous_sync_at=BEGAN,
)


def sync(**changes: object) -> Sync:
    return msgspec.structs.replace(SYNC, **changes)


@pytest.mark.parametrize("previous", [EARLIER, BEGAN, "2026-03-01T09:00:00+01:00"])
def test_one_that_continues_what_was_loaded_or_repeats_some_of_it_leaves_no_gap(
    previous: str,
) -> None:
    assert gap(sync(previous_sync_at=previous), LINK) is None


def test_one_that_continues_a_sync_that_was_never_loaded_leaves_a_gap() -> None:
    found = gap(sync(previous_sync_at=LATER), LINK) or ""

    assert LATER in found
    assert BEGAN in found


def test_one_that_continues_a_sync_of_which_nothing_was_loaded_leaves_a_gap() -> None:
    assert "no earlier load" in (gap(SYNC, None) or "")


@pytest.mark.parametrize("previous", [None, "", "yesterday", "0000-00-00"])
def test_one_that_does_not_say_what_it_continues_leaves_a_gap(previous: str | None) -> None:
    found = gap(sync(previous_sync_at=previous), LINK)

    assert found == "the syncs record does not say which sync it continues"


@pytest.mark.parametrize("link", [None, LINK])
def test_with_a_start_date_and_nothing_before_it_a_chain_begins(link: Link | None) -> None:
    began = sync(previous_sync_at=None, filters={"start_date": "2026-01-01"})

    assert gap(began, link) is None


def test_a_start_date_is_no_excuse_for_a_sync_that_continues_another() -> None:
    assert gap(sync(filters={"start_date": "2026-01-01"}), None) is not None


@pytest.mark.parametrize("link", [None, LINK])
def test_a_full_sync_lacks_nothing(link: Link | None) -> None:
    assert gap(sync(mode="full", previous_sync_at=LATER), link) is None


@pytest.mark.parametrize(
    "changed",
    [
        scope_of(SYNC, 2),
        scope_of(SYNC, None),
        scope_of(sync(login="another"), 1),
        scope_of(sync(login=None), 1),
        scope_of(sync(filters={"webapp_ids": [1, 2]}), 1),
        scope_of(sync(filters={}), 1),
        scope_of(sync(filters=None), 1),
        scope_of(sync(coverage=SyncCoverage(source="scan_reports")), 1),
        scope_of(sync(coverage=None), 1),
    ],
)
def test_whatever_changes_what_is_read_is_another_scope(changed: str) -> None:
    assert changed != scope_of(SYNC, 1)


def test_what_changes_from_run_to_run_is_the_same_scope() -> None:
    later = sync(
        mode="full", previous_sync_at=LATER, sync_id="another", tap_version="9.9", started_at=LATER
    )

    assert scope_of(later, 1) == scope_of(SYNC, 1)


def test_filters_are_the_same_in_any_order() -> None:
    one, other = ({"a": 1, "b": [2]}, {"b": [2], "a": 1})

    assert scope_of(sync(filters=one), 1) == scope_of(sync(filters=other), 1)
