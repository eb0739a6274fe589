"""A signal to stop, wherever it comes: nothing is marked as sent, no litter, the truth is told."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.processes import Process, eventually, newest
from tests.target.streams import Sync, finding, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM
    from tests.target.processes import Ended

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
EXITS: Final = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGHUP: 129}


def start(cvm: CVM, part_max_bytes: int = 50_000_000) -> Process:
    process = Process(cvm, part_max_bytes=part_max_bytes)
    cvm.faults.carry_out = lambda _: None
    return process


def assert_stopped(process: Process, ended: Ended, exit_code: int, told: str) -> None:
    assert ended.exit_code == exit_code, ended.log
    assert ended.output == ""
    assert "Traceback" not in ended.log
    assert "stopped by signal" in ended.log
    loaded = process.loaded(ended)
    assert loaded.outcome == "interrupted"
    assert told in loaded.report["message"]


@pytest.mark.parametrize("number", EXITS)
def test_while_it_reads(number: signal.Signals, cvm: CVM) -> None:
    process = start(cvm)
    process.write(b"".join(TWO.lines(cvm.clock.now()).splitlines(keepends=True)[:-2]))
    eventually(lambda: cvm.output.exists() and cvm.requests["entitlements/overage"])
    eventually((newest(cvm.output) / "spool" / "records.db").exists)

    process.signal(number)
    ended = process.end()

    assert_stopped(process, ended, EXITS[number], "Nothing was run in CVM")
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0
    assert not cvm.ledger.exists()


@pytest.mark.parametrize("number", EXITS)
def test_while_it_uploads(number: signal.Signals, cvm: CVM) -> None:
    cvm.faults.arm("target-terminated+1")
    process = start(cvm, part_max_bytes=1000)
    cvm.faults.carry_out = lambda _: process.signal(number)

    ended = process.end(TWO.lines(cvm.clock.now()))

    assert_stopped(process, ended, EXITS[number], "Nothing was run in CVM")
    assert cvm.requests["run"] == 0
    assert cvm.open() == set()
    assert not cvm.ledger.exists()


@pytest.mark.parametrize("number", EXITS)
def test_while_cvm_works_on_the_run(number: signal.Signals, cvm: CVM) -> None:
    cvm.faults.arm("target-killed-in-run+1", "run-never-ends")
    process = start(cvm)
    cvm.faults.carry_out = lambda _: process.signal(number)

    ended = process.end(TWO.lines(cvm.clock.now()))

    (run,) = cvm.tenant.runs(CONNECTOR_ID)
    assert_stopped(process, ended, EXITS[number], f"Connector run {run.id} goes on in CVM")
    cvm.faults.disarm()
    loaded = cvm.load(Sync([webapp()], mode="incremental"))
    assert loaded.report["closing"]["open_before"] == 2
    assert cvm.open() == names(1, 2)


def test_while_nobody_knows_whether_the_run_has_begun(cvm: CVM) -> None:
    cvm.faults.arm("target-killed-before-run")
    process = start(cvm)
    cvm.faults.carry_out = lambda _: process.signal(signal.SIGTERM)

    ended = process.end(TWO.lines(cvm.clock.now()))

    assert_stopped(process, ended, 143, "CVM may have begun a run")
    assert cvm.load(TWO).outcome == "succeeded"
    assert cvm.open() == names(1, 2)


def test_a_tap_that_goes_on_writing_is_not_waited_for(cvm: CVM) -> None:
    process = start(cvm)
    process.write(TWO.lines(cvm.clock.now()))
    eventually(lambda: cvm.requests["entitlements/overage"])
    eventually((newest(cvm.output) / "spool" / "records.db").exists)

    process.signal(signal.SIGTERM)
    eventually(lambda: process.exited)

    assert process.end().exit_code == 143


def test_a_kill_leaves_what_the_next_run_tidies(cvm: CVM) -> None:
    process = start(cvm)
    process.write(TWO.lines(cvm.clock.now()))
    eventually(lambda: cvm.requests["entitlements/overage"])
    eventually((newest(cvm.output) / "spool" / "records.db").exists)
    killed = newest(cvm.output)
    process.signal(signal.SIGKILL)
    assert process.end().exit_code == -signal.SIGKILL
    assert (killed / "spool").exists()

    loaded = cvm.load(TWO)

    assert loaded.outcome == "succeeded"
    assert not (killed / "spool").exists()


@pytest.mark.parametrize("fault", ["target-killed", "target-killed-before-run"])
def test_a_kill_on_the_way_is_made_up_for_by_the_next_run(fault: str, cvm: CVM) -> None:
    cvm.begin(TWO)
    cvm.faults.arm(fault)
    process = start(cvm)
    cvm.faults.carry_out = lambda _: process.signal(signal.SIGKILL)

    ended = process.end(Sync([webapp()], [finding(1)]).lines(cvm.clock.now()))

    assert (ended.exit_code, ended.output) == (-signal.SIGKILL, "")
    assert cvm.open() == names(1, 2)
    assert cvm.load(Sync([webapp()], [finding(1)])).outcome == "succeeded"
    assert cvm.open() == names(1)
