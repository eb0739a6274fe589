"""Turbulent days: people edit and delete, scans fail or run for days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.world.generation import REASONS

if TYPE_CHECKING:
    from tests.sandbox.world.events import WorldEvents
    from tests.sandbox.world.model import Finding, Scan, WebApp

HOUR: Final = 3600
FEWEST_APPS: Final = 4
"""Below this number of apps none is deleted."""


def disturb(world: WorldEvents) -> None:
    """Let nearly everything happen once, and rare events less often."""
    _end_long_scans(world)
    _touch_findings(world)
    _touch_apps(world)
    _spoil_scans(world)


def _end_long_scans(world: WorldEvents) -> None:
    """Continue the scans of earlier days: running, then processing, then done."""
    for scan in [one for one in world.scans if not one.over]:
        draw = world.random.random()
        if scan.results == "PROCESSING":
            world.finish_scan(scan)
        elif draw < 0.4:
            world.finish_scan(scan, "PROCESSING")
        elif draw < 0.5:
            world.cancel_scan(scan, with_results=True)
        elif draw < 0.6:
            world.cancel_scan(scan)


def _touch_findings(world: WorldEvents) -> None:
    random = world.random
    for finding in _draw(world, 0.01):
        if finding.status is not None and finding.ignored is None:
            world.ignore_finding(finding, random.choice(REASONS))
        elif finding.ignored is not None:
            world.activate_finding(finding)
    for finding in _draw(world, 0.01):
        world.edit_severity(finding, random.randint(1, 5))
    for finding in _draw(world, 0.005):
        world.move_finding(finding, random.choice(finding.app.paths))
    for finding in _draw(world, 0.005):
        world.delete_finding(finding)
    for finding in _draw(world, 0.002):
        world.protect_finding(finding)
    if random.random() < 0.3:
        qid = random.choice(world.qids)
        world.retitle(qid, f"{qid.title} (revised)")


def _touch_apps(world: WorldEvents) -> None:
    random = world.random
    world.rename_app(_any_app(world), f"Renamed <{world.day}> & moved")
    world.tag_app(_any_app(world), random.sample(world.tags, random.randint(0, 3)))
    if random.random() < 0.3:
        world.add_app()
    if random.random() < 0.15 and len(world.apps) > FEWEST_APPS:
        world.delete_app(_any_app(world))


def _spoil_scans(world: WorldEvents) -> None:
    """Launch scans that do not end today, or fail."""
    random = world.random
    idle = [app for app in world.apps.values() if app.last_scan is None or app.last_scan.over]
    for app in random.sample(idle, min(2, len(idle))):
        scan = _launch(world, app)
        draw = random.random()
        if draw < 0.2:
            world.cancel_scan(scan)
        elif draw < 0.4:
            world.cancel_scan(scan, with_results=True)
        elif draw < 0.5:
            world.finish_scan(scan, random.choice(("NO_HOST_ALIVE", "TIME_LIMIT_REACHED")))
        elif draw < 0.6:
            world.fail_scan(scan)


def _launch(world: WorldEvents, app: WebApp) -> Scan:
    random = world.random
    launched = world.moment() - random.randrange(HOUR, 20 * HOUR)
    if app.last_scan is not None:
        launched = max(launched, app.last_scan.launched + 1)
    scan = world.launch_scan(app, launched, "ONDEMAND")
    for _ in range(random.randint(1, 3)):
        world.add_finding(app, scan=scan)
    for finding in world.findings_of(app):
        if finding.status is not None and finding.open and random.random() < 0.1:
            world.fix_finding(finding, scan)
    return scan


def _draw(world: WorldEvents, share: float) -> list[Finding]:
    """Return a share of all findings, at least one where there is one."""
    sizes = [len(rows) for rows in world.findings.values()]
    count = max(1, round(share * sum(sizes)))
    rows = [row for row in world.findings.values() if row]
    drawn = {id(one): one for one in (_any_of(world, rows) for _ in range(count)) if one}
    return list(drawn.values())


def _any_of(world: WorldEvents, rows: list[list[Finding]]) -> Finding | None:
    weights = [len(row) for row in rows]
    if not rows:
        return None
    return world.random.choice(world.random.choices(rows, weights)[0])


def _any_app(world: WorldEvents) -> WebApp:
    return world.random.choice(list(world.apps.values()))
