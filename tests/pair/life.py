"""The life that the weeks are lived in: a world, two plugins, a tenant, and what must hold."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.pair.figures import FIGURES
from tests.pair.together import Pair, open_sandbox
from tests.pair.weather import SWITCHES
from tests.sandbox.oracle.oracle import place_by_url

if TYPE_CHECKING:
    from tests.pair.together import Synced
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.oracle import Oracle
    from tests.sandbox.world.model import Finding, WebApp


class Life(RuleBasedStateMachine):
    """A world and all that is to be seen of it, each sync of which is held against it.

    What can happen in it is in the classes made of this one.
    """

    target_settings: ClassVar[dict[str, Any]] = {}

    def judge_by(self, oracle: Oracle) -> None:
        """Tell the oracle what the settings make of the world, whatever they are at the time."""
        oracle.visible = self.lets_through
        oracle.place = self.place
        oracle.tenant_place = self.tenant_place

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="weeks-"))
        self.until_full = False
        """Whether what was lost on the way, or came from an old load, waits for a full sync."""
        self.forgotten = False
        """Whether things are open of which no ledger tells: only their own asset can close them."""

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
                **self.target_settings,
            },
        )
        self.judge_by(self.sandbox.oracle)
        FIGURES["examples"] += 1
        self.check(self.pair.sync())

    def teardown(self) -> None:
        if hasattr(self, "sandbox"):
            self.sandbox.__exit__(None, None, None)
        shutil.rmtree(self.home, ignore_errors=True)

    def check(self, synced: Synced, *, fine: bool = False) -> None:
        """Hold what must be true after every sync, however it went.

        Args:
            synced: how it went.
            fine: whether nothing was in its way, so that only the guard may have stopped it.
        """
        found = synced.found
        FIGURES["syncs"] += 1
        FIGURES["wrong closures"] += len(found.wrongly_closed)
        assert not found.wrongly_closed, (synced, found.wrongly_closed)
        assert synced.tap_exit == 0 or self.sandbox.faults.struck, synced
        if fine and synced.exit_code:
            assert "max_close_percent" in synced.message, synced
        if synced.exit_code or synced.tap_exit or synced.outcome == "aborted":
            return
        if synced.proven:
            self.until_full = False
        if self.until_full:
            return
        FIGURES["lost findings"] += len(found.missing)
        wrong = {name: uids for name, uids in vars(found).items() if uids}
        if self.forgotten:
            wrong.pop("wrongly_open", None)
        assert not wrong, (synced, wrong)

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
        """What tells assets apart."""
        return str(self.pair.settings.get("locator_order", ["url"])[0])

    def place(self, finding: Finding) -> str:
        """Give the asset that a finding belongs to."""
        if self.first_locator == "url":
            return place_by_url(finding)
        app = finding.app
        return str(app.id) if self.first_locator == "external_id" else app.name.replace('"', "'")

    def tenant_place(self, held: Held) -> str:
        """Give the same of what CVM holds."""
        return held.locators.get(self.first_locator, "")

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
    def a_step_is_counted(self) -> None:
        FIGURES["steps"] += 1
