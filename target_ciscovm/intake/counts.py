"""Every count of a run, the rule that fails it, and what each outcome means for the caller."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from target_ciscovm.report.model import FilterCount, Note, RejectionCount, StreamCount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.report.model import Outcome

FINDINGS: Final = "findings"
WEBAPPS: Final = "webapps"
ALREADY_CLOSED: Final = "already_closed"
"""Counts FIXED rows that have nothing open to close: they are left out like filtered ones."""

OUTDATED: Final = "outdated"
"""Counts rows of an old load that tell of an earlier time than what was sent before."""

REASONS_TOLD_APART: Final = 100
OTHER_REASONS: Final = "other reasons, see rejected.jsonl"

EXIT_CODES: Final[dict[Outcome, int]] = {
    "succeeded": 0,
    "succeeded_unproven": 0,
    "aborted": 0,
    "failed": 1,
    "refused": 2,
    "still_running": 3,
}
"""Exit code by outcome; `aborted` is 1 with `fail_on_abort`, a signal gives 128 and its number."""

PASSES_STATE_ON: Final = frozenset({"succeeded", "succeeded_unproven"})


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

    def streams(self, fetched: Mapping[str, tuple[int | None, int | None]]) -> list[StreamCount]:
        """Give the report's rows.

        Args:
            fetched: Qualys's count and the rows the tap wrote, by stream, as the tap told.
        """
        own = [
            StreamCount(
                stream=name,
                counted=fetched.get(name, (None, None))[0],
                fetched=fetched.get(name, (None, None))[1],
                received=self.received[name],
                rejected=self.rejected[name],
                superseded=self.superseded(name),
            )
            for name in self.received
        ]
        others = [
            StreamCount(stream=name, received=count, foreign=name in self.foreign)
            for name, count in (self.passed_over + self.foreign).items()
        ]
        return own + others

    def filters(self) -> list[FilterCount]:
        """Give the report's rows of filters."""
        return [
            FilterCount(name=name, filtered=count, will_close=self.will_close[name])
            for name, count in self.filtered.items()
        ]

    def rejections(self) -> list[RejectionCount]:
        """Give the report's rows of rejections, the most frequent first."""
        return [
            RejectionCount(stream=stream, reason=reason, count=count)
            for (stream, reason), count in self.rejected_by.most_common()
        ]

    def noted(self) -> list[Note]:
        """Give the report's notes, the most frequent first."""
        return [Note(text=text, count=count) for text, count in self.notes.most_common()]


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
