"""Web applications: read once, and counted again after the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_qualyswas.records.webapps import WEBAPP
from tap_qualyswas.search.sweeps import Sweep
from tap_qualyswas.sources.webapp_details import WebappDetails
from tap_qualyswas.sync.cursors import frame_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.bookmarks import UnendedScans
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

RUNNING: Final = "running"


def read_webapps(
    reader: Reader,
    scope: Scope,
    settings: Settings,
    unended_scans: UnendedScans,
    meanwhile: Callable[[], None],
) -> Iterator[Sequence[Record]]:
    """Read all web applications, by pages.

    Args:
        reader: what they are read with.
        scope: of the run.
        settings: of the run.
        unended_scans: gets those that web applications name.
        meanwhile: begins what can be read at the same time.

    Raises:
        QualysError: when the read cannot go on.
    """
    sweeps = _sweeps(scope, verbose=True, page_size=settings.verbose_page_size)
    details = None
    if settings.webapp_details:
        details = WebappDetails(reader, lambda: _count(reader, sweeps))
    frame, collector = frame_of(settings, scope, None), WebappCollector(unended_scans, details)
    for records in reader.pages("webapps", sweeps, frame, collector, meanwhile=meanwhile):
        for record in records:
            reader.coverage.note_webapp(record)
        yield records
    if details is not None:
        details.tell()


class WebappCollector:
    """Learns which scans run, and completes the rows where their details are wanted.

    Args:
        unended_scans: gets the scans.
        details: completes the rows.
    """

    def __init__(self, unended_scans: UnendedScans, details: WebappDetails | None) -> None:
        self._unended_scans = unended_scans
        self._details = details

    def take(self, records: Sequence[Record]) -> None:
        """Look at a page of web applications."""
        if self._details is not None:
            self._details.take(records)
        for record in records:
            self._unended_scans.note_webapp(record)

    def carried(self) -> dict[str, Any]:
        """Give what an interrupted run hands on."""
        return {RUNNING: self._unended_scans.hidden}

    def restore(self, carried: dict[str, Any]) -> None:
        """Take over what an interrupted run handed on."""
        kept = carried.get(RUNNING)
        if isinstance(kept, list):
            self._unended_scans.note_running(one for one in kept if isinstance(one, int))


def _count(reader: Reader, sweeps: Sequence[Sweep]) -> int:
    known = reader.tallies["webapps"].counted
    if known is not None:
        return known
    return sum(reader.client.count(sweep.kind, sweep.criteria) for sweep in sweeps)


def compare_webapps(reader: Reader, scope: Scope, settings: Settings) -> None:
    """Look which web applications came or went while the findings of a full sync were read.

    Ids are compared, not counted: one that leaves while another comes would not be noticed.

    Raises:
        QualysError: when Qualys cannot be asked.
    """
    if "webapps" not in reader.tallies or reader.planner.plan.mode != "full":
        return
    sweeps = _sweeps(scope, verbose=False, page_size=settings.page_size)
    reader.coverage.compare(int(str(record["id"])) for record in reader.look_up(sweeps))


def _sweeps(scope: Scope, *, verbose: bool, page_size: int) -> list[Sweep]:
    return [
        Sweep(
            key=f"webapp/{number}",
            kind="webapp",
            criteria=criteria,
            read=WEBAPP,
            page_size=page_size,
            verbose=verbose,
        )
        for number, criteria in enumerate(scope.criteria("id"))
    ]
