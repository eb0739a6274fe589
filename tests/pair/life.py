"""The life that the weeks are lived in: a world, two plugins, a tenant, and what must hold."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.pair.figures import FIGURES
from tests.pair.together import Pair, asks_for_full_sync, auto_closed, open_sandbox
from tests.pair.weather import SWITCHES
from tests.sandbox.ciscovm.kdi.locators import DEFAULT_ORDER
from tests.sandbox.oracle.sight import place_by_url, tags_of

if TYPE_CHECKING:
    from tests.pair.together import Synced
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.oracle import Oracle
    from tests.sandbox.world.model import Finding, WebApp
    from tests.sandbox.world.world import World


STRANGER: Final = "Stranger"
"""Scanner type of what another loader has in our connector."""

COUNTING: Final = bool(os.environ.get("WEEKS_COUNT"))
"""Whether what is wrong is counted only, and the weeks go on."""


class Life(RuleBasedStateMachine):
    """A world and all that is to be seen of it, each sync of which is held against it.

    What can happen in it is in the classes made of this one. A rule that needs something which a
    sync has left does nothing without it, rather than to have a precondition: what a sync leaves
    may hang on threads, and what Hypothesis draws must not.
    """

    target_settings: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="weeks-"))
        self.counted: set[tuple[str, str]] = set()
        """What was wrong and of which finding, so far, where it is only counted."""
        self.settings_known = True
        """Whether the ledger tells by which settings and source all was sent: CVM does not."""

    @initialize(
        seed=st.integers(1, 10_000),
        apps=st.integers(1, 6),
        findings=st.integers(0, 30),
        switches=SWITCHES,
        workers=st.sampled_from([1, 2, 4]),
        page_size=st.sampled_from([3, 7, 1000]),
        part=st.sampled_from([1000, 8000, 50_000_000]),
    )
    def begin(
        self,
        seed: int,
        apps: int,
        findings: int,
        switches: dict[str, Any],
        workers: int,
        page_size: int,
        part: int,
    ) -> None:
        self.sandbox = open_sandbox(apps=apps, findings=findings, seed=seed, **switches)
        self.sandbox.__enter__()
        self.pair = Pair(
            self.sandbox,
            self.home,
            tap_settings={"max_concurrency": workers, "page_size": page_size},
            settings={
                "part_max_bytes": part,
                # 100 would also take an empty account for the truth: nothing else could notice.
                "max_close_percent": 99,
                # Untold, CVM merges assets as it likes: then only `faults_seen` promises something.
                "tenant_locator_order": list(self.sandbox.tenant.order),
                **self.target_settings,
            },
        )
        self.judge_by(self.sandbox.oracle)
        FIGURES["examples"] += 1
        self.check(self.pair.sync())

    def judge_by(self, oracle: Oracle) -> None:
        """Tell the oracle what the settings make of the world, whatever they are at the time."""
        oracle.rules.visible = self.lets_through
        oracle.rules.place = self.place
        oracle.rules.key = lambda: self.first_locator
        oracle.rules.tenant_place = self.tenant_place
        oracle.rules.tags = partial(self.tags_of, oracle.world)
        oracle.rules.closes_deleted_apps = self.pair.settings.get("close_deleted_webapps", False)

    def teardown(self) -> None:
        if hasattr(self, "sandbox"):
            self.sandbox.__exit__(None, None, None)
        shutil.rmtree(self.home, ignore_errors=True)

    def check(self, synced: Synced, pair: Pair | None = None, *, fine: bool = False) -> None:
        """Hold what must be true after every sync, however it went.

        Args:
            synced: how it went.
            pair: whose it was; the first one's unless another is given.
            fine: whether nothing was in its way, so that only the guard may have stopped it.
        """
        pair, found = pair or self.pair, synced.found
        FIGURES["syncs"] += 1
        teaches = synced.proven and pair is self.pair and not pair.watch.is_behind
        self.settings_known |= teaches
        news = {(what, uid) for what, uids in found.differences.items() for uid in uids}
        news -= self.counted
        FIGURES["wrong closures"] += sum(what == "wrongly_closed" for what, _ in news)
        FIGURES["lost findings"] += sum(what == "missing" for what, _ in news)
        FIGURES["wrongly open"] += sum(what == "wrongly_open" for what, _ in news)
        self.hold(found.equal, (synced, found.differences))
        self.counted |= news
        may_refuse = self.may_refuse(pair)
        self.hold(synced.tap_exit == 0 or self.sandbox.faults.struck or may_refuse, synced)
        if fine and synced.exit_code and not may_refuse:
            told = "max_close_percent" in synced.message or asks_for_full_sync(pair.state)
            self.hold(told, synced)

    def may_refuse(self, pair: Pair) -> bool:
        """Tell whether filters of the tap match nothing, or name a tag that it cannot look up."""
        oracle = pair.watch.oracle
        used = {tag.name for app in oracle.world.apps.values() for tag in app.tags}
        unused = set(pair.tap_settings.get("webapp_tags", ())) - used
        is_unknown = unused and self.sandbox.switches.tag_search != "open"
        return not oracle.wants_any or bool(is_unknown)

    def hold(self, promise: object, told: object) -> None:
        """Hold a promise; or count that it was broken, and go on."""
        if COUNTING:
            FIGURES["broken promises"] += not promise
        else:
            assert promise, told

    def pass_day(self, *, turbulent: bool) -> None:
        """Make it the next morning."""
        self.sandbox.next_day(turbulent=turbulent)
        FIGURES["days"] += 1

    # -- what the settings make of the world

    def lets_through(self, finding: Finding) -> bool:
        """Tell whether the target's filters leave a finding in."""
        given = self.pair.settings
        left_out = (
            finding.severity < given.get("min_severity", 1),
            given.get("exclude_potential") and finding.qid.potential,
            given.get("exclude_non_exploitable") and finding.status == "PROTECTED",
        )
        return not any(left_out)

    @property
    def first_locator(self) -> str:
        """What tells assets apart; nothing that we could tell where CVM goes by another order."""
        given = self.pair.settings.get("tenant_locator_order", DEFAULT_ORDER)
        if tuple(given) != tuple(self.sandbox.tenant.order):
            return ""
        return str(self.pair.settings.get("locator_order", ["url"])[0])

    def place(self, finding: Finding) -> str:
        """Give the asset that a finding belongs to."""
        app = finding.app
        places = {
            "url": lambda: self.as_cvm_reads(place_by_url(finding)),
            "external_id": lambda: str(app.id),
            "application": lambda: app.name.replace('"', "'"),
        }
        return places.get(self.first_locator, str)()

    def tenant_place(self, held: Held) -> str:
        """Give the same of what CVM holds."""
        place = held.locators.get(self.first_locator, "")
        return self.as_cvm_reads(place) if self.first_locator == "url" else place

    def tags_of(self, world: World, finding: Finding) -> frozenset[str]:
        """Give the tags that its asset must have; none that CVM merges with assets of other tags.

        There the row that comes last decides, and no loader can send each asset of CVM's in one.
        """
        merges = not self.first_locator
        if self.first_locator == "url" and self.sandbox.switches.url_case == "insensitive":
            mine, urls = place_by_url(finding), map(place_by_url, world.all_findings())
            merges = any(url != mine and url.lower() == mine.lower() for url in urls)
        return frozenset() if merges else tags_of(finding)

    def as_cvm_reads(self, url: str) -> str:
        """Give a URL as CVM tells it from others."""
        return url.lower() if self.sandbox.switches.url_case == "insensitive" else url

    # -- what there is

    def ours(self) -> list[Held]:
        """Give all that this connector has said."""
        return self.sandbox.tenant.held(self.sandbox.connector_id)

    def any_app(self, pick: int) -> WebApp | None:
        apps = list(self.sandbox.world.apps.values())
        return apps[pick % len(apps)] if apps else None

    def any_finding(self, pick: int) -> Finding | None:
        rows = [row for kind in self.sandbox.world.findings.values() for row in kind]
        return rows[pick % len(rows)] if rows else None

    @invariant()
    def nothing_is_closed_because_a_load_lacks_it(self) -> None:
        """In none of our connectors, nor in those of others."""
        found = auto_closed(self.sandbox)
        FIGURES["auto-closed"] += len(found)
        self.hold(not found, found)

    @invariant()
    def a_step_is_counted(self) -> None:
        FIGURES["steps"] += 1
