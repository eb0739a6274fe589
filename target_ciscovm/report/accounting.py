"""The counts of a run, as rows of its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_ciscovm.report.model import FilterCount, Note, RejectionCount, StreamCount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.intake.counts import Counts


def stream_counts(
    counts: Counts, fetched: Mapping[str, tuple[int | None, int | None]]
) -> list[StreamCount]:
    """Give a row for each stream.

    Args:
        counts: of the run.
        fetched: Qualys's count and the rows that the tap wrote, by stream, as the tap says.
    """
    own = [
        StreamCount(
            stream=name,
            counted=fetched.get(name, (None, None))[0],
            fetched=fetched.get(name, (None, None))[1],
            received=counts.received[name],
            rejected=counts.rejected[name],
            superseded=counts.superseded(name),
        )
        for name in counts.received
    ]
    others = [
        StreamCount(stream=name, received=count, foreign=name in counts.foreign)
        for name, count in (counts.passed_over + counts.foreign).items()
    ]
    return own + others


def filter_counts(counts: Counts) -> list[FilterCount]:
    """Give a row for each filter that left something out."""
    return [
        FilterCount(name=name, filtered=count, will_close=counts.will_close[name])
        for name, count in counts.filtered.items()
    ]


def rejection_counts(counts: Counts) -> list[RejectionCount]:
    """Give a row for each stream and reason, the most frequent first."""
    return [
        RejectionCount(stream=stream, reason=reason, count=count)
        for (stream, reason), count in counts.rejected_by.most_common()
    ]


def note_counts(counts: Counts) -> list[Note]:
    """Give the notes, the most frequent first."""
    return [Note(text=text, count=count) for text, count in counts.notes.most_common()]
