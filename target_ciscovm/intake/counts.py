"""Every count of a run, and the rule that fails it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

FINDINGS: Final = "findings"
WEBAPPS: Final = "webapps"
ALREADY_CLOSED: Final = "already_closed"
"""Counts FIXED rows that have nothing open to close: they are left out like filtered ones."""

OUTDATED: Final = "outdated"
"""Counts rows of an old load that tell of an earlier time than what was sent before."""

REASONS_TOLD_APART: Final = 100
OTHER_REASONS: Final = "other reasons, see rejected.jsonl"


@dataclass
class Counts:
    """What became of each record, by stream.

    Attributes:
        received: RECORD lines of the streams that a load is made of.
        late_rejected: of the rejected rows, those that were in the spool already.
        passed_over: RECORD lines of other streams.
        unknown_messages: lines of message types that mean nothing here.
        kept: rows that are in the spool in the end: received, not rejected, not superseded.
    """

    received: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    rejected_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    late_rejected: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    unknown_messages: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    filtered: Counter[str] = field(default_factory=Counter)
    will_close: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    mapped: int = 0

    def reject(self, stream: str, reason: str, *, count: int = 1) -> None:
        """Count records as rejected; reasons beyond the first hundred are counted together."""
        self.rejected[stream] += count
        known = (stream, reason) in self.rejected_by
        if not known and len(self.rejected_by) >= REASONS_TOLD_APART:
            reason = OTHER_REASONS
        self.rejected_by[stream, reason] += count

    def superseded(self, stream: str) -> int:
        """Give how many rows a later one of the same key took the place of.

        While the spool was not counted, nobody knows, and none is told.
        """
        if not self.kept:
            return 0
        return self.received[stream] - self.kept[stream] - self.rejected_at_intake(stream)

    def rejected_at_intake(self, stream: str) -> int:
        """Give how many rows never came into the spool."""
        return self.rejected[stream] - self.late_rejected[stream]

    def reject_late(self, stream: str, reason: str, *, count: int = 1) -> None:
        """Count rows of the spool as rejected."""
        self.reject(stream, reason, count=count)
        self.late_rejected[stream] += count

    @property
    def open_difference(self) -> int:
        """Give received less everything that became of it, for findings: 0, or a defect of ours."""
        return self.received[FINDINGS] - (
            self.mapped
            + sum(self.filtered.values())
            + self.rejected[FINDINGS]
            + self.superseded(FINDINGS)
        )


def over_limit(part: int, whole: int, limit_percent: Fraction) -> bool:
    """Tell whether more than the allowed share failed: 1 of 100 is 1 %, and that is allowed."""
    return whole > 0 and Fraction(part * 100, whole) > limit_percent


def rejection_problem(counts: Counts, limit_percent: Fraction) -> str | None:
    """Say which share of records fails the run, None when all are within the limit."""
    pairs = {
        "findings": (counts.rejected[FINDINGS], counts.received[FINDINGS]),
        "web applications": (counts.rejected[WEBAPPS], counts.received[WEBAPPS]),
        "records": (counts.rejected.total(), counts.received.total()),
    }
    for what, (rejected, received) in pairs.items():
        if over_limit(rejected, received, limit_percent):
            return (
                f"{rejected:,} of {received:,} {what} were rejected, more than the "
                f"{shown(limit_percent)}% that max_failed_percent allows. rejected.jsonl has each "
                "with its reason; nothing has been sent."
            )
    return None


def shown(percent: Fraction) -> str:
    """Write an exact share of 100 as a person would."""
    return f"{float(percent):g}"
