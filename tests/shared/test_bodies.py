"""An answer is read to its end, or given up when next to nothing comes of it."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import requests

from qualyswas_ciscovm.bodies import Stalled, pieces, require_progress
from tests.support.dripping import FORMS, DrippingServer


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_drips_for_ever_is_given_up(form: str) -> None:
    with (
        DrippingServer(form) as server,
        requests.get(server.url, stream=True, timeout=5) as response,
        pytest.raises(Stalled),
    ):
        list(pieces(response, 65_536, answer_seconds=0.02))


@pytest.mark.parametrize(
    ("seconds", "size", "is_given_up"),
    [
        (3599, 0, False),
        (3601, 0, True),
        (3601, 20_000, False),
        (7200, 30_000_000, True),
        (7200, 40_000_000, False),
    ],
)
def test_an_answer_may_take_long_while_it_brings_something(
    seconds: int, size: int, is_given_up: bool
) -> None:
    with pytest.raises(Stalled) if is_given_up else nullcontext():
        require_progress(seconds, size, 300)
