"""Harmless nights: what a healthy schedule meets, and must not be stopped by."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.pair.together import Pair, Synced, open_sandbox
from tests.sandbox.ciscovm.tenant.state import Connector
from tests.sandbox.oracle.memory import Installation
from tests.sandbox.oracle.oracle import Oracle
from tests.sandbox.oracle.sight import finding_of
from tests.sandbox.oracle.watch import Watch
from tests.sandbox.sandbox import DAY
from tests.sandbox.world.clock import Clock
from tests.sandbox_tests.loads import document, vuln

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from tests.sandbox.sandbox import Sandbox
    from tests.sandbox.world.model import Finding, WebApp
    from tests.sandbox.world.world import World

NIGHTS: Final = 7
ONCE: Final = 4
"""The night of what happens once."""
BEHIND: Final = timedelta(hours=20)
NEW_CONNECTOR: Final = 155307


@dataclass
class Week:
    """A small account, and the pair that loads it each night."""

    sandbox: Sandbox
    pair: Pair
    home: Path

    @property
    def world(self) -> World:
        return self.sandbox.world

    def open_one(self) -> Finding:
        """Give a finding that is open, has a status, and lies on a page."""
        rows = self.world.all_findings()
        return next(one for one in rows if one.open and one.url and one.status)

    def any_app(self) -> WebApp:
        return next(iter(self.world.apps.values()))

    def wait_a_day(self) -> None:
        """Let a day pass on which nothing happens."""
        self.sandbox.clock.advance(DAY)


@dataclass(frozen=True)
class Harmless:
    """Something that a healthy schedule meets.

    Attributes:
        happens: is called before the sync of each night, with its number, from 1.
        fault: strikes on one night.
        always: whether it strikes each night.
        fails: how many nights fail; the next one has to heal it.
        quiet: whether nothing else changes in Qualys.
        findings: of the account at its beginning.
        switches: what the two systems are like, where no public source tells.
        tap: settings of the tap.
        target: settings of the target.
    """

    happens: Callable[[Week, int], None] = lambda _, __: None
    fault: str = ""
    always: bool = False
    fails: int = 0
    quiet: bool = False
    findings: int = 18
    switches: Mapping[str, Any] = field(default_factory=dict)
    tap: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)

    def open(self, home: Path) -> Week:
        """Give the account and the pair; the sandbox is not yet entered."""
        sandbox = open_sandbox(apps=6, findings=self.findings, seed=5, **self.switches)
        pair = Pair(sandbox, home, tap_settings={**self.tap}, settings={**self.target})
        return Week(sandbox, pair, home)

    def live(self, week: Week) -> list[Synced]:
        """Live the week, and give what became of its nights."""
        nights, faults = [], week.sandbox.faults
        for night in range(1, NIGHTS + 1):
            self.happens(week, night)
            if self.fault and (self.always or night == ONCE):
                faults.arm(self.fault)
            nights.append(week.pair.sync())
            faults.disarm()
            if self.quiet:
                week.wait_a_day()
            else:
                week.sandbox.next_day(turbulent=True)
        return nights


# -- when something happens


def once(deed: Callable[[Week], None]) -> Callable[[Week, int], None]:
    """Let something happen before the sync of one night."""
    return lambda week, night: deed(week) if night == ONCE else None


def at_first(deed: Callable[[Week], None]) -> Callable[[Week, int], None]:
    """Let something happen before the first night."""
    return lambda week, night: deed(week) if night == 1 else None


# -- what happens in Qualys


def the_last_open_one_is_fixed(week: Week, night: int) -> None:
    """Leave one finding open, and fix it in the middle of the week."""
    last = week.open_one() if night <= ONCE else None
    if night == 1:
        for one in [one for one in week.world.all_findings() if one is not last]:
            week.world.delete_finding(one)
    if night == ONCE and last is not None:
        week.world.fix_finding(last)


def one_moves_and_comes_back(week: Week, night: int) -> None:
    finding = week.open_one()
    week.world.move_finding(finding, f"{finding.app.url}{('here', 'there')[night % 2]}")


def an_app_is_renamed(week: Week, night: int) -> None:
    week.world.rename_app(week.any_app(), f'The "{night}"')


def titles_change(week: Week, night: int) -> None:
    for qid in week.world.qids:
        week.world.retitle(qid, f"{qid.title} {night}")


def tags_change(week: Week, night: int) -> None:
    for app in week.world.apps.values():
        week.world.tag_app(app, week.world.tags[night % 3 : night % 3 + 2])


def an_app_comes(week: Week) -> None:
    app = week.world.add_app()
    week.world.finish_scan(week.world.launch_scan(app, week.world.moment() - 3600))
    week.world.add_finding(app)


def an_app_goes(week: Week) -> None:
    week.world.delete_app(week.any_app())


def people_edit(week: Week, night: int) -> None:
    one = week.open_one()
    week.world.ignore_finding(one, ("FALSE_POSITIVE", None)[night % 2])
    week.world.edit_severity(one, 1 + night % 5)
    week.world.protect_finding(one)


def one_row_is_poison(week: Week, night: int) -> None:
    """Let a finding lack the status that all of its type have, and be tested each night."""
    rules = week.sandbox.oracle.rules
    if night == 1:
        poison = week.open_one()
        rules.visible = lambda finding: finding is not poison
    for one in week.world.all_findings():
        if not rules.visible(one):
            one.status, one.tested = "", week.world.moment()


# -- what happens to state and ledger


def the_state_of_yesterday_comes_back(week: Week) -> None:
    week.pair.state = copy.deepcopy(week.pair.earlier[-1])
    week.pair.installation.resumes = True


def the_folder_is_another(week: Week) -> None:
    """Let the pair start where no ledger is."""
    week.pair.home = week.home / "new"


def the_connector_is_another(week: Week) -> None:
    """Move to a new connector with the state of the old one; nobody loads the old one any more."""
    sandbox = week.sandbox
    sandbox.tenant.state.connectors[NEW_CONNECTOR] = Connector(NEW_CONNECTOR, "New")
    watch = Watch(Oracle(sandbox.world), sandbox.face, sandbox.tenant, NEW_CONNECTOR)
    week.pair.own_watch, week.pair.installation = watch, Installation()
    week.pair.settings["connector_id"] = NEW_CONNECTOR


def files_come_before_a_key(week: Week) -> None:
    with_key = week.pair.settings
    week.pair.settings = {**with_key, "api_key": None, "connector_id": None}
    week.pair.read()
    week.pair.run_target(io.BytesIO(week.pair.written))
    week.pair.settings = with_key


# -- what happens in CVM


def a_stranger_loads(week: Week, night: int) -> None:
    """Let somebody else run the connector between two calls of ours, on an asset of ours."""
    tenant, number = week.sandbox.tenant, week.sandbox.connector_id
    said = vuln(f"stranger's {night}", scanner_type="Stranger")
    week.sandbox.oracle.strangers.add(said["scanner_identifier"])

    def load() -> None:
        for held in tenant.held(number)[:1]:
            whole = document({**held.locators, "vulns": [said]}, skip_autoclose=True)
            run = tenant.begin(number, [tenant.upload(number, json.dumps(whole).encode()).id])
            week.sandbox.watch.strange_runs.add(run.id)

    week.sandbox.ciscovm_face.interrupt(night, load)


def people_judge(week: Week, night: int) -> None:
    """Let a person call a finding a false positive that Qualys calls fixed the next night."""
    ours = [one for one in week.sandbox.tenant.held() if one.is_open]
    for held in ours[night % 3 : night % 3 + 1]:
        week.sandbox.tenant.people.judge(held.scanner_identifier, "false_positive")
        for one in week.world.all_findings():
            if week.world.unique_id(one) == finding_of(held) and one.status:
                week.world.fix_finding(one)


def the_licence_is_over_its_limit(week: Week) -> None:
    week.sandbox.tenant.overage = True


def the_licence_is_over_its_limit_for_a_while(week: Week, night: int) -> None:
    week.sandbox.tenant.overage = 2 < night < NIGHTS - 1


class ClockBehind(Clock):
    """A clock that is some hours behind another one."""

    def __init__(self, other: Clock) -> None:
        super().__init__()
        self._other = other

    def now(self) -> datetime:
        return self._other.now() - BEHIND


def the_clock_of_cvm_is_behind(week: Week) -> None:
    behind = ClockBehind(week.sandbox.clock)
    week.sandbox.ciscovm_face.clock = week.sandbox.tenant.clock = behind
