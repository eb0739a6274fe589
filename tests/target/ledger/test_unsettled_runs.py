"""Runs whose end was not seen: CVM may hold what they opened, and it is closed like all else."""

from __future__ import annotations

import signal
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.loads import QUICK
from tests.target.processes import Process
from tests.target.streams import STATE, Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target.loads import CVM

BEFORE: Final = Sync([webapp()], [finding(1)])
MORE: Final = Sync([webapp()], [finding(1), finding(2), finding(3)])


def beyond_patience(cvm: CVM) -> None:
    """Let a run go on in CVM when the target has given up, and end well afterwards."""
    cvm.faults.arm("run-never-ends")
    assert cvm.load(MORE, run_timeout_seconds=1).outcome == "still_running"
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


def failed_in_part(cvm: CVM) -> None:
    """Let CVM fail one asset's payload of three, which is too many."""
    cvm.play(replace(QUICK, payload="asset"))
    cvm.faults.arm("payload-fails")
    assert cvm.load(MORE).outcome == "failed"


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
        loaded = cvm.load(BEFORE, max_close_percent=100)

        assert loaded.outcome == "succeeded"
        assert cvm.open() == names(1)

    def begin(self, way: Callable[[CVM], None], cvm: CVM, *, first: bool) -> None:
        if not first:
            cvm.load(BEFORE)
        before = cvm.ledger.read_bytes() if not first else None
        way(cvm)
        assert len(cvm.open()) >= 2
        # The ledger itself is written after a run that succeeded, never earlier.
        assert (cvm.ledger.read_bytes() if cvm.ledger.exists() else None) == before


def test_nothing_is_left_beside_the_ledger_once_a_run_has_succeeded(cvm: CVM) -> None:
    pending = cvm.ledger.with_name(cvm.ledger.name + ".pending")
    beyond_patience(cvm)
    assert stat.S_IMODE(pending.stat().st_mode) == 0o600

    loaded = cvm.load(MORE)

    assert loaded.states == [STATE], loaded.message
    assert not pending.exists()


def test_a_run_that_opens_nothing_new_writes_nothing_beside_the_ledger(cvm: CVM) -> None:
    cvm.load(MORE)
    cvm.faults.arm("run-fails")

    cvm.load(MORE)

    assert not cvm.ledger.with_name(cvm.ledger.name + ".pending").exists()


def test_a_first_run_that_failed_binds_nobody_to_its_settings(cvm: CVM) -> None:
    cvm.faults.arm("run-fails")
    cvm.load(MORE)

    loaded = cvm.load(MORE, locator_order=["external_id"])

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(1, 2, 3)


def test_a_first_run_that_failed_does_not_count_for_the_guard(cvm: CVM) -> None:
    cvm.faults.arm("run-fails")
    cvm.load(Sync([webapp()], [finding(number) for number in range(10)]))

    assert cvm.load(BEFORE).outcome == "succeeded"


def test_a_dry_run_knows_of_it_and_leaves_it(cvm: CVM) -> None:
    cvm.load(BEFORE)
    beyond_patience(cvm)

    loaded = cvm.load(MORE, dry_run=True)

    assert loaded.report["changes"]["opened"] == 0
    assert cvm.ledger.with_name(cvm.ledger.name + ".pending").exists()


def test_a_damaged_file_beside_the_ledger_stops_the_run(cvm: CVM) -> None:
    cvm.load(BEFORE)
    cvm.ledger.with_name(cvm.ledger.name + ".pending").write_bytes(b"no database")

    loaded = cvm.load(MORE)

    assert (loaded.outcome, loaded.states) == ("failed", [])
    assert f"ledger-{CONNECTOR_ID}.db.pending" in loaded.message
