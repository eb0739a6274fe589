"""Rows are all there when as many came as were counted before the walk, after it, or in between."""

from __future__ import annotations

import pytest

from tap_qualyswas.sync.tallies import Tally, counts_agree


@pytest.mark.parametrize(
    ("counted", "fetched", "recounted", "agree"),
    [
        (None, 7, None, True),
        (3, 3, None, True),
        (3, 2, None, False),
        (3, 4, None, False),
        (0, 0, None, True),
        (3, 2, 3, False),
        (3, 4, 3, False),
        (3, 3, 5, True),
        (3, 4, 5, True),
        (3, 5, 5, True),
        (3, 2, 5, False),
        (3, 6, 5, False),
        (5, 4, 3, True),
        (5, 2, 3, False),
        (3, 0, 3, False),
    ],
)
def test_what_was_read_is_held_against_both_counts(
    counted: int | None, fetched: int, recounted: int | None, agree: bool
) -> None:
    tally = Tally(counted=counted, fetched=fetched, recounted=recounted)

    assert counts_agree(tally) is agree
