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
        ({"Retry-After": "Fri, 31 May 2024 07:00:00 GMT", "Date": NOW}, None),
        ({"Retry-After": NOW, "Date": NOW}, None),
        ({"Retry-After": "0"}, None),
        ({"X-RateLimit-ToWait-Sec": "0"}, None),
        ({"X-RateLimit-ToWait-Sec": "0.000", "Retry-After": "2"}, 2),
        (
            {
                "X-RateLimit-ToWait-Sec": "0",
                "Retry-After": "Fri, 31 May 2024 08:00:09 GMT",
                "Date": NOW,
            },
            9,
        ),
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
        ("wait 1,200 seconds", 1200),
        ("wait 1 hour,2 minutes", 3720),
        ("This API cannot be run again for another 23 hours, 57 minutes, and 54 seconds.", 86_274),
        ("Please wait 1 day and 2 hours", 93_600),
        ("retry in 1m30s", 90),
        ("retry in 1.5 minutes", 90),
        ("No more than 300 calls per 1 hour. Try again in 1 minute 5 seconds.", 65),
        ("Wait 5 seconds. The limit is 300 calls in 1 hour.", 5),
        ("300 calls per 1 hour, 2 calls at a time: wait, then retry", 3600),
        ("wait 0 seconds", None),
        ("wait for 5 hosts", None),
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
        ([("SECONDS_TO_WAIT", "0")], None),
        ([("SECONDS_TO_WAIT", "0"), ("RETRY_AFTER", "3")], 3),
        ([], None),
    ],
)
def test_items(items: list[tuple[str, str]], seconds: float | None) -> None:
    assert wait_from_items(items) == seconds
