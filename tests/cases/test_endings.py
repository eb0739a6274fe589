"""Cases about inputs and runs that end too soon."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.cases.case import read
from tests.cases.outcomes import identifiers, whole
from tests.target.processes import START, Process, eventually, newest

if TYPE_CHECKING:
    from tests.target.loads import CVM


OUTPUTS: Final = {
    "closed": "",
    "none": "import os; os.close(1)\n",
    "full": "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n",
}
"""What a shell does to a program's output: `| true`, `>&-`, `> /dev/full`."""

NOTHING = read("endings/nothing_came")


def test_what_a_tap_wrote_before_it_died_closes_nothing(cvm: CVM) -> None:
    case = read("endings/page_that_never_comes")
    cvm.load(whole(case))
    assert cvm.open() == identifiers(7001, 7002)

    loaded = cvm.load(case.input("what came"))

    assert (loaded.outcome, cvm.open()) == ("succeeded_unproven", identifiers(7001, 7002))
    assert loaded.closings == {}


@pytest.mark.parametrize("name", NOTHING.inputs)
def test_an_input_without_a_record_is_an_abort(name: str, cvm: CVM) -> None:
    given = NOTHING.input(name)

    loaded = cvm.load(given)
    strict = cvm.load(given, fail_on_abort=True)

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("aborted", 0, [])
    assert (strict.outcome, strict.exit_code, strict.states) == ("aborted", 1, [])
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


def test_a_state_is_not_passed_on_before_the_run_has_succeeded(cvm: CVM) -> None:
    given = read("endings/state_before_load").input("one finding")

    cvm.faults.arm("run-fails")
    failed = cvm.load(given)
    loaded = cvm.load(given)

    assert (failed.outcome, failed.exit_code, failed.states) == ("failed", 1, [])
    assert (loaded.exit_code, len(loaded.states)) == (0, 1)


def test_a_signal_is_no_end_of_the_input(cvm: CVM) -> None:
    process = Process(cvm)
    process.write(read("endings/stopped_in_the_middle").input("one finding"))
    eventually(lambda: cvm.output.exists() and cvm.requests["entitlements/overage"])
    eventually((newest(cvm.output) / "spool" / "records.db").exists)
    process.signal(signal.SIGTERM)
    ended = process.end()

    assert (ended.exit_code, ended.output) == (143, ""), ended.log
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


def test_half_a_line_at_the_end_fails_and_closes_nothing(cvm: CVM) -> None:
    loaded = cvm.load(read("endings/half_a_line").input("half a line"))

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert "cut off" in loaded.message
    assert cvm.requests["data_file"] == cvm.requests["run"] == 0


def test_a_target_that_fails_says_so_itself_and_passes_no_state_on(cvm: CVM) -> None:
    given = read("endings/target_fails").input("three findings")

    refused = cvm.load(given, api_key="nobodys-key")
    loaded = cvm.load(given)

    assert (refused.exit_code, refused.states) == (2, [])
    assert "does not accept the API key" in refused.message
    assert (loaded.exit_code, cvm.open()) == (0, identifiers(7001, 7002, 7003))


@pytest.mark.parametrize("output", ["closed", "none", "full"])
def test_a_state_that_nobody_takes_leaves_the_load_and_its_report(output: str, cvm: CVM) -> None:
    given = read("endings/state_that_nobody_takes").input("two findings")
    process = Process(cvm, code=OUTPUTS[output] + START)
    if output == "closed":
        process.close_output()

    ended = process.end(given)

    assert ended.exit_code == 1
    assert cvm.open() == identifiers(7001, 7002)
    assert "Traceback" not in ended.log
    assert "Exception ignored" not in ended.log
    (line,) = [line for line in ended.log.splitlines() if "ERROR" in line]
    assert "state" in line
    report = json.loads((newest(cvm.output) / "report.json").read_text("utf-8"))
    assert report["outcome"].startswith("succeeded")
