"""A person who looks at the log knows how far a stream is, also while nothing comes."""

from __future__ import annotations

import logging
import time

import pytest

from tap_qualyswas.progress import WAITING, Progress, progress_line

LOGGER = logging.getLogger("tap-qualyswas.test")
SHORT = 0.05


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


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


def test_many_pages_are_one_line_and_the_end_is_another(told: pytest.LogCaptureFixture) -> None:
    with Progress("scans", 100, LOGGER) as progress:
        for done in range(0, 101, 10):
            progress.tell(done)
        progress.tell(100, ended=True)

    assert told.messages == ["scans 100 / 100 · 100%"]


def test_a_page_that_does_not_come_is_told_again_and_again(told: pytest.LogCaptureFixture) -> None:
    with Progress("scans", 100, LOGGER, interval=SHORT) as progress:
        progress.tell(50)
        time.sleep(SHORT * 4)

    assert len(told.messages) >= 2
    assert all(line.startswith("scans 50 / 100 · 50%") for line in told.messages)
    assert all(line.endswith(WAITING) for line in told.messages)


def test_nothing_is_told_after_the_end(told: pytest.LogCaptureFixture) -> None:
    with Progress("scans", 100, LOGGER, interval=SHORT):
        pass
    time.sleep(SHORT * 3)

    assert told.messages == []
