"""Every count of a run, and the rule that fails it."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Final

import msgspec

from qualyswas_ciscovm.wording import counted

FINDINGS: Final = "findings"
WEBAPPS: Final = "webapps"
REASONS_TOLD_APART: Final = 100
OTHER_REASONS: Final = "other reasons, see rejected.jsonl"
OTHER_NOTES: Final = "other values that were not as expected"


class Counts(msgspec.Struct):
    """What became of each record, by stream.

    Attributes:
        received: RECORD lines of the streams that a load uses.
        late_rejected: of the rejected rows, those that were already in the spool.
        passed_over: RECORD lines of other streams of the paired tap.
        foreign: RECORD lines of streams of other taps.
        unknown_messages: lines with an unknown message type; the notes have the types.
        kept: rows that remain in the spool: received, not rejected, not superseded.
        nothing_to_do: findings that change nothing in CVM, by the reason.
        dropped_by_maps: findings that a stream map of the target has dropped.
    """

    received: Counter[str] = msgspec.field(default_factory=Counter)
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    rejected_by: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    late_rejected: Counter[str] = msgspec.field(default_factory=Counter)
    passed_over: Counter[str] = msgspec.field(default_factory=Counter)
    foreign: Counter[str] = msgspec.field(default_factory=Counter)
    kept: Counter[str] = msgspec.field(default_factory=Counter)
    filtered: Counter[str] = msgspec.field(default_factory=Counter)
    will_close: Counter[str] = msgspec.field(default_factory=Counter)
    notes: Counter[str] = msgspec.field(default_factory=Counter)
    nothing_to_do: Counter[str] = msgspec.field(default_factory=Counter)
    unknown_messages: int = 0
    dropped_by_maps: int = 0
    mapped: int = 0

    def reject(self, stream: str, reason: str, *, count: int = 1) -> None:
        """Count records as rejected; reasons after the first hundred are counted together."""
        self.rejected[stream] += count
        known = (stream, reason) in self.rejected_by
        if not known and len(self.rejected_by) >= REASONS_TOLD_APART:
            reason = OTHER_REASONS
        self.rejected_by[stream, reason] += count

    def note(self, text: str) -> None:
        """Count something odd; what comes after the first hundred kinds is counted together."""
        known = text in self.notes or len(self.notes) < REASONS_TOLD_APART
        self.notes[text if known else OTHER_NOTES] += 1

    def superseded(self, stream: str) -> int:
        """Give how many rows were replaced by a later one with the same key.

        0 until the spool has been counted.
        """
        if not self.kept:
            return 0
        return self.received[stream] - self.kept[stream] - self.rejected_at_intake(stream)

    def rejected_at_intake(self, stream: str) -> int:
        """Give how many rows never entered the spool."""
        return self.rejected[stream] - self.late_rejected[stream]

    def reject_late(self, stream: str, reason: str, *, count: int = 1) -> None:
        """Count rows of the spool as rejected."""
        self.reject(stream, reason, count=count)
        self.late_rejected[stream] += count

    @property
    def open_difference(self) -> int:
        """Received findings less all that became of them: 0, or a defect of this program."""
        return self.received[FINDINGS] - (
            self.mapped
            + sum(self.filtered.values())
            + sum(self.nothing_to_do.values())
            + self.rejected[FINDINGS]
            + self.superseded(FINDINGS)
        )


def over_limit(part: int, whole: int, limit_percent: Fraction) -> bool:
    """Tell whether more than the allowed share failed; exactly the limit is allowed."""
    return whole > 0 and Fraction(part * 100, whole) > limit_percent


def rejection_problem(
    counts: Counts, limit_percent: Fraction, *, incremental: bool = False
) -> str | None:
    """Say why too many records are rejected, None when all is within the limit.

    An incremental sync holds a few findings. One bad row among them, which is within the limit of a
    full sync, would stop every load from then on; so one alone is let pass, unless the limit is 0.
    """
    if incremental and limit_percent and counts.rejected.total() == counts.rejected[FINDINGS] == 1:
        return None
    pairs = {
        "finding": (counts.rejected[FINDINGS], counts.received[FINDINGS]),
        "web application": (counts.rejected[WEBAPPS], counts.received[WEBAPPS]),
        "record": (counts.rejected.total(), counts.received.total()),
    }
    for noun, (rejected, received) in pairs.items():
        if over_limit(rejected, received, limit_percent):
            return (
                f"{rejected:,} of {counted(received, noun)} {'was' if rejected == 1 else 'were'} "
                f"rejected, more than the {shown(limit_percent)}% that max_failed_percent allows. "
                "Nothing was sent; see rejected.jsonl for each reason."
            )
    return None


def shown(percent: Fraction) -> str:
    """Write an exact percentage as a person would."""
    return f"{float(percent):g}"
