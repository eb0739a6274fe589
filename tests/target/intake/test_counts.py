"""Every record is counted once in what became of it, and the rule that fails a run is exact."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_ciscovm.intake.counts import (
    OTHER_NOTES,
    OTHER_REASONS,
    REASONS_TOLD_APART,
    Counts,
    over_limit,
    rejection_problem,
    shown,
)
from target_ciscovm.outcomes import EXIT_CODES, PASSES_STATE_ON, Outcome
from target_ciscovm.report.accounting import (
    filter_counts,
    note_counts,
    rejection_counts,
    stream_counts,
)

ONE = Fraction(1)


def counts(**received: tuple[int, int]) -> Counts:
    """Make counts of received and rejected rows by stream."""
    found = Counts()
    for stream, (all_of_them, rejected) in received.items():
        found.received[stream] = all_of_them
        found.reject(stream, "bad", count=rejected)
    return found


@pytest.mark.parametrize(
    ("part", "whole", "percent", "over"),
    [
        (1, 100, "1", False),
        (2, 100, "1", True),
        (10, 1000, "1", False),
        (11, 1000, "1", True),
        (1, 99, "1", True),
        (1, 1, "1", True),
        (1, 1, "100", False),
        (0, 100, "0", False),
        (1, 10**9, "0", True),
        (1, 1000, "0.1", False),
        (2, 1000, "0.1", True),
        (1, 3, "33.3", True),
        (1, 3, "33.4", False),
        (0, 0, "0", False),
        (5, 0, "0", False),
    ],
)
def test_a_share_is_over_the_limit_only_when_it_is_more(
    part: int, whole: int, percent: str, over: bool
) -> None:
    assert over_limit(part, whole, Fraction(percent)) is over


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.decimals(0, 100, places=4))
def test_the_limit_is_exact_whatever_the_numbers(part: int, whole: int, percent: object) -> None:
    limit = Fraction(str(percent))

    assert over_limit(part, whole, limit) is (
        part * 100 * limit.denominator > limit.numerator * whole
    )


@given(st.integers(1, 10**6))
def test_just_the_limit_passes_and_one_more_fails(hundreds: int) -> None:
    assert not over_limit(hundreds, hundreds * 100, ONE)
    assert over_limit(hundreds + 1, hundreds * 100, ONE)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (counts(findings=(100, 1)), None),
        (counts(findings=(100, 2)), "2 of 100 findings"),
        (counts(findings=(1000, 10), webapps=(10, 0)), None),
        (counts(findings=(1000, 0), webapps=(10, 1)), "1 of 10 web applications"),
        (counts(findings=(1000, 0), scans=(10, 10)), None),
        (counts(findings=(100, 0), scans=(100, 3)), "3 of 200 records"),
        (counts(knowledge_base=(50, 1)), "1 of 50 records"),
        (counts(), None),
    ],
    ids=range(8),
)
def test_too_many_rejected_findings_web_applications_or_records_fail_the_run(
    found: Counts, what: str | None
) -> None:
    told = rejection_problem(found, ONE)

    assert (told is None) is (what is None)
    if told is not None and what is not None:
        for word in (what, "more than the 1%", "rejected.jsonl", "Nothing was sent"):
            assert word in told


@pytest.mark.parametrize(
    ("found", "percent", "stops"),
    [
        (counts(findings=(20, 1)), "1", False),
        (counts(findings=(1, 1)), "1", False),
        (counts(findings=(20, 2)), "1", True),
        (counts(findings=(20, 1)), "0", True),
        (counts(findings=(20, 0), webapps=(10, 1)), "1", True),
        (counts(findings=(20, 1), scans=(10, 1)), "1", True),
    ],
    ids=range(6),
)
def test_among_the_few_findings_of_an_incremental_sync_one_may_be_rejected(
    found: Counts, percent: str, stops: bool
) -> None:
    limit = Fraction(percent)

    assert (rejection_problem(found, limit, incremental=True) is not None) is stops
    assert rejection_problem(found, limit) is not None


@pytest.mark.parametrize(("percent", "text"), [("1", "1"), ("0.50", "0.5"), ("33.3", "33.3")])
def test_a_limit_is_told_as_a_person_would_write_it(percent: str, text: str) -> None:
    assert shown(Fraction(percent)) == text


def test_reasons_are_told_apart_up_to_a_limit_and_none_is_lost() -> None:
    found = Counts()
    for number in range(3 * REASONS_TOLD_APART):
        found.reject("findings", f"reason {number}")
    found.reject("findings", "reason 0")

    rows = rejection_counts(found)

    assert len(rows) == REASONS_TOLD_APART + 1
    assert (rows[0].reason, rows[0].count) == (OTHER_REASONS, 2 * REASONS_TOLD_APART)
    assert (rows[1].reason, rows[1].count) == ("reason 0", 2)
    assert sum(row.count for row in rows) == found.rejected["findings"]


def test_a_row_that_a_later_one_replaced_is_superseded_and_not_lost() -> None:
    found = counts(findings=(10, 2), webapps=(3, 0))
    found.kept.update(findings=7, webapps=3)

    assert found.superseded("findings") == 1
    assert found.superseded("webapps") == 0
    found.reject_late("findings", "nowhere")
    assert found.superseded("findings") == 1
    assert found.rejected["findings"] == 3


def test_filtered_is_not_rejected() -> None:
    found = counts(findings=(100, 0))
    found.filtered["exclude_potential"] = 100

    assert rejection_problem(found, Fraction(0)) is None


@given(
    st.lists(st.sampled_from(["mapped", "potential", "severity", "bad", "late", "again"])),
)
def test_the_sum_of_all_that_became_of_findings_is_what_was_received(fates: list[str]) -> None:
    found = Counts()
    for fate in fates:
        found.received["findings"] += 1
        if fate == "bad":
            found.reject("findings", fate)
        elif fate != "again":
            found.kept["findings"] += 1
    found.kept["findings"] += 0
    for fate in fates:
        if fate == "mapped":
            found.mapped += 1
        elif fate == "late":
            found.reject_late("findings", fate)
        elif fate in {"potential", "severity"}:
            found.filtered[fate] += 1

    assert found.open_difference == 0
    found.mapped += 1
    assert found.open_difference == -1


def test_rows_of_the_report_name_each_stream_and_what_the_tap_told() -> None:
    found = counts(findings=(10, 1))
    found.kept["findings"] = 9
    found.passed_over["scan_results"] = 4
    found.foreign["users"] = 5

    rows = {row.stream: row for row in stream_counts(found, {"findings": (12, 10)})}

    assert (rows["findings"].counted, rows["findings"].fetched) == (12, 10)
    assert (rows["findings"].received, rows["findings"].rejected) == (10, 1)
    assert (rows["scan_results"].received, rows["scan_results"].foreign) == (4, False)
    assert (rows["users"].received, rows["users"].foreign) == (5, True)


def test_filters_and_notes_are_told_with_their_counts() -> None:
    found = Counts()
    found.filtered.update(min_severity=3)
    found.will_close.update(min_severity=2)
    found.notes.update(once=1, twice=2)

    assert [(row.name, row.filtered, row.will_close) for row in filter_counts(found)] == [
        ("min_severity", 3, 2)
    ]
    assert [(row.text, row.count) for row in note_counts(found)] == [("twice", 2), ("once", 1)]


def test_every_outcome_but_an_interruption_has_an_exit_code() -> None:
    assert set(EXIT_CODES) == set(get_args(Outcome)) - {"interrupted"}
    assert {code for name, code in EXIT_CODES.items() if name in PASSES_STATE_ON} == {0}


def test_oddities_beyond_the_first_hundred_kinds_are_counted_together() -> None:
    found = Counts()
    for number in range(200):
        found.note(f"unknown status {number}")
        found.note("unknown status 7")

    assert len(found.notes) == 101
    assert (found.notes["unknown status 7"], found.notes[OTHER_NOTES]) == (201, 100)
