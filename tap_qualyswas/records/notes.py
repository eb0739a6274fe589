"""What was odd in the rows of a page or of a stream."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

NAMED_AT_MOST: Final = 10
"""The most rejected rows that a log line names."""


@dataclass(slots=True)
class Notes:
    """What was odd, by property; logged once a run, not once a row."""

    unknown: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    rejected_rows: list[str] = field(default_factory=list)
    rejected_of: set[int | None] = field(default_factory=set)
    """Ids of the web applications that rejected rows are of; None where a row does not tell it."""
    replaced: int = 0
    evidence_left: int = 0
    """Bytes that the finding at hand may still carry as evidence."""

    def add(self, other: Notes) -> None:
        """Add the notes of another page."""
        self.unknown.update(other.unknown)
        self.unreadable.update(other.unreadable)
        self.cut.update(other.cut)
        self.rejected += other.rejected
        self.rejected_rows = (self.rejected_rows + other.rejected_rows)[:NAMED_AT_MOST]
        self.rejected_of |= other.rejected_of
        self.replaced += other.replaced

    def reject(self, why: str, webapp_id: int | None = None) -> None:
        """Note a row without a usable key, and the web application that it is of."""
        self.rejected += 1
        self.rejected_of.add(webapp_id)
        if len(self.rejected_rows) < NAMED_AT_MOST:
            self.rejected_rows.append(why)
