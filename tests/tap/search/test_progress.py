"""A person who looks at the log knows how far a stream is, also while nothing comes."""

from __future__ import annotations

import logging
import time

import pytest

from tap_qualyswas.search.progress import WAITING, Progress

LOGGER = logging.getLogger("tap-qualyswas.test")
SHORT = 0.05


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_many_pages_are_one_line_and_the_end_is_another(told: pytest.LogCaptureFixture) -> None:
    with Progress("scans", 100, LOGGER) as progress:
        for done in range(0, 101, 10):
            progress.update(done)
        progress.update(100, ended=True)

    assert told.messages == ["scans 100 / 100 · 100%"]


def test_a_page_that_does_not_come_is_told_again_and_again(told: pytest.LogCaptureFixture) -> None:
    with Progress("scans", 100, LOGGER, interval=SHORT) as progress:
        progress.update(50)
        time.sleep(SHORT * 4)

    assert len(told.messages) >= 2
    assert all(line.startswith("scans 50 / 100 · 50%") for line in told.messages)
    assert all(line.endswith(WAITING) for line in told.messages)


def test_nothing_is_told_after_the_end(told: pytest.LogCaptureFixture) -> None:
    with Progress("scans", 100, LOGGER, interval=SHORT):
        pass
    at_the_end = list(told.messages)
    time.sleep(SHORT * 3)

    assert told.messages == at_the_end
