"""The scan of each web application whose report tells what there is now."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from tap_qualyswas.qualys.request_bodies import equals, greater, one_of
from tap_qualyswas.records.fields import TRUE
from tap_qualyswas.records.scan_status import WORKED, has_worked, launch_of, login_of
from tap_qualyswas.records.scans import read_scan
from tap_qualyswas.search.pages import IdRange
from tap_qualyswas.search.sweeps import WEBAPP_ID, Sweep, kept_criteria
from tap_qualyswas.search.walk import Walk, count_all
from tap_qualyswas.sync.tallies import read_until_counted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_qualyswas.qualys.client import QualysClient
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.reader import Reader
    from tap_qualyswas.sync.scope import Scope

PROGRESSIVE: Final = "progressiveScanning"
MULTI: Final = "multi"


@dataclass(frozen=True, slots=True)
class WorkedScan:
    """A scan that has tested a web application.

    Attributes:
        scan_id: its id.
        launched: when it was launched.
        webapp: the web application, as the scan names it.
        login: how far it got with its login (`scan_status.LOGINS`); None without one.
        is_progressive: whether it went on where the scan before it had stopped.
    """

    scan_id: int
    launched: str
    webapp: Mapping[str, Json]
    login: int | None
    is_progressive: bool

    @property
    def webapp_id(self) -> int:
        """Id of the web application."""
        return int(str(self.webapp["id"]))


@dataclass(frozen=True, slots=True)
class LatestScans:
    """Whose reports are to be read.

    Attributes:
        by_id: the scans, by their id.
        outdated: ids of web applications whose latest scan could not log in, as an earlier one
            could.
        unsure: of those that have a scan which may be later, and cannot be read.
        nameless: how many scans name no web application.
        maybe_theirs: ids of web applications whose latest scan is older than one of these.
        progressive: ids of those whose scan may have tested a part of them only.
    """

    by_id: dict[int, WorkedScan]
    outdated: list[int]
    unsure: set[int]
    nameless: int
    maybe_theirs: set[int]
    progressive: set[int]


@dataclass(slots=True)
class _Found:
    """What a search for scans has brought.

    Attributes:
        scans: those that tell enough.
        unsure: web applications of those that tell of what they are, and not when.
        nameless: how many name no web application.
        launched: the latest launch of these.
        greatest_id: the greatest id of those among them that do not tell their launch.
        has_lost: whether one was rejected that tells neither its id nor its web application.
    """

    scans: list[WorkedScan] = field(default_factory=list)
    unsure: set[int] = field(default_factory=set)
    nameless: int = 0
    launched: str = ""
    greatest_id: int = 0
    has_lost: bool = False

    def reject(self, webapps: Collection[int | None]) -> None:
        """Note the web applications of scans that were rejected, None for one that tells none."""
        self.unsure.update(number for number in webapps if number is not None)
        self.has_lost = self.has_lost or None in webapps

    def add(self, record: Record) -> None:
        """Add a scan that has worked."""
        scan = _worked(record)
        if scan is not None:
            self.scans.append(scan)
        elif number := _webapp_id(record):
            self.unsure.add(number)
        elif not record[MULTI]:  # the scans that one over several is made of are rows of their own
            self._add_nameless(record)

    def _add_nameless(self, record: Record) -> None:
        self.nameless += 1
        launch = launch_of(record)
        if launch is None:
            self.greatest_id = max(self.greatest_id, int(str(record["id"])))
        else:
            self.launched = max(self.launched, to_text(launch))

    def is_before_nameless(self, scan: WorkedScan) -> bool:
        """Tell whether a scan that names no web application is later, and may be of the same."""
        return scan.launched < self.launched or scan.scan_id < self.greatest_id


def find_latest_scans(
    reader: Reader, scope: Scope, settings: Settings, window_start: str | None
) -> LatestScans:
    """Look for the latest scan of each web application that has worked.

    Raises:
        QualysError: when Qualys cannot be asked.
    """
    window = () if window_start is None else (greater("launchedDate", window_start),)
    sweeps = [
        Sweep(
            key=f"wasscan/{number}",
            kind="wasscan",
            criteria=(
                equals("type", "VULNERABILITY"),
                equals("status", "FINISHED"),
                one_of("resultsStatus", WORKED),
                *window,
                *criteria,
            ),
            read=_read_scan,
            page_size=settings.page_size,
            verbose=False,
            spares=("resultsStatus",),  # looked at in each scan, too
        )
        for number, criteria in enumerate(scope.criteria(WEBAPP_ID))
    ]
    by_webapp: dict[int, list[WorkedScan]] = {}
    found = _all_worked(reader, sweeps)
    for scan in found.scans:
        by_webapp.setdefault(scan.webapp_id, []).append(scan)
    latest = {number: latest_of(scans) for number, scans in by_webapp.items()}
    return LatestScans(
        {scan.scan_id: scan for scan in latest.values()},
        sorted(
            number
            for number, scans in by_webapp.items()
            if latest[number] is not max(scans, key=_order)
        ),
        found.unsure,
        found.nameless,
        {number for number, scan in latest.items() if found.is_before_nameless(scan)},
        {number for number, scan in latest.items() if scan.is_progressive},
    )


def _all_worked(reader: Reader, sweeps: Sequence[Sweep]) -> _Found:
    """Search for scans until as many have come as Qualys counts.

    Without the latest scan of a web application, the report of an earlier one would tell what there
    is now. A count may lag behind, so it is waited for as for that of findings.
    """
    tally, client = reader.tallies["findings"], reader.client
    found = _Found()

    def read() -> int:
        nonlocal found
        found, came = _Found(), 0
        for page in Walk(client, sweeps).pages({sweep.key: [IdRange()] for sweep in sweeps}):
            came += page.rows
            found.reject(page.notes.rejected_of)
            for record in filter(has_worked, page.records):
                found.add(record)
        return came

    lacking = read_until_counted(
        read,
        lambda: sum(count_all(client, [_asked(client, sweep) for sweep in sweeps])),
        partial(tally.note_uncounted, "scans", logger=reader.logger),
        client.sleep,
    )
    if lacking:
        tally.gaps.append("findings: {:,} scans read, {:,} counted".format(*lacking))
    if found.has_lost:
        tally.gaps.append("findings: a scan was rejected that does not tell its web application")
    return found


def _read_scan(element: Element, notes: Notes) -> Record:
    """Read a scan with two flags that the stream does not tell."""
    flags = {name: _is_set(element.findtext(name)) for name in (PROGRESSIVE, MULTI)}
    return {**read_scan(element, notes), **flags}


def _is_set(told: str | None) -> bool:
    return (told or "").strip().lower() in {*TRUE, "enabled"}


def _asked(client: QualysClient, sweep: Sweep) -> tuple[str, list[Criterion]]:
    return (sweep.kind, kept_criteria(sweep, client.omitted(sweep.kind)))


def _webapp_id(record: Record) -> int | None:
    webapp = record["webApp"]
    number = webapp["id"] if isinstance(webapp, dict) else None
    return number if isinstance(number, int) else None


def _worked(record: Record) -> WorkedScan | None:
    """Give a scan that has worked; None where it does not tell of what, or when it began."""
    webapp, launch = record["webApp"], launch_of(record)
    if not isinstance(webapp, dict) or not webapp["id"] or launch is None:
        return None
    return WorkedScan(
        scan_id=int(str(record["id"])),
        launched=to_text(launch),
        webapp=webapp,
        login=login_of(record),
        is_progressive=record[PROGRESSIVE] is True,
    )


def latest_of(scans: Sequence[WorkedScan]) -> WorkedScan:
    """Give the latest of a web application's scans whose login was as good as those before it.

    A scan that could not log in sees less, and what it does not see would look gone.
    """
    first, *later = sorted(scans, key=_order)
    latest, best = first, first.login
    for scan in later:
        if scan.login is None:
            latest = scan
        elif best is None or scan.login >= best:
            latest, best = scan, scan.login
    return latest


def _order(scan: WorkedScan) -> tuple[str, int]:
    return (scan.launched, scan.scan_id)
