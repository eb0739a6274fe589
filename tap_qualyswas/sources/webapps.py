"""Web applications: read once, and counted again after the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.walk import Sweep
from tap_qualyswas.sync.cursors import frame_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope


def read_webapps(reader: Reader, scope: Scope, settings: Settings) -> Iterator[Record]:
    """Read all web applications.

    Raises:
        QualysError: when the read cannot go on.
    """
    sweeps = [
        Sweep(
            key=f"webapp/{number}",
            kind="webapp",
            criteria=criteria,
            read=WEBAPP,
            page_size=settings.verbose_page_size,
            verbose=True,
        )
        for number, criteria in enumerate(scope.criteria("id"))
    ]
    return reader.records("webapps", sweeps, frame_of(settings, scope, None))


def recount_webapps(reader: Reader, scope: Scope) -> None:
    """Count the web applications again, now that the findings have been read.

    Raises:
        QualysError: when Qualys cannot be asked.
    """
    tally = reader.tallies.get("webapps")
    if tally is not None and tally.counted is not None:
        counts = (reader.client.count("webapp", criteria) for criteria in scope.criteria("id"))
        tally.recounted = sum(counts)
