from __future__ import annotations

from datetime import datetime, timezone

import pytest

from target_ciscovm.mapping.records import Sync
from target_ciscovm.plan.moments import believed, clocks_apart, is_ahead, present

NOW = datetime(2026, 3, 1, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("started", "is_believed"),
    [
        ("2026-03-01T07:00:00Z", True),
        ("2020-03-01T07:00:00Z", True),
        ("2026-03-02T08:00:00Z", True),
        ("2026-03-02T08:00:01Z", False),
        ("2031-01-01T00:00:00Z", False),
    ],
)
def test_a_beginning_in_the_future_is_not_believed(started: str, is_believed: bool) -> None:
    row = Sync(sync_id="s", started_at=started)

    assert believed(row, NOW) == Sync(sync_id="s", started_at=started if is_believed else None)
    assert (clocks_apart(row, NOW) is None) is is_believed


@pytest.mark.parametrize("row", [None, Sync(), Sync(started_at="no date")])
def test_what_is_not_told_is_left_as_it_is(row: Sync | None) -> None:
    assert believed(row, NOW) is row


def test_without_a_clock_all_is_believed() -> None:
    row = Sync(started_at="2031-01-01T00:00:00Z")

    assert believed(row, None) is row


@pytest.mark.parametrize(
    ("started", "now", "told"),
    [
        ("2026-03-01T07:00:00Z", NOW, "2026-03-01T08:00:00Z"),
        ("2026-03-01T09:00:00Z", NOW, "2026-03-01T09:00:00Z"),
        (None, NOW, "2026-03-01T08:00:00Z"),
        ("2026-03-01T07:00:00Z", None, "2026-03-01T07:00:00Z"),
        (None, None, None),
    ],
)
def test_now_is_the_later_of_what_the_servers_tell(
    started: str | None, now: datetime | None, told: str | None
) -> None:
    assert present(Sync(started_at=started), now) == told


@pytest.mark.parametrize(
    ("started", "now", "ahead"),
    [
        ("2026-03-01T08:10:01Z", NOW, True),
        ("2026-03-01T08:10:00Z", NOW, False),
        ("2031-01-01T00:00:00Z", None, False),
        (None, NOW, False),
    ],
)
def test_a_sync_is_ahead_that_began_after_now(
    started: str | None, now: datetime | None, *, ahead: bool
) -> None:
    assert is_ahead(Sync(started_at=started), now) is ahead
