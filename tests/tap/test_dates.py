"""Dates of every form become one form: UTC, whole seconds, rounded down."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_qualyswas.dates import from_header, from_text, to_text, to_utc_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-02T08:00:00Z", "2024-05-02T08:00:00Z"),
        ("2024-05-02T08:00:00.999Z", "2024-05-02T08:00:00Z"),
        ("2024-05-02T08:00:00.123+02:00", "2024-05-02T06:00:00Z"),
        ("2024-05-02T00:30:00+02:00", "2024-05-01T22:30:00Z"),
        ("2024-05-02T08:00:00-0730", "2024-05-02T15:30:00Z"),
        ("2024-05-02 08:00:00", "2024-05-02T08:00:00Z"),
        ("2024-05-02T08:00:00", "2024-05-02T08:00:00Z"),
        ("2024-05-02T08:00:00,5 UTC", "2024-05-02T08:00:00Z"),
        ("2024-05-02t08:00z", "2024-05-02T08:00:00Z"),
        ("2024-05-02", "2024-05-02T00:00:00Z"),
        ("  2024-05-02T08:00:00Z\n", "2024-05-02T08:00:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("18 Nov 2024 04:42PM GMT-0600", "2024-11-18T22:42:00Z"),
        ("11 Mar 2020 01:07PM GMT-0400", "2020-03-11T17:07:00Z"),
        ("11 Mar 2020 12:07AM GMT", "2020-03-11T00:07:00Z"),
        ("11 Mar 2020 12:07PM UTC", "2020-03-11T12:07:00Z"),
        ("18 Nov 2024", "2024-11-18T00:00:00Z"),
    ],
)
def test_every_form_becomes_one(text: str, expected: str) -> None:
    assert to_utc_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "0000-00-00T00:00:00Z",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
    ],
)
def test_zero_dates_are_no_dates(text: str) -> None:
    assert to_utc_text(text) is None


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2024-13-01T00:00:00Z", "2024-02-30", "31 Foo 2024", "1714636800", "２０２４"],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month|day"):
        to_utc_text(text)


@given(
    st.datetimes(datetime(1971, 1, 2), datetime(9998, 1, 1), timezones=st.timezones())  # noqa: DTZ001
)
def test_text_compares_as_the_moments_do(moment: datetime) -> None:
    text = to_utc_text(moment.isoformat())

    assert text is not None
    assert text == to_text(moment)
    assert from_text(text) == moment.astimezone(timezone.utc).replace(microsecond=0)


@pytest.mark.parametrize("text", [None, "", "soon", "Fri, 99 May 2024 08:00:00 GMT"])
def test_an_unreadable_header_tells_no_time(text: str | None) -> None:
    assert from_header(text) is None


def test_a_header_tells_the_time_in_utc() -> None:
    expected = datetime(2024, 5, 31, 8, tzinfo=timezone.utc)

    assert from_header("Fri, 31 May 2024 08:00:00 GMT") == expected
    assert from_header("Fri, 31 May 2024 10:00:00 +0200") == expected
