"""The server's time: what one answer says is not believed before another one agrees."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Final

import pytest

from qualyswas_ciscovm.server_clock import ServerClock

NOW: Final = datetime(2026, 3, 2, 6, 0, tzinfo=timezone.utc)
SECOND: Final = timedelta(seconds=1)


def header(moment: datetime) -> str:
    """Give a moment as a `Date` header has it."""
    return format_datetime(moment, usegmt=True)


def noted(*headers: str | None) -> ServerClock:
    """Give a clock that has noted these answers."""
    clock = ServerClock(local_stands_in=True)
    for one in headers:
        clock.note(one)
    return clock


def test_two_answers_that_agree_are_believed() -> None:
    assert noted(header(NOW)).first is None
    assert not noted(header(NOW), header(NOW)).is_local
    assert noted(header(NOW), header(NOW + 9 * timedelta(minutes=1))).first == NOW
    assert noted(header(NOW), header(NOW + 11 * timedelta(minutes=1))).first is None


@pytest.mark.parametrize("wrong", [NOW - timedelta(days=1), NOW.replace(year=2031)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_is_alone_is_not(wrong: datetime, place: int) -> None:
    headers = [header(NOW), header(NOW), header(NOW)]
    headers[place] = header(wrong)

    first = noted(*headers).first

    assert first is not None
    assert abs(first - NOW) <= SECOND


@pytest.mark.parametrize("told", [None, "", "soon", header(NOW.replace(year=1970))])
def test_the_local_clock_stands_in_for_what_is_no_time(told: str | None) -> None:
    clock = noted(told, told)
    first = clock.first

    assert first is not None
    assert clock.is_local
    assert abs(first - datetime.now(timezone.utc)) <= 10 * SECOND


def test_it_stands_in_too_where_no_two_ever_agree() -> None:
    clock = noted(*(header(NOW + timedelta(days=day)) for day in range(4)))

    assert clock.first is None
    assert abs(clock.believe_local() - datetime.now(timezone.utc)) <= 10 * SECOND
    assert clock.first == clock.believe_local()
