"""A person who looks at the log knows what goes on, and never waits long for a word."""

from __future__ import annotations

import logging
import time

import pytest

from target_ciscovm.output import timing
from target_ciscovm.output.timing import Progress, Stages, Ticker

SHORT = 0.05


@pytest.fixture(autouse=True)
def told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(timing, "QUIET_SECONDS", SHORT)
    return caplog


def test_a_stage_is_measured_also_when_it_fails() -> None:
    found = Stages()

    with pytest.raises(LookupError), found.stage("building"):
        raise LookupError

    assert [phase.name for phase in found.phases] == ["building"]


def test_a_step_that_cannot_tell_how_far_it_is_tells_that_it_goes_on(
    told: pytest.LogCaptureFixture,
) -> None:
    with Stages(SHORT) as stages:
        for name in ("remembering", "verifying"):
            told.clear()
            with stages.stage(name):
                time.sleep(SHORT * 4)
            time.sleep(SHORT)  # for a line that is being written
            before = len(told.messages)
            time.sleep(SHORT * 3)

            assert before >= 2
            assert all(
                line.startswith(f"{name.capitalize()} is still running, for ")
                for line in told.messages
            )
            assert len(told.messages) == before
        with stages.stage("the end"):
            pass
    with stages.stage("nothing is told any more"):
        time.sleep(SHORT * 3)

    assert len(told.messages) == before


def test_it_is_silent_while_a_ticker_says_more(told: pytest.LogCaptureFixture) -> None:
    ticker = Ticker()
    with Stages(SHORT * 4) as stages, stages.stage("reading"):
        for _ in range(20):
            time.sleep(SHORT / 2)
            ticker.tick("received %s", 1)

    assert set(told.messages) == {"received 1"}


def test_progress_has_count_total_share_and_time_left(told: pytest.LogCaptureFixture) -> None:
    progress = Progress("building", 200)
    time.sleep(SHORT * 2)
    progress.add(50)

    (line,) = told.messages
    assert line.startswith("building 50 / 200 · 25% · ~")
    assert line.endswith(" left")
