"""The finished scans whose report is still to be downloaded, kept in the state until it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_qualyswas.sync.state import State

STREAM: Final = "scan_results"
REFUSED: Final = "refused"


class PendingReports:
    """The ids of these scans.

    Args:
        state: of the tap.
        wanted: whether the reports are downloaded at all.
    """

    def __init__(self, state: State, *, wanted: bool) -> None:
        self._state = state
        self.wanted = wanted

    def scan_ids(self) -> list[int]:
        """Give the ids of the scans, as they are kept."""
        kept = self._state.pending(STREAM)
        return [value for value in kept if isinstance(value, int)] if isinstance(kept, list) else []

    def add(self, scan_ids: Iterable[int]) -> None:
        """Add scans, where their reports are wanted."""
        if self.wanted:
            self._state.set_pending(STREAM, sorted({*self.scan_ids(), *scan_ids}))

    def keep(self, scan_ids: Iterable[int]) -> None:
        """Keep these scans only: the other reports have been read."""
        self._state.set_pending(STREAM, sorted(scan_ids))

    def keep_refused(self, scan_ids: Iterable[int]) -> list[int]:
        """Keep which reports a sync was refused; give those that none was refused before.

        What is refused twice stays so, and should not take a call in each sync.
        """
        kept = self._state.passing(STREAM, REFUSED)
        first = {*scan_ids}.difference(kept if isinstance(kept, list) else ())
        self._state.set_passing(STREAM, REFUSED, sorted(first))
        return [*first]

    def write(self) -> None:
        """Write the state."""
        self._state.write()
