"""An answer is read to its end, or given up when next to nothing comes of it."""

from __future__ import annotations

import gzip
from contextlib import nullcontext
from io import BytesIO
from typing import Final

import pytest
import requests
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from qualyswas_ciscovm.bodies import Stalled, pieces, require_progress
from tests.support.dripping import FORMS, DrippingServer

TEXT: Final = b"".join(b"line %d of many " % number for number in range(500)) + b"x" * 3000


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_drips_for_ever_is_given_up(form: str) -> None:
    with (
        DrippingServer(form) as server,
        requests.get(server.url, stream=True, timeout=5) as response,
        pytest.raises(Stalled),
    ):
        list(pieces(response, 65_536, answer_seconds=0.02))


@pytest.mark.parametrize("most_bytes", [7, 65_536])
@pytest.mark.parametrize(
    ("packed", "whole"),
    [
        (gzip.compress(TEXT), TEXT),
        (gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(TEXT), TEXT + TEXT),
        (gzip.compress(TEXT) + b"and more", TEXT),
    ],
    ids=["one member", "several members", "followed by something else"],
)
def test_a_compressed_answer_comes_whole_in_pieces_of_any_size(
    packed: bytes, whole: bytes, most_bytes: int
) -> None:
    answer = HTTPResponse(BytesIO(packed), {"Content-Encoding": "gzip"}, preload_content=False)
    response = requests.Response()
    response.raw, response.headers = answer, CaseInsensitiveDict(answer.headers)

    found = list(pieces(response, most_bytes, answer_seconds=5))

    assert b"".join(found) == whole
    assert all(0 < len(piece) <= most_bytes for piece in found)


@pytest.mark.parametrize(
    ("seconds", "size", "is_given_up"),
    [
        (599, 0, False),
        (601, 0, True),
        (601, 20_000, False),
        (7200, 60_000_000, True),
        (7200, 70_000_000, False),
    ],
)
def test_an_answer_may_take_long_while_it_brings_something(
    seconds: int, size: int, is_given_up: bool
) -> None:
    with pytest.raises(Stalled) if is_given_up else nullcontext():
        require_progress(seconds, size, 300)
