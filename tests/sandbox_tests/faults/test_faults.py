"""Faults strike when, as often and on the day that their names say."""

from __future__ import annotations

import pytest

from tests.sandbox.faults.faults import FAULTS, Faults, UnknownFaultError
from tests.sandbox.faults.kinds import KINDS

PROMISED = [
    "tap-killed",
    "tap-error",
    "target-killed",
    "target-terminated",
    "qualys-busy",
    "qualys-cut-body",
    "qualys-html",
    "qualys-empty",
    "upload-422",
    "lost-run-answer",
    "run-fails",
    "payload-fails",
    "poll-errors",
    "disk-full",
    "state-lost",
]


def strikes(faults: Faults, name: str, opportunities: int = 8) -> str:
    """Give a letter for each opportunity: X where the fault struck."""
    return "".join("X" if faults.take(name) else "." for _ in range(opportunities))


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_fault_is_there_and_says_what_it_does(name: str) -> None:
    assert FAULTS[name]


@pytest.mark.parametrize(
    ("written", "struck"),
    [
        ("qualys-busy", "XX......"),
        ("qualys-busy*1", "X......."),
        ("qualys-busy*0", "XXXXXXXX"),
        ("qualys-busy+3", "...XX..."),
        ("qualys-busy+1*4", ".XXXX..."),
        ("qualys-cut-body", ".X......"),
        ("qualys-cut-body+0", "X......."),
        ("qualys-trial", "XXXXXXXX"),
    ],
)
def test_a_name_says_after_how_many_and_how_often(written: str, struck: str) -> None:
    name = written.replace("+", "*").partition("*")[0]
    assert strikes(Faults([written]), name) == struck


def test_a_fault_of_a_day_strikes_on_that_day_alone() -> None:
    faults = Faults(["qualys-busy*0@2"])
    days = [strikes(faults.for_day(day), "qualys-busy", 2) for day in (1, 2, 3)]

    assert days == ["..", "XX", ".."]


def test_opportunities_of_other_days_do_not_count() -> None:
    faults = Faults(["qualys-busy+1*1@2"])

    assert strikes(faults.for_day(1), "qualys-busy", 3) == "..."
    assert strikes(faults.for_day(2), "qualys-busy", 3) == ".X."


def test_two_of_one_name_strike_one_after_the_other() -> None:
    assert strikes(Faults(["qualys-busy*1", "qualys-busy*2"]), "qualys-busy", 5) == "XXX.."


def test_strikes_are_counted_by_name() -> None:
    faults = Faults(["qualys-busy", "run-fails"])
    strikes(faults, "qualys-busy")

    assert (faults.struck["qualys-busy"], faults.struck["run-fails"]) == (2, 0)


def test_armed_tells_whether_a_strike_is_left() -> None:
    faults = Faults(["run-fails@2"])
    told = [faults.for_day(day).armed("run-fails") for day in (1, 2)]
    faults.take("run-fails")

    assert [*told, faults.armed("run-fails")] == [False, True, False]


def test_faults_can_be_armed_and_disarmed_on_the_way() -> None:
    faults = Faults()
    faults.arm("qualys-busy*0", "run-fails")
    faults.disarm("qualys-busy")

    assert (faults.take("qualys-busy"), faults.take("run-fails")) == (False, True)
    faults.arm("qualys-busy")
    faults.disarm()
    assert not faults.armed("qualys-busy")


@pytest.mark.parametrize(
    "written", ["", "qualys", "qualys-busy@", "qualys-busy+x", "tap-killed@-1"]
)
def test_another_name_or_form_is_refused_with_all_names(written: str) -> None:
    with pytest.raises(UnknownFaultError, match=r"unknown fault '.*tap-error.*upload-422"):
        Faults([written])


def test_asking_for_a_name_that_is_not_in_the_table_is_a_mistake_of_the_sandbox() -> None:
    with pytest.raises(UnknownFaultError):
        Faults(["qualys-busy"]).take("qualys-bussy")


def test_only_faults_of_processes_are_carried_out() -> None:
    names = [name for name, kind in KINDS.items() if kind.place == "process"]
    faults, done = Faults([f"{name}+0" for name in KINDS]), list[str]()
    faults.carry_out = done.append
    for name in KINDS:
        assert faults.take(name)

    assert done == names
