"""What the decisions make of each finding that arrived. Every finding is in one of the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_ciscovm.errors import CiscoVMError
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.plan.decisions import FILTERED, FIXED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_ciscovm.intake.arrivals import Arrivals
    from target_ciscovm.intake.counts import Counts
    from target_ciscovm.plan.decisions import Decided


def account_for(counts: Counts, arrivals: Arrivals, decided: Iterable[Decided]) -> None:
    """Tell the counts what was decided; those of an earlier plan are dropped.

    Raises:
        CiscoVMError: when the counts do not close, which would be a defect of ours.
    """
    counts.filtered.clear()
    counts.will_close.clear()
    counts.nothing_to_do.clear()
    counts.mapped = 0
    for one in decided:
        is_filter = one.cause.startswith(FILTERED)
        if is_filter:
            name = one.cause.removeprefix(FILTERED)
            counts.filtered[name] += one.findings
            counts.will_close[name] += one.entries if one.action == "close" else 0
        elif one.action == "open" or (one.action == "close" and one.cause == FIXED):
            counts.mapped += one.findings
        elif one.findings and one.cause != REFUSED:
            counts.nothing_to_do[one.cause] += one.findings
    for name in [name for name, count in counts.filtered.items() if not count]:
        del counts.filtered[name]
    counts.dropped_by_maps = max(arrivals.counts[FINDINGS] - counts.received[FINDINGS], 0)
    difference = counts.open_difference
    if difference:
        msg = (
            f"{difference:,} findings are unaccounted for, so nothing was sent. This is a defect "
            "of target-ciscovm: please report it, with report.json."
        )
        raise CiscoVMError(msg)
