"""What goes wrong while the weeks go by."""

from __future__ import annotations

import copy
import io
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.pair.figures import FIGURES
from tests.pair.life import Life
from tests.pair.weather import BROKEN_PAGES, FATAL, OF_CLOCKS, SURVIVED
from tests.sandbox.oracle.scene import key_of

if TYPE_CHECKING:
    from tests.pair.together import Pair


class Trouble(Life):
    """Faults of the two systems, of the pipe, and of what is remembered."""

    @rule(name=st.sampled_from(SURVIVED), after=st.integers(0, 6), full=st.booleans())
    def a_sync_in_bad_weather(self, name: str, after: int, full: bool) -> None:
        self.strike(f"{name}+{after}", full=full)

    @rule(name=st.sampled_from(BROKEN_PAGES), after=st.integers(0, 3))
    def a_page_breaks_on_a_day_with_news(self, name: str, after: int) -> None:
        """It would be lost without a trace, for what is new is counted by nobody."""
        self.pass_day(turbulent=True)
        self.strike(f"{name}+{after}", full=False)

    @rule(name=st.sampled_from(FATAL), full=st.booleans(), day=st.booleans())
    def a_sync_that_cannot_go_well(self, name: str, full: bool, day: bool) -> None:
        if day:
            self.pass_day(turbulent=True)
        self.strike(name, full=full)

    def strike(self, fault: str, *, full: bool) -> None:
        faults = self.sandbox.faults
        before = faults.struck.total()
        faults.arm(fault)
        oracle = self.sandbox.oracle
        if fault.partition("+")[0] == "qualys-other-account":
            self.pair.installation.knows.clear()
            oracle.memory.excused = True
        synced = self.pair.sync(full_sync=full)
        FIGURES["faults survived"] += faults.struck.total() > before
        faults.disarm()
        self.check(synced)

    @rule(name=st.sampled_from(OF_CLOCKS), after=st.integers(0, 3), full=st.booleans())
    def the_clocks_jump_under_a_sync(self, name: str, after: int, full: bool) -> None:
        self.sandbox.oracle.memory.excused = True
        self.strike(f"{name}+{after}", full=full)

    @rule()
    def an_app_goes_and_one_comes_under_a_sync(self) -> None:
        self.strike("apps-change+0", full=True)

    @rule(full=st.booleans())
    def two_schedules_start_at_once(self, full: bool) -> None:
        """The second one finds the first one's lock, and leaves without a word to CVM."""
        met = []

        def second(lines: bytes) -> None:
            asked, state = self.sandbox.ciscovm_requests.copy(), copy.deepcopy(self.pair.state)
            exit_code, report = self.pair.run_target(io.BytesIO(lines))
            assert (exit_code, report["outcome"]) == (1, "failed"), report
            assert "is being loaded by process" in report["message"]
            assert (self.sandbox.ciscovm_requests, self.pair.state) == (asked, state)
            met.append(report)

        FIGURES["faults survived"] += 1
        synced = self.pair.sync(meanwhile=second, full_sync=full)
        assert met or synced.exit_code, synced
        self.check(synced, fine=True)

    @rule(share=st.floats(0, 1), whole=st.booleans(), full=st.booleans())
    def the_tap_dies(self, share: float, whole: bool, full: bool) -> None:
        """The pipe ends somewhere, between two lines or within one."""

        def cut(lines: bytes) -> bytes:
            kept = lines[: int(len(lines) * share)]
            return kept[: kept.rfind(b"\n") + 1] if whole else kept

        FIGURES["faults survived"] += 1
        self.check(self.pair.sync(cut, died=True, full_sync=full))

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
        self.check(self.pair.sync(lose, full_sync=True))

    @rule()
    def the_state_is_lost(self) -> None:
        FIGURES["faults survived"] += 1
        self.pair.state = {}

    @rule(back=st.integers(1, 3))
    def an_older_state_comes_back(self, back: int) -> None:
        earlier = self.pair.earlier
        if not earlier:
            return
        FIGURES["faults survived"] += 1
        self.pair.state = copy.deepcopy(earlier[-min(back, len(earlier))])
        self.pair.installation.resumes = True

    @rule()
    def the_ledger_is_lost(self) -> None:
        FIGURES["faults survived"] += 1
        for pair in (self.pair, *getattr(self, "_pairs", {}).values()):
            if pair.home == self.home:
                self.forget(pair, set())
        self.settings_known = False
        for path in self.home.glob("ledger-*.db"):
            path.unlink()

    def forget(self, pair: Pair, all_but: set[str]) -> None:
        """Expect no closings of what the lost ledger knew alone, and CVM does not tell in time."""
        switches = self.sandbox.switches
        if not (switches.name_in_identity or switches.search_delay):
            return
        if not switches.name_in_identity:
            assets = self.sandbox.tenant.searched().values()
            entries = (entry for asset in assets for entry in asset.entries.values())
            all_but = all_but | {key_of(entry) for entry in entries if entry.is_open}
        pair.installation.knows.intersection_update(all_but)

    @rule(days=st.integers(0, 2))
    def an_old_load_comes_again(self, days: int) -> None:
        """What was written before is replayed after newer runs: it must close nothing."""
        old, state = (self.pair.written, self.pair.reading), copy.deepcopy(self.pair.state)
        for _ in range(days):
            self.pass_day(turbulent=True)
        self.check(self.pair.sync())
        self.pair.state, newer = state, copy.deepcopy(self.pair.state)
        FIGURES["faults survived"] += 1
        self.check(self.pair.load(*old))
        self.pair.state = newer

    @rule(full=st.booleans(), days=st.integers(0, 2))
    def a_load_waits_while_another_goes_first(self, full: bool, days: int) -> None:
        """It was read before the other one, and runs after it."""
        FIGURES["faults survived"] += 1
        if self.pair.read(full_sync=full):
            return
        waiting = (self.pair.written, self.pair.reading)
        for _ in range(days):
            self.pass_day(turbulent=True)
        self.check(self.pair.sync())
        state = copy.deepcopy(self.pair.state)
        self.check(self.pair.load(*waiting))
        self.pair.state = state

    @rule(days=st.integers(1, 2), full=st.booleans())
    def the_ledger_of_before_comes_back(self, days: int, full: bool) -> None:
        """As somebody does who restores a backup; it lacks what came since."""
        path = self.home / f"ledger-{self.sandbox.connector_id}.db"
        if not (self.pair.installation.knows and path.exists()):
            return
        FIGURES["faults survived"] += 1
        kept = path.read_bytes()
        # What it has as closed, and what came back since, it takes for closed again.
        knew = {key_of(held) for held in self.ours() if held.is_open}
        knew &= self.pair.installation.knows
        for _ in range(days):
            self.pass_day(turbulent=True)
            self.check(self.pair.sync())
        path.write_bytes(kept)
        self.forget(self.pair, knew)
        self.check(self.pair.sync(full_sync=full))

    @rule(junk=st.sampled_from([b"not json\n", b"{}\n", b"[1]\n", b'{"type":"RECORD"}\n']))
    def somebody_writes_into_the_pipe(self, junk: bytes) -> None:
        FIGURES["bad inputs tried"] += 1
        synced = self.pair.sync(lambda lines: lines + junk)
        assert synced.exit_code == 1
        self.check(synced)
