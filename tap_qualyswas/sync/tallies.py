"""What each stream read against what was counted, and what keeps a sync from being complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.notes import Notes

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Mapping

NEEDED: Final = ("webapps", "findings", "knowledge_base")
"""Streams without which a load cannot be told to be everything."""


@dataclass(slots=True)
class Tally:
    """The numbers of one stream.

    Attributes:
        fetched: rows that were read, each once, rejected ones too.
        counted: the number of the count endpoint before the walk; None when it was not asked.
        recounted: the number after the walk; None when it was not asked.
        duplicates: rows that came a second time and were dropped.
        window_start: lower bound in time, None for everything.
        ended: whether the stream was read to its end.
        notes: what was odd in its rows.
    """

    fetched: int = 0
    counted: int | None = None
    recounted: int | None = None
    duplicates: int = 0
    window_start: str | None = None
    ended: bool = False
    notes: Notes = field(default_factory=Notes)

    @property
    def told_count(self) -> int | None:
        """The latest number of the count endpoint."""
        return self.counted if self.recounted is None else self.recounted


def counts_agree(tally: Tally) -> bool:
    """Tell whether what was read is what was there: before the walk, after it, or in between."""
    if tally.counted is None:
        return True
    after = tally.counted if tally.recounted is None else tally.recounted
    return min(tally.counted, after) <= tally.fetched <= max(tally.counted, after)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for a whole run.

    Attributes:
        resumed: whether it began from the cursor of an interrupted run.
        has_base: whether it is a full sync, or there was a complete one before.
        evaluation: whether the account marks itself as an evaluation.
        unfetched_qids: QIDs whose knowledge base entry could not be asked for.
        unclassified_qids: QIDs whose finding with details did not come.
    """

    resumed: bool
    has_base: bool
    evaluation: bool
    unfetched_qids: int
    unclassified_qids: int

    def incomplete_reasons(self) -> list[str]:
        """Give why what was read may not be all that there is, whatever the streams read."""
        unfetched, unclassified = self.unfetched_qids, self.unclassified_qids
        found = (
            (self.resumed, "the run went on from the cursor of an interrupted one"),
            (not self.has_base, "no full sync has been complete so far"),
            (self.evaluation, "the account marks itself as an evaluation"),
            (unfetched, f"knowledge_base: {unfetched:,} QIDs could not be asked for"),
            (unclassified, f"knowledge_base: {unclassified:,} QIDs could not be classified"),
        )
        return [reason for holds, reason in found if holds]


def incomplete_reasons(tallies: Mapping[str, Tally], circumstances: Circumstances) -> list[str]:
    """Give why what was read may not be all that there is; nothing when it is."""
    found = circumstances.incomplete_reasons()
    for name, tally in tallies.items():
        if not tally.ended:
            found.append(f"{name} was not read to its end")
        if tally.notes.rejected:
            found.append(f"{name}: {tally.notes.rejected:,} rows were rejected")
        if not counts_agree(tally):
            found.append(f"{name}: {tally.fetched:,} rows read, {tally.told_count:,} counted")
    webapps = tallies.get("webapps")
    if webapps and webapps.recounted is not None and webapps.recounted < webapps.fetched:
        # Out of the account's scope looks the same as deleted, and its findings may be half read.
        found.append("a web application vanished while findings were read")
    return found


def missing_streams(selected: Collection[str]) -> list[str]:
    """Give why a run of these streams can never be complete; nothing when it can."""
    return [f"{name} is not selected" for name in NEEDED if name not in selected]


def tell_notes(notes: Notes, name: str, logger: logging.Logger) -> None:
    """Name what was odd in the rows of a stream: one line a kind, once a run."""
    kinds = (
        (notes.unknown, "fields that the schema does not know were left out"),
        (notes.unreadable, "values that could not be read are null"),
        (notes.cut, "texts that were too long were cut"),
    )
    for counter, what in kinds:
        if counter:
            told = ", ".join(f"{key} ({times:,}x)" for key, times in sorted(counter.items()))
            logger.warning("%s: %s: %s", name, what, told, extra={"fields": dict(counter)})
    if notes.replaced:
        logger.warning("%s: %d illegal characters were replaced", name, notes.replaced)
    if notes.rejected:
        told = "; ".join(notes.rejected_rows)
        more = notes.rejected - len(notes.rejected_rows)
        told += f"; and {more:,} more" if more > 0 else ""
        logger.warning("%s: %d rows were rejected: %s", name, notes.rejected, told)
