"""Runs whose end was not seen: CVM may hold what they opened, and it is closed like all else."""

from __future__ import annotations

import signal
import stat
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from target_ciscovm.ledger.ledger import Ledger
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.loads import QUICK
from tests.target.processes import Process
from tests.target.streams import ASKING, STATE, Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target.loads import CVM, Loaded

BEFORE: Final = Sync([webapp()], [finding(1)])
MORE: Final = Sync([webapp()], [finding(1), finding(2), finding(3)])


def beyond_patience(cvm: CVM, sync: Sync = MORE) -> None:
    """Let a run go on in CVM when the target has given up, and end well afterwards."""
    cvm.faults.arm("run-never-ends")
    assert cvm.load(sync, run_timeout_seconds=1).outcome == "still_running"
    cvm.faults.disarm()
    cvm.tenant.settle()


def killed(cvm: CVM) -> None:
    """Let the target be killed while CVM works."""
    cvm.faults.arm("target-killed-in-run")
    process = Process(cvm)
    cvm.faults.carry_out = lambda _: process.signal(signal.SIGKILL)
    assert process.end(MORE.lines(cvm.clock.now())).exit_code == -signal.SIGKILL
    cvm.faults.carry_out = None
    cvm.tenant.settle()


def failed_in_part(cvm: CVM, sync: Sync = MORE) -> None:
    """Let CVM fail one asset's payload of three, which is too many."""
    cvm.play(replace(QUICK, payload="asset"))
    cvm.faults.arm("payload-fails")
    assert cvm.load(sync).outcome == "failed"


WAYS: Final = [beyond_patience, killed, failed_in_part]


@pytest.mark.parametrize("first", [False, True], ids=["later", "the first run"])
@pytest.mark.parametrize("way", WAYS)
class TestAfterwards:
    """What the run opened is known, whether it was the first one or not."""

    def test_a_fix_is_closed_by_name(
        self, way: Callable[[CVM], None], first: bool, cvm: CVM
    ) -> None:
        self.begin(way, cvm, first=first)

        cvm.load(Sync([webapp()], [fixed(2), fixed(3)], mode="incremental"))

        assert cvm.open() <= names(1)

    def test_what_is_gone_is_closed(
        self, way: Callable[[CVM], None], first: bool, cvm: CVM
    ) -> None:
        self.begin(way, cvm, first=first)

        cvm.load(replace(BEFORE, mode="incremental"))
        loaded = cvm.load(BEFORE)

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(1)

    def begin(self, way: Callable[[CVM], None], cvm: CVM, *, first: bool) -> None:
        if not first:
            cvm.load(BEFORE)
        way(cvm)
        assert len(cvm.open()) >= 2


class TestLookedUp:
    """A run whose end was not seen is looked up by its number when the next load begins."""

    BEGAN: Final = "2026-03-02T07:30:00Z"

    def following(self, cvm: CVM, way: Callable[[CVM, Sync], None]) -> Loaded:
        """Load an incremental sync that goes on from one whose run's end was not seen."""
        cvm.load(BEFORE)
        way(cvm, replace(MORE, started=self.BEGAN))
        proof = {"previousSyncAt": self.BEGAN}
        return cvm.load(Sync([webapp()], [finding(4)], mode="incremental", proof=proof))

    def test_one_that_has_ended_well_is_settled(self, cvm: CVM) -> None:
        loaded = self.following(cvm, beyond_patience)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert loaded.report["gap"] is None
        assert loaded.report["closing"]["open_before"] == 3

    def test_one_that_has_failed_leaves_a_gap(self, cvm: CVM) -> None:
        loaded = self.following(cvm, failed_in_part)

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert loaded.report["closing"]["open_before"] == 3

    def test_it_counts_once_as_open(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        failed_in_part(cvm)

        loaded = cvm.load(MORE)

        assert loaded.report["closing"]["open_before"] == 3
        assert loaded.report["closing"]["open_after"] == len(cvm.open()) == 3

    def test_the_plan_is_made_anew_where_the_wait_has_shown_its_end(self, cvm: CVM) -> None:
        cvm.begin(MORE)
        cvm.faults.arm("run-never-ends")
        fix = Sync([webapp()], [fixed(2)], mode="incremental")
        assert cvm.load(fix, run_timeout_seconds=1).outcome == "still_running"
        threading.Timer(0.5, cvm.faults.disarm).start()

        loaded = cvm.load(fix)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        way = loaded.report["reconciliation"]
        assert way["nothing_to_do_by"] == [{"cause": "already closed", "count": 1}]
        assert loaded.items() == {}
        assert cvm.open() == names(1, 3)


def test_nothing_is_pending_once_a_run_has_succeeded(cvm: CVM) -> None:
    beyond_patience(cvm)
    with Ledger(cvm.ledger) as ledger:
        assert ledger.pending is not None
        assert ledger.pending.run == cvm.tenant.runs(CONNECTOR_ID)[0].id
    assert stat.S_IMODE(cvm.ledger.stat().st_mode) == 0o600

    loaded = cvm.load(MORE)

    assert loaded.states == [STATE], loaded.message
    with Ledger(cvm.ledger) as ledger:
        assert ledger.pending is None
    assert [path.name for path in cvm.output.glob("ledger*")] == [cvm.ledger.name]


def test_a_first_run_that_failed_binds_nobody_to_its_settings(cvm: CVM) -> None:
    cvm.faults.arm("run-fails")
    cvm.load(MORE)

    loaded = cvm.load(MORE, locator_order=["external_id"])

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(1, 2, 3)


def test_a_dry_run_knows_of_it(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    beyond_patience(cvm)

    loaded = cvm.load(MORE, dry_run=True)

    assert loaded.report["changes"]["opened"] == 0
    assert loaded.report["closing"]["open_before"] == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_dry_run_tells_of_its_end_and_leaves_the_ledger_as_it_is(
    way: Callable[[CVM], None], cvm: CVM
) -> None:
    cvm.load(BEFORE)
    way(cvm)
    before = cvm.ledger.read_bytes()

    dry = cvm.load(MORE, dry_run=True)

    assert dry.outcome == "succeeded"
    assert cvm.ledger.read_bytes() == before
    assert cvm.load(MORE).outcome == "succeeded"
    assert cvm.open() == names(1, 2, 3)
