"""One day of the world: which apps are scanned, what is found, fixed and found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.world.model import FIXED
from tests.sandbox.world.turbulence import disturb

if TYPE_CHECKING:
    from tests.sandbox.world.events import WorldEvents
    from tests.sandbox.world.model import Finding, Scan, WebApp

HOUR: Final = 3600
SHARE_SCANNED: Final = 0.02
"""Share of the apps scanned on a day: so some two in a hundred findings change."""

FEWEST_SCANNED: Final = 3


def pass_day(world: WorldEvents, *, turbulent: bool) -> None:
    """Scan a share of the apps; on a turbulent day people and accidents interfere."""
    if turbulent:
        disturb(world)
    scans = [_scan(world, app) for app in _chosen(world)]
    _plan_fixes(world, scans)
    _plan_returns(world, scans)
    _plan_news(world, scans)
    for scan in scans:
        ended = min(world.moment(), scan.launched + world.random.randrange(600, HOUR))
        world.finish_scan(scan, ended=ended)


def _chosen(world: WorldEvents) -> list[WebApp]:
    """Pick apps to scan, one with findings among them, so that something changes each day."""
    free = [app for app in world.apps.values() if app.last_scan is None or app.last_scan.over]
    count = min(len(free), max(FEWEST_SCANNED, round(SHARE_SCANNED * len(world.apps))))
    chosen = world.random.sample(free, count)
    busy = [app for app in free if world.of_app.get(app.id)]
    if busy and not any(world.of_app.get(app.id) for app in chosen):
        chosen[0] = world.random.choice(busy)
    return chosen


def _scan(world: WorldEvents, app: WebApp) -> Scan:
    launched = world.moment() - world.random.randrange(2 * HOUR, 20 * HOUR)
    if app.last_scan is not None:
        launched = max(launched, app.last_scan.launched + 1)
    return world.launch_scan(app, launched)


def _plan_fixes(world: WorldEvents, scans: list[Scan]) -> None:
    def fixable(finding: Finding) -> bool:
        return finding.status is not None and finding.open

    for scan, finding in _some(world, scans, 0.08, fixable=True):
        if fixable(finding):
            world.fix_finding(finding, scan)


def _plan_returns(world: WorldEvents, scans: list[Scan]) -> None:
    for scan, finding in _some(world, scans, 0.10, fixable=False):
        world.reopen_finding(finding, scan)


def _plan_news(world: WorldEvents, scans: list[Scan]) -> None:
    for place, scan in enumerate(scans):
        known = len(world.findings_of(scan.app))
        count = round(0.05 * known * world.random.random() * 2)
        for _ in range(count or place == 0):
            world.add_finding(scan.app, scan=scan)


def _some(
    world: WorldEvents, scans: list[Scan], share: float, *, fixable: bool
) -> list[tuple[Scan, Finding]]:
    """Draw a share of the open (or the fixed) findings of the scanned apps, at least one."""
    candidates = [
        (scan, finding)
        for scan in scans
        for finding in world.findings_of(scan.app)
        if finding.status is not None and (finding.status == FIXED) is not fixable
    ]
    count = max(1, round(share * len(candidates)))
    return world.random.sample(candidates, min(count, len(candidates)))
