"""Web applications: read once, and counted again after the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.walk import Sweep
from tap_qualyswas.sync.reader import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.sync.run import Run


class NothingToNote:
    """A collector for rows that leave nothing to be known."""

    def take(self, records: Sequence[Record]) -> None:
        """Look at nothing."""

    def carried(self) -> dict[str, Any]:
        """Hand nothing on."""
        return {}

    def restore(self, carried: dict[str, Any]) -> None:
        """Take nothing over."""


def webapp_sweeps(run: Run) -> list[Sweep]:
    """Give the searches for web applications."""
    return [
        Sweep(
            key=f"webapp/{number}",
            kind="webapp",
            criteria=scope,
            read=WEBAPP,
            page_size=run.settings.verbose_page_size,
            verbose=True,
        )
        for number, scope in enumerate(run.scopes("id"))
    ]


def read_webapps(run: Run) -> Iterator[Record]:
    """Read all web applications.

    Raises:
        QualysError: when the read cannot go on.
    """
    sweeps = webapp_sweeps(run)
    yield from Reading(run, "webapps", sweeps, run.frame(None), NothingToNote()).records()


def recount_webapps(run: Run) -> None:
    """Count the web applications again, now that the findings have been read."""
    tally = run.tallies.get("webapps")
    if tally is not None and tally.counted is not None:
        tally.recounted = sum(
            run.api.count(sweep.kind, sweep.criteria) for sweep in webapp_sweeps(run)
        )
