"""Each finding that arrived is in one count, whatever was decided about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.errors import CiscoVMError
from target_ciscovm.intake.arrivals import Arrivals
from target_ciscovm.intake.counts import FINDINGS, Counts
from target_ciscovm.plan.accounting import account_for
from target_ciscovm.plan.decisions import Decided

if TYPE_CHECKING:
    from collections.abc import Sequence


def accounted(received: int, decided: Sequence[Decided], **counts: int) -> Counts:
    """Count what was decided about so many findings, all of which are in the spool."""
    made = Counts()
    made.received[FINDINGS] = received
    made.kept[FINDINGS] = received
    for _ in range(counts.get("refused", 0)):
        made.reject_late(FINDINGS, "too large")
    account_for(made, Arrivals(), decided)
    return made


def test_what_is_opened_or_closed_as_fixed_is_mapped() -> None:
    found = accounted(
        5,
        [
            Decided("open", "new", 2, 2),
            Decided("open", "still", 1, 1),
            # One is fixed at two assets.
            Decided("close", "fixed", 3, 2),
        ],
    )

    assert found.mapped == 5


def test_closings_that_no_finding_stands_for_are_none_of_the_findings() -> None:
    found = accounted(
        1,
        [
            Decided("open", "moved here", 1, 1),
            Decided("close", "moved away", 1, 0),
            Decided("close", "gone", 7, 0),
            Decided("leave", "type not read", 4, 0),
        ],
    )

    assert (found.mapped, found.nothing_to_do) == (1, {})


def test_what_is_filtered_is_counted_by_filter_with_what_it_closes() -> None:
    found = accounted(
        6,
        [
            Decided("close", "filtered: min_severity", 3, 2),
            Decided("leave", "filtered: min_severity", 3, 3),
            Decided("leave", "filtered: exclude_potential", 1, 1),
        ],
    )

    assert found.filtered == {"min_severity": 5, "exclude_potential": 1}
    assert found.will_close == {"min_severity": 3, "exclude_potential": 0}


def test_a_filter_that_left_nothing_out_of_this_load_is_not_named() -> None:
    found = accounted(0, [Decided("close", "filtered: min_severity", 1, 0)])

    assert found.filtered == {}


def test_what_changes_nothing_is_counted_by_its_cause() -> None:
    found = accounted(
        3, [Decided("leave", "already closed", 2, 2), Decided("leave", "outdated", 2, 1)]
    )

    assert found.nothing_to_do == {"already closed": 2, "outdated": 1}


def test_what_is_refused_for_its_size_is_rejected_and_nothing_else() -> None:
    found = accounted(1, [Decided("leave", "refused for size", 2, 1)], refused=1)

    assert (found.rejected[FINDINGS], found.nothing_to_do, found.mapped) == (1, {}, 0)


@pytest.mark.parametrize("counted", [1, 3])
def test_a_finding_too_many_or_too_few_stops_the_load_as_a_defect(counted: int) -> None:
    with pytest.raises(CiscoVMError, match="defect of target-ciscovm"):
        accounted(2, [Decided("open", "new", counted, counted)])


def test_another_plan_takes_the_place_of_the_one_before() -> None:
    counts = accounted(
        2, [Decided("close", "filtered: min_severity", 1, 1), Decided("open", "new", 1, 1)]
    )

    account_for(counts, Arrivals(), [Decided("open", "new", 2, 2)])

    assert (counts.mapped, counts.filtered, counts.nothing_to_do) == (2, {}, {})


def test_what_stream_maps_of_the_target_dropped_is_told() -> None:
    arrivals, counts = Arrivals(), Counts()
    for number in range(3):
        arrivals.add(FINDINGS, b'{"uniqueId": "%d"}' % number)
    counts.received[FINDINGS] = counts.kept[FINDINGS] = 1

    account_for(counts, arrivals, [Decided("open", "new", 1, 1)])

    assert counts.dropped_by_maps == 2
