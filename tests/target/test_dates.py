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

from target_ciscovm.dates import days_before, parse, to_text, to_utc

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
        "2024-05-02 10:00:00 +0200",
        "2024-05-02T08:00:00",
        "2024-05-02T08:00Z",
        "2024-05-02 08:00",
        "  2024-05-02T08:00:00Z\n",
        "02 May 2024 08:00AM GMT",
        "02 May 2024 02:00AM GMT-0600",
        "02 May 2024 01:30PM GMT+0530",
        "2 May 2024 08:00AM",
        "Thu, 02 May 2024 08:00:00 GMT",
        "Thu, 02 May 2024 10:00:00 +0200",
    ],
)
def test_one_moment_written_in_any_way_is_one_text(text: str) -> None:
    assert to_utc(text) == "2024-05-02T08:00:00Z"


@pytest.mark.parametrize("text", ["2024-05-02", "02 May 2024"])
def test_a_day_alone_is_its_beginning(text: str) -> None:
    assert to_utc(text) == "2024-05-02T00:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "   ",
        "0000-00-00T00:00:00Z",
        "0000-00-00",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T01:00:00+01:00",
        "2024-13-01T00:00:00Z",
        "2024-02-30",
        "2024-05-02T25:00:00Z",
        "2024-05-02T08:00:00+99:00",
        "0001-01-01T00:00:00+14:00",
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
def test_a_zero_date_and_what_is_no_date_are_none_and_never_raise(text: str | None) -> None:
    assert to_utc(text) is None
    assert parse(text) is None


def test_a_name_of_the_machines_own_zone_is_never_read_as_utc() -> None:
    program = (
        "from target_ciscovm.dates import to_utc\n"
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
    assert to_utc(text) == text
    assert parse(text) == moment.replace(microsecond=0)


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
