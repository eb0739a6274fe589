"""The bookmarks of one run: where each stream begins, and how far it may move afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qualyswas_ciscovm.dates import parse_strict
from tap_qualyswas.sync import plan as planning

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from datetime import datetime

    from tap_qualyswas.sync.state import State


class Bookmarks:
    """Read and move the bookmarks.

    A bookmark never passes the horizon: the moment up to which what was read is sure to be all. It
    is the run's own time, or the launch of a scan that has not ended; and for a walk that an
    interrupted run began, no later than the horizon of that run, since rows that it has passed may
    have changed in between.

    Args:
        state: of the run.
        now: gives the server's time at the run's first answer.
        logger: gets what is wrong with a bookmark.

    Attributes:
        unended_scans: launches of the scans that have not ended; None until they are known.
    """

    def __init__(self, state: State, now: Callable[[], datetime], logger: logging.Logger) -> None:
        self._state = state
        self._now = now
        self._logger = logger
        self._read: dict[str, str | None] = {}
        self._inherited: dict[str, datetime] = {}
        self.unended_scans: list[datetime] | None = None

    def get(self, stream: str, key: str) -> str | None:
        """Give a stream's bookmark; one in the future is warned about and taken as now."""
        if stream not in self._read:
            self._read[stream] = self._look(stream, key)
        return self._read[stream]

    def _look(self, stream: str, key: str) -> str | None:
        try:
            kept = self._state.bookmark(stream, key)
        except ValueError:
            self._logger.warning("%s: the bookmark in the state is no date; all is read.", stream)
            return None
        if kept is None:
            return None
        clamped = planning.clamp(kept, self._now())
        if clamped != kept:
            self._logger.warning(
                "%s: the bookmark %s lies in the future; now (%s) is taken instead.",
                *(stream, kept, clamped),
            )
        return clamped

    def horizon(self, stream: str) -> datetime:
        """Give the moment up to which the rows that are read now are all that there are."""
        limits: list[datetime] = [self._now(), *(self.unended_scans or ())]
        if stream in self._inherited:
            limits.append(self._inherited[stream])
        return min(limits)

    def inherit(self, stream: str, horizon: str) -> None:
        """Take over the horizon of the interrupted run whose walk is gone on with.

        Raises:
            ValueError: when it is no date.
        """
        self._inherited[stream] = parse_strict(horizon)

    def has_inherited(self, stream: str) -> bool:
        """Tell whether a stream's walk was begun by an interrupted run."""
        return stream in self._inherited

    def move(self, stream: str, key: str, greatest: str | None, *, same_filters: bool) -> None:
        """Move a stream's bookmark as far as is safe.

        Args:
            stream: whose bookmark.
            key: of its bookmark.
            greatest: the greatest value that was seen.
            same_filters: whether the bookmark so far was made with the same filters; otherwise it
                tells nothing of the scans that have not ended now, and may move backwards.
        """
        old = self.get(stream, key)
        new = planning.next_bookmark(
            old if same_filters else None,
            greatest or (None if same_filters else old),
            horizon=self.horizon(stream),
        )
        self._state.set_bookmark(stream, key, new)
