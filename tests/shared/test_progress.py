"""How far a step is and how long it takes are told as people read it."""

from __future__ import annotations

import threading

import pytest

from qualyswas_ciscovm.progress import Lookout, duration, progress_line

NEVER = 3600.0
SOON = 0.01
LONG = 10.0
"""Seconds that a test waits for what is due soon."""


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (12_000, 48_000, 60, "findings 12,000 / 48,000 · 25% · ~3 min left"),
        (1, 2, 1, "findings 1 / 2 · 50% · ~1 s left"),
        (1, 100, 60, "findings 1 / 100 · 1% · ~1.6 h left"),
        (2, 2, 9, "findings 2 / 2 · 100%"),
        (3, 2, 9, "findings 3 / 2 · 100%"),
        (7, None, 9, "findings 7"),
    ],
)
def test_a_line_has_count_total_share_and_time_left(
    done: int, total: int | None, seconds: float, line: str
) -> None:
    assert progress_line("findings", done, total, seconds) == line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (785.2, "13 min 5 s"),
        (7200, "2 h 0 min"),
        (400_000, "111 h 6 min"),
    ],
)
def test_durations_are_told_in_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Step:
    """Something that is looked at, and asks for the next look in so many seconds."""

    def __init__(self, asks: float) -> None:
        self._asks = asks
        self._looks = threading.Semaphore(0)

    def look(self) -> float:
        self._looks.release()
        return self._asks

    def is_looked_at(self, seconds: float = LONG) -> bool:
        return self._looks.acquire(timeout=seconds)


def test_all_that_may_be_silent_is_looked_at_in_one_thread() -> None:
    lookout, steps, before = Lookout(), [Step(NEVER) for _ in range(3)], threading.active_count()

    for step in steps:
        lookout.begin(step.look, SOON)

    assert all(step.is_looked_at() for step in steps)
    assert threading.active_count() == before + 1
    for step in steps:
        lookout.end(step.look)


def test_what_is_due_sooner_waits_for_nothing_else_and_is_looked_at_as_often_as_it_asks() -> None:
    lookout, slow, quick = Lookout(), Step(NEVER), Step(SOON)

    lookout.begin(slow.look, NEVER)
    lookout.begin(quick.look, SOON)

    assert all(quick.is_looked_at() for _ in range(3))
    lookout.end(quick.look)
    assert not slow.is_looked_at(0)


def test_once_ended_nothing_is_looked_at_any_more() -> None:
    lookout, step = Lookout(), Step(SOON)
    lookout.begin(step.look, SOON)
    assert step.is_looked_at()

    lookout.end(step.look)
    while step.is_looked_at(0):
        pass

    assert not step.is_looked_at(SOON * 5)


def test_one_that_fails_silences_no_other() -> None:
    lookout, broken, other = Lookout(), Step(NEVER), Step(SOON)

    def look() -> float:
        broken.look()
        raise ValueError

    lookout.begin(look, SOON)
    assert broken.is_looked_at()
    lookout.begin(other.look, SOON)

    assert all(other.is_looked_at() for _ in range(2))
    lookout.end(look)
    lookout.end(other.look)
