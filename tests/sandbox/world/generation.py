"""The beginning of a world: apps, their past scans and their findings."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from tests.sandbox.world.catalog import DAY, SHARES
from tests.sandbox.world.model import (
    FIXED,
    INFORMATION_GATHERED,
    Finding,
    Ignore,
    Qid,
    Tag,
    WebApp,
)
from tests.sandbox.world.reports import written

if TYPE_CHECKING:
    from random import Random

    from tests.sandbox.world.population import Population

_NAMES: Final = (
    "Intranet {}",
    'Shop "North", {}',
    "R&D <portal> {}",
    "Größe & Café {}",
    "Ledger, Accounts {}",
    "http://app-{}.example.test/",
    "ポータル {} 🚀",
    "O'Neill's booking {}",
)
_TAGS: Final = (
    "Blue, North",
    "asset_criticality:3",
    "PCI & SOX",
    'Team "A"',
    "Café",
    "<web>",
    "Production",
    "external",
)
_SYSTEMS: Final = (
    "Linux 2.4-2.6 / Embedded Device / F5 Networks Big-IP",
    "Windows 2012 / Windows 2016",
    "Ubuntu / Linux 5.x",
)
_PATHS: Final = (
    "login",
    "search?q=%22'%3E%3Cqss%3E",
    "docs/index.html#chapter-2",
    "Account/Profile?id=7&tab=a#top",
    "api/v1/items",
    "cart",
    "comment?id=qss%7B%7Bq%3d(2*2.0)%7D%7Dqss",
    "a%20b/ü",
    "admin/",
    "help.php?a[]=1",
)
_PARAMS: Final = ("id", "q", "tab", "a[]", None, None)
_STATUSES: Final = ("NEW", "ACTIVE", "FIXED", "REOPENED", "PROTECTED")
_STATUS_WEIGHTS: Final = tuple(accumulate((20, 55, 15, 7, 3)))
REASONS: Final = ("FALSE_POSITIVE", "RISK_ACCEPTED", "NOT_APPLICABLE", None)


def populate(world: Population) -> None:
    """Fill an empty world to its size."""
    size = world.size
    make_tags(world, max(len(_TAGS), size.apps // 20))
    for _ in range(size.apps):
        make_app(world)
    apps = list(world.apps.values())
    shares = _shares(world.random, apps, size.findings)
    _make_scans(world, [app for app, number in shares if number is not None])
    for app, number in shares:
        _make_findings(world, app, number or 0)
    for scan in world.scans:
        found = world.of_app.get(scan.app.id, ())
        seen = [one for one in found if one.first <= scan.launched <= one.last]
        scan.report = written(scan.app, seen)


def make_tags(world: Population, count: int) -> None:
    """Add tags until there are `count`: the odd names first."""
    while len(world.tags) < count:
        place = len(world.tags)
        name = _TAGS[place] if place < len(_TAGS) else f"unit-{place}"
        tag = Tag(id=world.tag_ids.take(), name=name, created=world.moment() - (place + 1) * DAY)
        if place % 3 == 2:  # a tree of some depth
            tag.parent = world.tags[place // 2]
            tag.parent.children.append(tag)
        if place % 4 == 1:
            tag.rule_type, tag.rule = "NAME_CONTAINS", f"unit & {place}"
        world.tags.append(tag)


def make_app(world: Population) -> WebApp:
    """Add one web app, now and then with the name or the URL of another one."""
    random, number = world.random, len(world.apps)
    app_id = world.app_ids.take()
    created = world.moment() - random.randrange(100, 900) * DAY
    name = _NAMES[number % len(_NAMES)].format(number)
    url = f"https://app-{number}.example.test/"
    if number and random.random() < 0.2:
        other = world.apps[random.choice(list(world.apps))] if number < 100 else None
        name = name if other is None else other.name
    if number and number < 100 and random.random() < 0.15:
        url = world.apps[random.choice(list(world.apps))].url
    app = WebApp(
        id=app_id,
        name=name,
        url=url,
        created=created,
        updated=created,
        owner=17_729_931,
        paths=make_paths(random, url),
        tags=random.sample(world.tags, random.choice((0, 1, 2, 3))),
        attributes=_attributes(number),
        os=random.choice(_SYSTEMS) if random.random() < 0.6 else None,
        scheduled=random.random() < 0.7,
    )
    world.apps[app_id] = app
    return app


def _attributes(number: int) -> dict[str, str]:
    """Return the custom attributes of the app with that number; some have no owner."""
    owner = {} if number % 5 == 4 else {"Owner": f"Team <{number % 3}> & friends"}
    return {"Function": "Online & mobile", "Tier": str(number % 4), **owner}


def make_paths(random: Random, url: str) -> list[str]:
    """Return the pages of an app that findings lie on; some hosts are written in capitals."""
    chosen = random.sample(_PATHS, random.randint(3, len(_PATHS)))
    pages = [url + path for path in chosen]
    pages[0] = url
    if random.random() < 0.3:
        pages[1] = pages[1].replace("https://app", "HTTPS://App").replace(".example.", ".Example.")
    return pages


def make_finding(
    world: Population, app: WebApp, qid: Qid, moment: int, *, page: str | None = None
) -> Finding:
    """Return a new finding, first seen at `moment`; it has no id and is not published yet."""
    random = world.random
    informational = qid.type == INFORMATION_GATHERED
    return Finding(
        id=0,
        type=qid.type,
        app=app,
        qid=qid,
        url=None if informational else page or random.choice(app.paths),
        param=None if informational else random.choice(_PARAMS),
        severity=qid.severity,
        status=None if informational else "NEW",
        first=moment,
        last=moment,
        tested=moment,
        updated=moment,
    )


def _shares(random: Random, apps: list[WebApp], findings: int) -> list[tuple[WebApp, int | None]]:
    """Distribute the findings unevenly: 0 for clean apps, None for apps never scanned."""
    weights: list[float] = []
    for place in range(len(apps)):
        silent = place and place % 10 in {7, 9}
        weights.append(0.0 if silent else random.expovariate(1) + 0.2)
    total, dealt, run = sum(weights), 0, 0.0
    shares: list[tuple[WebApp, int | None]] = []
    for place, (app, weight) in enumerate(zip(apps, weights, strict=True)):
        run += weight
        upto = round(findings * run / total)
        never = place and place % 10 == 9
        shares.append((app, None if never else upto - dealt))
        dealt = upto
    return shares


def _make_scans(world: Population, apps: list[WebApp]) -> None:
    """Give the apps their past scans, in the order of launch; older ones were cleaned up."""
    random, now = world.random, world.moment()
    count = world.size.scans if apps else 0
    launches = sorted(now - random.randrange(6 * 3600, 30 * DAY) for _ in range(count))
    order = random.sample(apps, min(count, len(apps)))
    for place, launched in enumerate(launches):
        app = order[place % len(order)]
        scan = world.new_scan(app, launched, random.choice(("SCHEDULED", "ONDEMAND", "API")))
        scan.status, scan.results = "FINISHED", "SUCCESSFUL"
        scan.ended = launched + random.randrange(600, 3 * 3600)
        scan.os = app.os


def _make_findings(world: Population, app: WebApp, number: int) -> None:
    random = world.random
    last = app.last_scan
    tested = last.launched if last else world.moment() - random.randrange(31, 90) * DAY
    app.updated = max(app.created, tested)
    vulnerable, sensitive = SHARES[0][1], SHARES[1][1]
    by_type = world.qids_by_type()
    for _ in range(number):
        draw = random.random()
        place = 0 if draw < vulnerable else 1 if draw < vulnerable + sensitive else 2
        qids = by_type[SHARES[place][0]] or world.qids
        finding = make_finding(world, app, random.choice(qids), tested)
        _give_past(random, finding, tested)
        if world.size.turbulent and finding.status and random.random() < 0.05:
            finding.ignored = Ignore(random.choice(REASONS), tested, "agreed with the owner")
        world.publish(finding)


def _give_past(random: Random, finding: Finding, tested: int) -> None:
    """Give the finding dates that fit its status: NEW was seen once, FIXED not lately."""
    status = random.choices(_STATUSES, cum_weights=_STATUS_WEIGHTS)[0]
    finding.updated = tested + 1800
    if finding.status is None:
        finding.first = tested - random.randrange(0, 200) * DAY
        return
    finding.status = status
    if status == "NEW":
        return
    seen = tested - random.randrange(1, 60) * DAY if status == FIXED else tested
    finding.first = seen - random.randrange(1, 300) * DAY
    finding.last = seen
    finding.times = random.randrange(2, 40)
    if status == FIXED:
        finding.fixed = random.randrange(seen + 1, tested + 1)
