"""What a sync has read to the end, and what it proves nothing for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Coverage:
    """The web applications for which something is known to be missing."""

    def __init__(self) -> None:
        self._not_proven: set[int] = set()

    @property
    def not_proven(self) -> list[int]:
        """Their ids, ascending."""
        return sorted(self._not_proven)

    def leave_out(self, webapp_ids: Iterable[int]) -> None:
        """Note web applications for which something is missing."""
        self._not_proven.update(webapp_ids)
