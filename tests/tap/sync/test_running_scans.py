"""Scans that run for days and end whenever they like: what they change is read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.sandbox.world.model import iso
from tests.sandbox.world.size import WorldSize
from tests.tap.catalogs import only
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from tests.sandbox.world.model import Scan

SIZE: Final = WorldSize(apps=4, findings=40, qids=8, scans=6)
WITHOUT_SCANS: Final = only("webapps", "findings", "knowledge_base", "syncs")
NUMBERS: Final = st.integers(0, 9)
DAYS: Final = st.lists(
    st.fixed_dictionaries(
        {
            "launched": st.lists(NUMBERS, max_size=2),
            "short": st.lists(NUMBERS, max_size=2),
            "results to come": st.booleans(),
            "hours": st.integers(0, 40),
            "sync": st.sampled_from(["whole", "whole", "cut off", "while a scan ends", "none"]),
            "ended": st.lists(NUMBERS, max_size=2),
            "at": NUMBERS,
        }
    ),
    min_size=2,
    max_size=6,
)


class Watcher:
    """Somebody who keeps what the tap writes, day after day."""

    def __init__(self, platform: Platform, wishes: dict[str, Any], *, with_scans: bool) -> None:
        self.platform = platform
        self.wishes = {**wishes, "full_sync_every_days": 0}
        self.catalog = None if with_scans else WITHOUT_SCANS
        self.running: list[Scan] = []
        self.kept: dict[str, tuple[Any, ...]] = {}
        first = platform.sync_here(self.wishes, catalog=self.catalog)
        self.keep(first.messages)
        self.state = first.state

    def live(self, day: dict[str, Any]) -> None:
        """Live a day: some scans begin, some begin and end, then a sync, then some end."""
        clock, world = self.platform.clock, self.platform.world
        for number in day["launched"]:
            self.launch(number)
            clock.advance(timedelta(hours=1))
        if self.running and day["results to come"]:
            world.finish_scan(self.running[0], "PROCESSING")
        clock.advance(timedelta(hours=day["hours"]))
        for number in day["short"]:
            if self.launch(number):
                clock.advance(timedelta(hours=1))
                world.finish_scan(self.running.pop())
        if day["sync"] != "none":
            self.sync(day["sync"], day["at"])
        for number in day["ended"]:
            self.end(number)

    def launch(self, number: int) -> bool:
        """Launch a scan that finds something, and no longer sees something else."""
        world = self.platform.world
        apps = list(world.apps.values())
        app = apps[number % len(apps)]
        if app in [scan.app for scan in self.running]:
            return False
        scan = world.launch_scan(app)
        self.running.append(scan)
        world.add_finding(app, scan=scan)
        for finding in world.findings_of(app)[:number]:
            if finding.status is not None:
                change = world.fix_finding if finding.open else world.reopen_finding
                change(finding, scan)
        return True

    def end(self, number: int) -> None:
        """End a scan that runs."""
        if self.running:
            self.platform.world.finish_scan(self.running.pop(number % len(self.running)))

    def sync(self, kind: str, number: int) -> None:
        """Sync; where nothing came between, what is kept is what is there."""
        faults = self.platform.face.faults
        if kind == "while a scan ends":
            faults.arm(f"tap-killed+{number % 4}")  # a hook at a page of findings, harmless here
            faults.carry_out = lambda _: self.end(number)
        outcome = self.platform.sync_here(self.wishes, self.state, self.catalog)
        disturbed = kind == "while a scan ends" and faults.struck["tap-killed"]
        faults.disarm()
        faults.struck.clear()
        places = outcome.cuts()
        if kind == "cut off" and places:
            messages, self.state = places[number * len(places) // 10]
            self.keep(messages)
            return
        self.keep(outcome.messages)
        self.state = outcome.state
        if not disturbed and "goes on where" not in outcome.log:
            assert self.kept == self.there()

    def keep(self, messages: list[dict[str, Any]]) -> None:
        """Keep the findings of a run."""
        rows = [m["record"] for m in messages if m.get("stream") == "findings" and "record" in m]
        self.kept |= {
            row["uniqueId"]: (row["status"], row["lastTestedDate"], row["fixedDate"])
            for row in rows
        }

    def there(self) -> dict[str, tuple[Any, ...]]:
        """Give the findings of the world, in the same form."""
        world = self.platform.world
        return {
            world.unique_id(row): (
                row.status,
                iso(row.tested),
                None if row.fixed is None else iso(row.fixed),
            )
            for row in world.all_findings()
        }


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
    # Each run is real HTTP: a failure is shown as it came, shrinking it would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(DAYS, st.sampled_from([0, 24]), st.sampled_from([3, 1000]), st.booleans())
def test_whatever_scans_change_is_read(
    days: list[dict[str, Any]], overlap: int, page_size: int, with_scans: bool
) -> None:
    with Platform(SIZE) as platform:
        wishes = {"overlap_hours": overlap, "page_size": page_size}
        watcher = Watcher(platform, wishes, with_scans=with_scans)
        for day in days:
            watcher.live(day)
        watcher.sync("whole", 0)  # may go on where one was cut off
        watcher.sync("whole", 0)
        assert watcher.kept == watcher.there()
