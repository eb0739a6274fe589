"""The bookmarks of a run: where each stream starts, and how far its bookmark may move."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import parse_strict, to_text
from qualyswas_ciscovm.server_clock import AGREEMENT
from tap_qualyswas.records.scan_status import has_ended, launch_of, running_scan
from tap_qualyswas.sync.plan import next_bookmark, window_start

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.plan import Planner
    from tap_qualyswas.sync.state import State

HANGING_AFTER: Final = timedelta(days=30)
"""A scan that runs longer than this no longer holds the bookmarks back."""


class UnendedScans:
    """Launches of the scans that have not ended: their findings are dated with them.

    They are not known until the scans have been read, or asked for.

    Args:
        now: gives the server's time at the run's beginning.
        logger: gets a line for a scan that hangs.
    """

    def __init__(self, now: Callable[[], datetime], logger: logging.Logger) -> None:
        self._now = now
        self._logger = logger
        self._launches: list[datetime] | None = None
        self._named: set[int] = set()
        self._warned = False

    @property
    def is_known(self) -> bool:
        """Whether they have been read, or are being read."""
        return self._launches is not None

    @property
    def launches(self) -> tuple[datetime, ...]:
        """Those that hold the bookmarks back; none while they are not known."""
        return tuple(self._launches or ())

    @property
    def hidden(self) -> list[int]:
        """Ids of scans that web applications name as running, and that no search by date brings."""
        return sorted(self._named)

    def note_webapp(self, webapp: Record) -> None:
        """Note the latest scan of a web application, if it runs."""
        number = running_scan(webapp)
        if number is not None:
            self.note_running([number])

    def note_running(self, scan_ids: Iterable[int]) -> None:
        """Note scans that run, as web applications say."""
        self._named.update(scan_ids)

    def begin(self) -> None:
        """Start to collect them from the scans of this run."""
        self._launches = []

    def forget(self) -> None:
        """Let them be asked for: those that were read are not all."""
        self._launches = None

    def set_from(self, scans: Iterable[Record]) -> None:
        """Take them from scans, among which all are that may still run."""
        self.begin()
        for scan in scans:
            self.note(scan)

    def add(self, launches: Iterable[datetime]) -> None:
        """Add those that an interrupted run has seen."""
        self._launches = [*self.launches, *launches]

    def note(self, scan: Record) -> None:
        """Add a scan that was read, if it has not ended.

        One whose launch nothing tells may have been launched at any time since the earliest.
        """
        if has_ended(scan) or scan["launchedDate"] is not None:  # a search by date brings it again
            self._named.discard(int(str(scan["id"])))
        if has_ended(scan):
            return
        launch, earliest = launch_of(scan), self.earliest()
        if launch is None:
            self._warn(
                "Scan %s has not ended and does not tell when it was launched. The bookmarks stay "
                "where they are.",
                scan["id"],
            )
        if launch is None or launch > earliest:
            self.add([launch or earliest])
            return
        self._warn(
            "Scan %s was launched at %s and has not ended. After 30 days it no longer holds the "
            "bookmarks back.",
            *(scan["id"], to_text(launch)),
        )

    def _warn(self, text: str, *told: object) -> None:
        if not self._warned:
            self._warned = True
            self._logger.warning(text, *told)

    def earliest(self) -> datetime:
        """Give the moment since which a scan must have been launched to hold anything back."""
        return self._now() - HANGING_AFTER


class Bookmarks:
    """Read and move the bookmarks.

    A bookmark never passes the horizon: the moment up to which everything has been read. It is the
    run's own time, or the launch of a scan that has not ended. For a walk that an interrupted run
    began it is no later than the horizon of that run, since rows behind the cursor may have changed
    in between.

    Args:
        state: of the tap.
        planner: knows whether bookmarks are ignored.
        now: gives the server's time at the run's beginning.
        logger: gets what is wrong with a bookmark.

    Attributes:
        unended_scans: they hold the bookmarks back.
        clock_is_behind: whether rows are dated after the time that Qualys told.
    """

    def __init__(
        self,
        state: State,
        planner: Planner,
        now: Callable[[], datetime],
        logger: logging.Logger,
    ) -> None:
        self._state = state
        self._planner = planner
        self._now = now
        self._logger = logger
        self._kept: dict[str, str | None] = {}
        self._inherited: dict[str, datetime] = {}
        self.unended_scans = UnendedScans(now, logger)
        self.clock_is_behind = False

    def window_start(self, stream: str, key: str) -> str | None:
        """Give the moment after which a stream asks for rows; None for all of them."""
        restart = self._planner.plan.restart
        return window_start(None if restart else self._get(stream, key), self._planner.options)

    def _get(self, stream: str, key: str) -> str | None:
        """Give the kept bookmark; None when there is none, or it lies in the future."""
        if stream not in self._kept:
            self._kept[stream] = self._read(stream, key)
        kept, now = self._kept[stream], self._now()
        if kept is None or kept > to_text(now + AGREEMENT):
            return None
        return min(kept, to_text(now))

    def _read(self, stream: str, key: str) -> str | None:
        try:
            kept = self._state.bookmark(stream, key)
        except ValueError:
            self._logger.warning(
                "%s: the bookmark in the state is not a date, so everything is read.", stream
            )
            return None
        if kept is not None and kept > to_text(self._now() + AGREEMENT):
            self._logger.warning(
                "%s: ignoring the bookmark %s, which lies in the future.", stream, kept
            )
        return kept

    def horizon(self, stream: str) -> datetime:
        """Give the moment up to which the rows that are read now are all that there are."""
        limits = [self._now(), *self.unended_scans.launches]
        if stream in self._inherited:
            limits.append(self._inherited[stream])
        return min(limits)

    def inherit(self, stream: str, horizon: str) -> None:
        """Take over the horizon of an interrupted run whose walk goes on.

        Raises:
            ValueError: when it is not a date.
        """
        self._inherited[stream] = parse_strict(horizon)

    def has_inherited(self, stream: str) -> bool:
        """Tell whether an interrupted run began the walk of a stream."""
        return stream in self._inherited

    def move(self, stream: str, key: str, greatest: str | None) -> None:
        """Move the bookmark of a stream as far as is safe.

        A bookmark that was made with other filters, or of another account, says nothing about the
        scans that run now, so the new one may lie before it. One that lies in the future stays when
        rows do so too: then the time that Qualys told is wrong.

        Args:
            stream: the stream.
            key: its replication key.
            greatest: the greatest value that was read.
        """
        old, horizon = self._get(stream, key), self.horizon(stream)
        if greatest is not None and greatest > to_text(self._now() + AGREEMENT):
            self.clock_is_behind = True
        if old is None and self._kept[stream] is not None:
            if self.clock_is_behind:
                return
            greatest = greatest or to_text(horizon)
        planner = self._planner
        if planner.history.same_filters is False or not planner.is_of_same_account:
            new = next_bookmark(None, greatest or old, horizon=horizon)
        else:
            new = next_bookmark(old, greatest, horizon=horizon)
        self._state.set_bookmark(stream, key, new)
