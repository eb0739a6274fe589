"""How long to wait, from what a server says; what cannot be read is no hint."""

from __future__ import annotations

import pytest

from tap_qualyswas.qualys.hints import wait_from_headers, wait_from_items, wait_from_text

NOW = "Fri, 31 May 2024 08:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-ToWait-Sec": "7"}, 7),
        ({"X-RateLimit-ToWait-Sec": " 7 ", "Retry-After": "99"}, 7),
        ({"X-RateLimit-ToWait-Sec": "", "Retry-After": "9"}, 9),
        ({"X-RateLimit-ToWait-Sec": "abc", "Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Fri, 31 May 2024 08:02:00 GMT", "Date": NOW}, 120),
        ({"Retry-After": "Fri, 31 May 2024 07:00:00 GMT", "Date": NOW}, 0),
        ({"Retry-After": "Fri, 31 May 2024 08:02:00 GMT"}, None),
        ({"X-RateLimit-ToWait-Sec": "-5"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({}, None),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_from_headers(headers) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("You can try again in 57 seconds.", 57),
        ("retry after 3 minutes", 180),
        ("wait 1 hour", 3600),
        ("wait 15s", 15),
        ("The maximum of 300 simultaneous calls is reached", None),
        ("limit (300) per hour", None),
        ("", None),
    ],
)
def test_texts(text: str, seconds: float | None) -> None:
    assert wait_from_text(text) == seconds


@pytest.mark.parametrize(
    ("items", "seconds"),
    [
        ([("CALLS_FINISHED", "300"), ("SECONDS_TO_WAIT", "12")], 12),
        ([("Wait", "soon"), ("retry_after", "4")], 4),
        ([("CALLS_FINISHED", "300")], None),
        ([], None),
    ],
)
def test_items(items: list[tuple[str, str]], seconds: float | None) -> None:
    assert wait_from_items(items) == seconds
