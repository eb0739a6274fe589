"""A state machine that drives a world, two plugins and a tenant through weeks of trouble."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.pair.figures import FIGURES
from tests.pair.together import Pair, open_sandbox
from tests.sandbox.tenant_people import People

if TYPE_CHECKING:
    from tests.pair.together import Synced
    from tests.sandbox.model import Finding, WebApp
    from tests.sandbox.oracle import Oracle

EXAMPLES: Final = settings(
    max_examples=int(os.environ.get("WEEKS_EXAMPLES", "100")),
    stateful_step_count=8,
    # The same examples each time: the everyday suite tells of a change, the long form searches.
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Each step is real HTTP: a failure is shown as it came, shrinking it would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)

SURVIVED: Final = (
    "qualys-busy",
    "qualys-rate-text",
    "qualys-maintenance",
    "qualys-502",
    "qualys-processing",
    "qualys-html",
    "qualys-empty",
    "qualys-cut-body",
    "qualys-cut-xml",
    "qualys-reset",
    "qualys-401",
    "kb-busy",
    "kb-down",
    "page-duplicates",
    "page-empty-last",
    "rows-vanish",
    "rows-appear",
    "rows-without-dates",
    "qualys-bad-characters",
    "qualys-foreign-root",
    "upload-422",
    "upload-500",
    "upload-empty",
    "upload-reset",
    "upload-413",
    "lost-run-answer",
    "run-refused",
    "poll-errors",
    "counters-null",
    "ciscovm-502",
    "ciscovm-429",
)
"""Faults that a run may live through; whether it did, its exit code tells."""
FATAL: Final = (
    "tap-error",
    "qualys-credentials",
    "qualys-trial",
    "qualys-half-page",
    "qualys-nothing",
    "qualys-other-account",
    "qualys-evaluation-header",
    "page-no-data",
    "page-same-cursor",
    "page-foreign",
    "run-fails",
    "payload-fails",
    "payloads-fail",
    "ciscovm-key",
    "ciscovm-overage",
)
"""Faults that a run ends by, or that it must at least not take for the truth."""

SWITCHES: Final = st.fixed_dictionaries(
    {
        "autoclose_scope": st.sampled_from(["file", "run"]),
        "dropped_tags_vanish": st.booleans(),
        "upload_validates": st.booleans(),
        "payload": st.sampled_from(["file", "asset"]),
        "success_form": st.sampled_from(["boolean", "text"]),
        "counter_spelling": st.sampled_from(["correct", "misspelt"]),
        "empty_result_form": st.sampled_from(["count", "more", "data"]),
        "search_scan_details": st.booleans(),
        "search_app_details": st.booleans(),
        "subscription_header": st.booleans(),
        "id_sequences": st.sampled_from(["separate", "shared"]),
        "busy_status": st.sampled_from([200, 409, 422]),
    }
)
"""What no public source settles, in all positions."""


class Weeks(RuleBasedStateMachine):
    """Weeks of one world, each sync of which is held against it."""

    target_settings: ClassVar[dict[str, Any]] = {}

    def judge_by(self, oracle: Oracle) -> None:
        """Tell the oracle what the settings make of the world; the default ones need no word."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="weeks-"))
        self.until_full = False
        """Whether what was lost on the way, or came from an old load, waits for a full sync."""
        self.forgotten = False
        """Whether things are open of which no ledger tells: only their own asset can close them."""
        self.by_hand: dict[int, set[str]] = {}

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

    def check(self, synced: Synced) -> None:
        """Hold what must be true after every sync, however it went."""
        found = synced.found
        FIGURES["syncs"] += 1
        FIGURES["wrong closures"] += len(found.wrongly_closed)
        assert not found.wrongly_closed, (synced, found.wrongly_closed)
        assert synced.tap_exit == 0 or self.sandbox.faults.struck, synced
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

    def any_app(self, pick: int) -> WebApp | None:
        apps = list(self.sandbox.world.apps.values())
        return apps[pick % len(apps)] if apps else None

    def any_finding(self, pick: int) -> Finding | None:
        rows = [row for kind in self.sandbox.world.findings.values() for row in kind]
        return rows[pick % len(rows)] if rows else None

    # -- time

    @rule(turbulent=st.booleans(), days=st.integers(1, 3))
    def days_pass(self, turbulent: bool, days: int) -> None:
        for _ in range(days):
            self.sandbox.next_day(turbulent=turbulent)
        FIGURES["days"] += days

    @rule()
    def a_sync(self) -> None:
        self.check(self.pair.sync())

    @rule()
    def a_full_sync(self) -> None:
        self.check(self.pair.sync(full_sync=True))

    # -- people at Qualys

    @rule(pick=st.integers(0, 99), reason=st.sampled_from(["FALSE_POSITIVE", None]))
    def somebody_ignores(self, pick: int, reason: str | None) -> None:
        if finding := self.any_finding(pick):
            self.sandbox.world.ignore_finding(finding, reason)

    @rule(pick=st.integers(0, 99), severity=st.integers(1, 5))
    def somebody_edits_a_severity(self, pick: int, severity: int) -> None:
        if finding := self.any_finding(pick):
            self.sandbox.world.edit_severity(finding, severity)

    @rule(pick=st.integers(0, 99))
    def a_finding_is_deleted(self, pick: int) -> None:
        if finding := self.any_finding(pick):
            self.sandbox.world.delete_finding(finding)

    @rule(pick=st.integers(0, 99), path=st.sampled_from(["/moved", "/a/b?c=d#e", "/é"]))
    def a_finding_moves(self, pick: int, path: str) -> None:
        if finding := self.any_finding(pick):
            self.sandbox.world.move_finding(finding, finding.app.url.rstrip("/") + path)

    @rule(pick=st.integers(0, 99), name=st.sampled_from(['Shop "new"', "", "A, B", "Shop"]))
    def an_app_is_renamed(self, pick: int, name: str) -> None:
        if app := self.any_app(pick):
            self.sandbox.world.rename_app(app, name or f"App {pick}")

    @rule(pick=st.integers(0, 99), shares_name=st.booleans(), shares_url=st.booleans())
    def an_app_is_added(self, pick: int, shares_name: bool, shares_url: bool) -> None:
        other = self.any_app(pick)
        self.sandbox.world.add_app(
            other.name if other and shares_name else None,
            other.url if other and shares_url else None,
        )

    @precondition(lambda self: len(self.sandbox.world.apps) > 1)
    @rule(pick=st.integers(0, 99))
    def an_app_is_deleted(self, pick: int) -> None:
        if app := self.any_app(pick):
            self.sandbox.world.delete_app(app)

    # -- people at CVM

    @rule(pick=st.integers(0, 99), tag=st.sampled_from(["by hand", "owner: me"]))
    def somebody_tags_an_asset(self, pick: int, tag: str) -> None:
        assets = sorted(self.sandbox.tenant.state.assets)
        if assets:
            number = assets[pick % len(assets)]
            People(self.sandbox.tenant).tag(number, tag)
            self.by_hand.setdefault(number, set()).add(tag)

    @invariant()
    def a_step_is_counted(self) -> None:
        FIGURES["steps"] += 1

    @invariant()
    def tags_set_by_hand_are_kept(self) -> None:
        for number, tags in self.by_hand.items():
            asset = self.sandbox.tenant.state.assets.get(number)
            assert asset is not None
            assert tags <= set(asset.tags)

    # -- trouble

    @rule(name=st.sampled_from(SURVIVED), after=st.integers(0, 6), full=st.booleans())
    def a_sync_in_bad_weather(self, name: str, after: int, full: bool) -> None:
        self.strike(f"{name}+{after}", full=full)

    @rule(name=st.sampled_from(FATAL), full=st.booleans())
    def a_sync_that_cannot_go_well(self, name: str, full: bool) -> None:
        self.strike(name, full=full)

    def strike(self, fault: str, *, full: bool) -> None:
        faults = self.sandbox.faults
        before = faults.struck.total()
        faults.arm(fault)
        name = fault.partition("+")[0]
        if name == "qualys-other-account":
            self.forgotten = self.sandbox.oracle.ledger_lost = True
        # Characters that XML does not allow are replaced, so a URL may be another one this time.
        self.until_full |= name in {"qualys-other-account", "qualys-bad-characters"}
        synced = self.pair.sync(full_sync=full)
        FIGURES["faults survived"] += faults.struck.total() > before
        faults.disarm()
        self.check(synced)

    @rule(share=st.floats(0, 1), whole=st.booleans(), full=st.booleans())
    def the_tap_dies(self, share: float, whole: bool, full: bool) -> None:
        """The pipe ends somewhere, between two lines or within one."""

        def cut(lines: bytes) -> bytes:
            kept = lines[: int(len(lines) * share)]
            return kept[: kept.rfind(b"\n") + 1] if whole else kept

        FIGURES["faults survived"] += 1
        self.check(self.pair.sync(cut, full_sync=full))

    @rule(stream=st.sampled_from(["webapps", "scans", "knowledge_base", "syncs"]))
    def a_mapper_drops_a_stream(self, stream: str) -> None:
        mark = f'"stream":"{stream}"'.encode()

        def drop(lines: bytes) -> bytes:
            return b"".join(
                line for line in lines.splitlines(keepends=True) if mark not in line[:80]
            )

        FIGURES["faults survived"] += 1
        self.check(self.pair.sync(drop, full_sync=True))

    @rule(every=st.integers(2, 9))
    def a_mapper_loses_some_findings(self, every: int) -> None:
        """Nobody can know what they were; so nothing may close, and a full sync heals."""
        mark = b'"stream":"findings"'

        def lose(lines: bytes) -> bytes:
            rows = lines.splitlines(keepends=True)
            return b"".join(
                row
                for number, row in enumerate(rows)
                if number % every or mark not in row[:80] or b'"SCHEMA"' in row[:60]
            )

        FIGURES["faults survived"] += 1
        self.until_full = True
        self.check(self.pair.sync(lose, full_sync=True))

    @rule()
    def the_state_is_lost(self) -> None:
        FIGURES["faults survived"] += 1
        self.pair.state = {}

    @rule()
    def the_ledger_is_lost(self) -> None:
        FIGURES["faults survived"] += 1
        self.forgotten = self.until_full = self.sandbox.oracle.ledger_lost = True
        for path in self.home.glob("ledger-*.db"):
            path.unlink()

    @rule(days=st.integers(0, 2))
    def an_old_load_comes_again(self, days: int) -> None:
        """What was written before is replayed after newer runs: it must close nothing."""
        old, state = self.pair.written, copy.deepcopy(self.pair.state)
        for _ in range(days):
            self.sandbox.next_day(turbulent=True)
        self.check(self.pair.sync())
        self.pair.state, newer = state, copy.deepcopy(self.pair.state)
        FIGURES["faults survived"] += 1
        self.until_full = True
        self.check(self.pair.load(old))
        self.pair.state = newer

    @rule(junk=st.sampled_from([b"not json\n", b"{}\n", b"[1]\n", b'{"type":"RECORD"}\n']))
    def somebody_writes_into_the_pipe(self, junk: bytes) -> None:
        FIGURES["bad inputs tried"] += 1
        synced = self.pair.sync(lambda lines: lines + junk)
        assert synced.exit_code == 1
        self.check(synced)

    @rule(page_size=st.sampled_from([2, 5, 1000]), workers=st.sampled_from([1, 3]))
    def settings_change(self, page_size: int, workers: int) -> None:
        self.pair.tap_settings |= {"page_size": page_size, "max_concurrency": workers}
