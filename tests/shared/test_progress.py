"""How far a step is and how long it takes are told as people read it."""

from __future__ import annotations

import pytest

from qualyswas_ciscovm.progress import duration, progress_line


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
