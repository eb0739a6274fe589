"""The latest scan that worked on each web application, whatever the order that scans arrive in."""

from __future__ import annotations

import itertools

import pytest

from target_ciscovm.mapping.scans_seen import LastScan, has_worked, latest
from tests.target.rows import as_scan

EARLY, LATE = "2024-05-01T08:00:00Z", "2024-05-02T08:00:00Z"


@pytest.mark.parametrize(
    ("status", "results", "worked"),
    [
        ("FINISHED", "SUCCESSFUL", True),
        ("FINISHED", "TIME_LIMIT_EXCEEDED", True),
        ("FINISHED", None, True),
        ("Finished", "Successful", True),
        ("FINISHED", "FINISHED", True),
        ("FINISHED", "CANCELED_WITH_RESULTS", True),
        ("FINISHED", "NO_HOST_ALIVE", False),
        ("FINISHED", "NO_WEB_SERVICE", False),
        ("FINISHED", "SERVICE_ERROR", False),
        ("FINISHED", "SCAN_INTERNAL_ERROR", False),
        ("FINISHED", "SCAN_RESULTS_INVALID", False),
        ("FINISHED", "SCAN_NOT_LAUNCHED", False),
        ("FINISHED", "SCANNER_NOT_AVAILABLE", False),
        ("FINISHED", "No_Host_Alive", False),
        ("FINISHED", "PROCESSING", False),
        ("FINISHED", "TO_BE_PROCESSED", False),
        ("FINISHED", "processing", False),
        ("RUNNING", None, False),
        ("SUBMITTED", "SUCCESSFUL", False),
        ("CANCELED", "CANCELED", False),
        ("ERROR", "SCAN_INTERNAL_ERROR", False),
        (None, "SUCCESSFUL", False),
    ],
)
def test_a_scan_has_worked_when_it_ended_with_results(
    status: str | None, results: str | None, worked: bool
) -> None:
    assert has_worked(as_scan(status=status, summary={"resultsStatus": results})) is worked
    assert has_worked(as_scan(status=status, summary=None)) is (
        status is not None and status.upper() == "FINISHED"
    )


def test_the_latest_scan_is_the_same_in_every_order() -> None:
    scans = [
        as_scan(1, endScanDate=EARLY, summary={"os": "Old"}),
        as_scan(2, endScanDate=LATE, summary={"os": " New\n"}),
        as_scan(3, endScanDate="2024-05-03T08:00:00Z", status="RUNNING"),
        as_scan(4, 9002, endScanDate=EARLY, summary=None),
    ]

    found = [latest(order) for order in itertools.permutations(scans)]

    assert all(one == found[0] for one in found)
    assert found[0] == {
        9001: LastScan(LATE, "New", "Demo App 1", None),
        9002: LastScan(EARLY, None, "Demo App 2", None),
    }


def test_a_scan_that_reached_nobody_does_not_make_a_web_application_look_seen() -> None:
    scans = [
        as_scan(1, endScanDate=EARLY, summary={"resultsStatus": "SUCCESSFUL"}),
        as_scan(2, endScanDate=LATE, summary={"resultsStatus": "NO_HOST_ALIVE"}),
    ]

    assert latest(scans)[9001].seen == EARLY


def test_of_two_scans_that_ended_together_it_is_the_one_with_the_higher_id() -> None:
    scans = [
        as_scan(number, endScanDate=LATE, summary={"os": f"os {number}"}) for number in (2, 3, 1)
    ]

    for order in itertools.permutations(scans):
        assert latest(order)[9001].os == "os 3"


@pytest.mark.parametrize("ended", [None, "", "0000-00-00T00:00:00Z"])
def test_a_scan_without_an_end_counts_from_its_launch(ended: str | None) -> None:
    scan = as_scan(endScanDate=ended, launchedDate="2024-05-02T10:00:00+02:00")

    assert latest([scan])[9001].seen == LATE


@pytest.mark.parametrize(
    "changes",
    [
        {"webApp": None},
        {"webApp": {"name": "No id"}},
        {"endScanDate": None, "launchedDate": None},
    ],
    ids=str,
)
def test_a_scan_that_tells_neither_what_nor_when_is_passed_over(changes: dict[str, object]) -> None:
    found = {"status": "FINISHED"} | changes

    assert latest([as_scan(1, 9001, **found)]) == {}
