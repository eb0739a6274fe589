"""What each stream has read, held against what was counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.digest import Digest
from qualyswas_ciscovm.wording import counted, cut
from tap_qualyswas.errors import InvalidRequest, cause_of
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.search.walk import LAG_SECONDS, UNCOUNTED

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from tap_qualyswas.errors import QualysError
    from tap_qualyswas.search.page_records import Page

NAMED_AT_MOST: Final = 50
NAME_LENGTH: Final = 80
"""Of fields; their names come from the answers."""


@dataclass(slots=True)
class Tally:
    """The numbers of one stream.

    Attributes:
        fetched: rows that were read, each once, rejected ones too.
        counted: the number of the count endpoint before the walk; None when it was not asked.
        counted_by: the same, by sweep.
        recounted: the number after the walk; None when it was not asked.
        duplicates: rows that came a second time and were dropped.
        read: rows that were handed to the SDK, before any stream map.
        digest: their fingerprint.
        window_start: lower bound in time, None for everything.
        settled: whether what differs from the counts has been looked for, and is read again or
            left out of the coverage.
        ended: whether the stream was read to its end.
        gaps: what else is missing, each in words.
        notes: what was odd in its rows.
    """

    fetched: int = 0
    counted: int | None = None
    counted_by: dict[str, int] = field(default_factory=dict)
    recounted: int | None = None
    duplicates: int = 0
    read: int = 0
    digest: Digest = field(default_factory=Digest)
    window_start: str | None = None
    settled: bool = False
    ended: bool = False
    gaps: list[str] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)

    @property
    def latest_count(self) -> int | None:
        """The latest number of the count endpoint."""
        return self.counted if self.recounted is None else self.recounted

    def add(self, page: Page) -> None:
        """Add the rows of a page."""
        self.fetched += page.rows
        self.duplicates += page.duplicates
        self.notes.add(page.notes)

    def note_uncounted(self, name: str, error: QualysError, logger: logging.Logger) -> None:
        """Note that the rows of a stream cannot be counted, so that nothing is proven."""
        self.gaps.append(f"{name} could not be counted")
        why = "Qualys refuses it" if isinstance(error, InvalidRequest) else "none came"
        logger.warning("%s: read without a count, as %s (%s).", name, why, cause_of(error))


def read_until_counted(
    read: Callable[[], int],
    count: Callable[[], int],
    note_uncounted: Callable[[QualysError], None],
    sleep: Callable[[float], None],
) -> tuple[int, int] | None:
    """Read until as many rows have come as Qualys counts; a count may lag behind.

    Args:
        read: reads them, and gives how many have come.
        count: asks for their number.
        note_uncounted: gets why they cannot be counted; they are not read again then.
        sleep: waits so many seconds.

    Returns:
        How many have come and how many are counted, where some are missing; None otherwise.
    """
    for seconds in (*LAG_SECONDS, None):
        came = read()
        try:
            number = count()
        except UNCOUNTED as error:
            note_uncounted(error)
            return None
        if number <= came:
            return None
        if seconds is not None:
            sleep(seconds)
    return (came, number)


def counts_agree(tally: Tally) -> bool:
    """Tell whether what was read is what was there: before the walk, after it, or in between."""
    if tally.counted is None:
        return True
    after = tally.counted if tally.recounted is None else tally.recounted
    return min(tally.counted, after) <= tally.fetched <= max(tally.counted, after)


def log_notes(notes: Notes, name: str, logger: logging.Logger) -> None:
    """Log what was odd in the rows of a stream, one line for each kind."""
    kinds = (
        (notes.unknown, "left out fields that are not in the schema"),
        (notes.unreadable, "set unreadable values to null"),
        (notes.cut, "cut texts that were too long"),
    )
    for counter, what in kinds:
        if counter:
            named = {cut(key, NAME_LENGTH): counter[key] for key in sorted(counter)[:NAMED_AT_MOST]}
            listed = ", ".join(f"{key} ({times:,}x)" for key, times in named.items())
            others = len(counter) - len(named)
            listed += f", and {others:,} more" if others else ""
            logger.warning("%s: %s: %s", name, what, listed, extra={"fields": named})
    if notes.replaced:
        replaced = counted(notes.replaced, "illegal character")
        logger.warning("%s: replaced %s", name, replaced)
    if notes.rejected:
        listed = "; ".join(notes.rejected_rows)
        more = notes.rejected - len(notes.rejected_rows)
        listed += f"; and {more:,} more" if more > 0 else ""
        logger.warning("%s: rejected %s: %s", name, counted(notes.rejected, "row"), listed)
