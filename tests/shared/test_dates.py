"""Dates come in every form, and go out in one: UTC, whole seconds, `Z`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qualyswas_ciscovm.dates import (
    days_before,
    from_header,
    parse,
    parse_strict,
    to_text,
    to_utc,
    to_utc_strict,
)

FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

START = datetime(1971, 1, 2, tzinfo=timezone.utc)
MOMENTS = st.integers(0, 8000 * 365 * 86_400_000).map(
    lambda milliseconds: START + timedelta(milliseconds=milliseconds)
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-02T08:00:00Z",
        "2024-05-02t08:00:00z",
        "2024-05-02t08:00z",
        "2024-05-02T08:00:00.123Z",
        "2024-05-02T08:00:00.999999999Z",
        "2024-05-02T08:00:00,5Z",
        "2024-05-02T08:00:00+00:00",
        "2024-05-02T08:00:00-00:00",
        "2024-05-02T10:00:00+02:00",
        "2024-05-02T10:00:00.123+0200",
        "2024-05-02T10:00:00+02",
        "2024-05-02T02:30:00-05:30",
        "2024-05-02 08:00:00",
        "2024-05-02 08:00:00 UTC",
        "2024-05-02T08:00:00,5 UTC",
        "2024-05-02T00:30:00-0730",
        "2024-05-02 10:00:00 +0200",
        "2024-05-02T08:00:00",
        "2024-05-02T08:00Z",
        "2024-05-02 08:00",
        "  2024-05-02T08:00:00Z\n",
        "02 May 2024 08:00AM GMT",
        "02 May 2024 02:00AM GMT-0600",
        "02 May 2024 01:30PM GMT+0530",
        "02 May 2024 01:30PM GMT+05:30",
        "2 May 2024 08:00AM",
        "2 May 2024 08:00AM UTC",
        "2 May 2024 08:00",
        "2 May 2024 08:00:00 GMT",
        "2 MAY 2024 08:00am",
        "Thu, 02 May 2024 08:00:00 GMT",
        "Thu, 02 May 2024 10:00:00 +0200",
    ],
)
def test_one_moment_written_in_any_way_is_one_text(text: str) -> None:
    assert to_utc(text) == to_utc_strict(text) == "2024-05-02T08:00:00Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-02T00:30:00+02:00", "2024-05-01T22:30:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("18 Nov 2024 04:42PM GMT-0600", "2024-11-18T22:42:00Z"),
        ("11 Mar 2020 01:07PM GMT-0400", "2020-03-11T17:07:00Z"),
        ("11 Mar 2020 12:07AM GMT", "2020-03-11T00:07:00Z"),
        ("11 Mar 2020 12:07PM UTC", "2020-03-11T12:07:00Z"),
    ],
)
def test_days_and_halves_of_days_turn_as_they_do(text: str, expected: str) -> None:
    assert to_utc(text) == to_utc_strict(text) == expected


@pytest.mark.parametrize("text", ["2024-05-02", "02 May 2024"])
def test_a_day_alone_is_its_beginning(text: str) -> None:
    assert to_utc(text) == "2024-05-02T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "0000-00-00T00:00:00Z",
        "0000-00-00 00:00:00",
        "0000-00-00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00Z",
        "1970-01-01T01:00:00+01:00",
    ],
)
def test_a_zero_date_is_none(text: str) -> None:
    assert to_utc_strict(text) is None
    assert to_utc(text) is None
    assert parse(text) is None
    with pytest.raises(ValueError, match="no date"):
        parse_strict(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-13-01T00:00:00Z",
        "2024-02-30",
        "2024-05-02T25:00:00Z",
        "2024-05-02T08:00:61Z",
        "2024-05-02T08:00:00+99:00",
        "31 Foo 2024",
        "31 Feb 2024",
        "2 May 2024 13:00PM",
        "2 May 2024 00:00AM",
        "yesterday",
        "２０２４",
        "9999-12-31T23:59:59-01:00",
        "May",
        "never",
        "-",
        "N/A",
        "1714636800",
        "٢٠٢٤-٠٥-٠٢",
        "2024-05-02T08:00:00Z; DROP TABLE",
        "2024-05-02T08:00:00Z\x00",
    ],
)
def test_what_is_no_date_is_none_or_refused(text: str) -> None:
    assert to_utc(text) is None
    assert parse(text) is None
    for strict in (to_utc_strict, parse_strict):
        with pytest.raises(ValueError, match=r"date|month|day|hour|second|offset"):
            strict(text)


def test_no_text_is_no_date() -> None:
    assert to_utc(None) is None
    assert parse(None) is None


def test_a_name_of_the_machines_own_zone_is_never_read_as_utc() -> None:
    program = (
        "from qualyswas_ciscovm.dates import to_utc\n"
        "print(to_utc('2024-05-02 08:00:00 CEST'), to_utc('02 May 2024 08:00AM CEST'))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TZ": "Europe/Berlin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "None None"


@given(MOMENTS, OFFSETS)
def test_the_zone_a_moment_is_written_in_does_not_matter(moment: datetime, zone: timezone) -> None:
    expected = moment.replace(microsecond=0)

    assert parse(moment.astimezone(zone).isoformat()) == expected
    assert parse(moment.astimezone(zone).isoformat(" ")) == expected


@given(MOMENTS)
def test_what_was_written_is_read_back_the_same(moment: datetime) -> None:
    text = to_text(moment)

    assert FORM.fullmatch(text)
    assert to_utc(text) == to_utc_strict(text) == text
    assert parse(text) == parse_strict(text) == moment.replace(microsecond=0)


@given(st.text())
@example("2024-05-02T08:00:00\ud800")
@example("9" * 5000)
def test_any_text_gives_a_date_in_the_one_form_or_none(text: str) -> None:
    found = to_utc(text)

    assert found is None or FORM.fullmatch(found)


@given(st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:]{8}(Z|[+-][0-9]{4})", fullmatch=True))
def test_what_looks_like_a_date_is_one_or_none(text: str) -> None:
    found = to_utc(text)

    assert found is None or FORM.fullmatch(found)


def test_days_before_goes_back_over_the_year() -> None:
    moment = datetime(2024, 1, 2, tzinfo=timezone.utc)

    assert to_text(days_before(moment, 3)) == "2023-12-30T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [None, "", "soon", "Fri, 99 May 2024 08:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1200"],
)
def test_an_unreadable_header_tells_no_time(text: str | None) -> None:
    assert from_header(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 31 May 2024 08:00:00 GMT",
        "Fri, 31 May 2024 10:00:00 +0200",
        "Friday, 31-May-24 08:00:00 GMT",
        "Fri May 31 08:00:00 2024",
    ],
)
def test_a_header_tells_the_time_in_utc(text: str) -> None:
    assert from_header(text) == datetime(2024, 5, 31, 8, tzinfo=timezone.utc)
