"""What a sync has read to the end: nothing else may be called gone because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.settings.values import Filters


class Coverage:
    """The web applications that were read, and those for which something may be missing.

    Attributes:
        read: ids of those that were read.
        changed: of those that came or went while the sync read.
    """

    def __init__(self) -> None:
        self.read: set[int] = set()
        self.changed: set[int] = set()
        self._not_proven: set[int] = set()

    @property
    def not_proven(self) -> list[int]:
        """Those of which something is known to be missing, ascending."""
        return sorted(self._not_proven)

    def note_webapp(self, record: Record) -> None:
        """Note a web application whose row was read."""
        number = record["id"]
        if isinstance(number, int):
            self.read.add(number)

    def leave_out(self, webapp_ids: Iterable[int]) -> None:
        """Note web applications for which something is missing."""
        self._not_proven.update(webapp_ids)

    def compare(self, webapp_ids: Iterable[int]) -> None:
        """Note what has come or gone since the web applications were read."""
        self.changed = self.read ^ set(webapp_ids)

    def row(self, filters: Filters, since: str | None) -> Json:
        """Give it as the `syncs` row has it.

        Args:
            filters: of the run.
            since: lower bound in time of the findings that were read, None for everything.
        """
        not_proven: list[Json] = [*self.not_proven]
        changed: list[Json] = [*sorted(self.changed)]
        types: list[Json] = [*filters.finding_types]
        return {
            "source": filters.source,
            "findingTypes": types,
            # A folder may lack the report of any web application.
            "wholeAccount": not (filters.names_webapps or filters.reads_files),
            "webApps": {"read": len(self.read), "notProven": not_proven, "changed": changed},
            "since": since,
        }
