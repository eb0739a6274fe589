"""A load that would close very much is stopped before anything is run in CVM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.target.loads import QUICK
from tests.target.streams import Sync, finding, fixed, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

TEN: Final = range(10)


def first(number: int) -> Sync:
    """Make a full sync with so many findings."""
    return Sync([webapp()], [finding(one) for one in range(number)])


def assert_stopped(loaded: Loaded, cvm: CVM, *words: str) -> None:
    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    for word in (*words, "max_close_percent"):
        assert word in loaded.message
    assert cvm.open() == names(*TEN)


@pytest.mark.parametrize(
    ("left", "percent", "passes"),
    [
        (5, 50, True),
        (4, 50, False),
        (9, 10, True),
        (8, 10, False),
        (10, 0, True),
        (9, 0, False),
        (1, 90, True),
        (0, 99, False),
        (0, 100, True),
    ],
)
def test_the_share_of_what_the_ledger_has_open_is_held_to_the_letter(
    left: int, percent: int, passes: bool, cvm: CVM
) -> None:
    cvm.load(first(10))

    loaded = cvm.load(first(left), max_close_percent=percent)

    if passes:
        assert loaded.outcome == "succeeded", loaded.message
        assert cvm.open() == names(*range(left))
    else:
        assert_stopped(loaded, cvm, str(10 - left) if left else "no open finding", "10")


def test_a_load_that_was_stopped_changes_neither_ledger_nor_files_in_cvm(cvm: CVM) -> None:
    cvm.load(first(10))
    before = (cvm.ledger.read_bytes(), cvm.requests["data_file"], cvm.requests["run"])

    cvm.load(first(2))

    assert (cvm.ledger.read_bytes(), cvm.requests["data_file"], cvm.requests["run"]) == before


def test_a_load_without_findings_is_stopped_whatever_the_limit_below_all(cvm: CVM) -> None:
    cvm.load(first(10))

    assert_stopped(cvm.load(first(0), max_close_percent=99), cvm, "no open finding", "10")


def test_fixes_are_not_counted_for_each_is_named(cvm: CVM) -> None:
    cvm.load(first(10))

    loaded = cvm.load(Sync([webapp()], [fixed(n) for n in range(9)] + [finding(9)]))

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(9)


def test_what_a_filter_would_close_is_counted(cvm: CVM) -> None:
    cvm.load(Sync([webapp()], [finding(n, potential=n > 3) for n in TEN]))

    loaded = cvm.load(
        Sync([webapp()], [finding(n, potential=n > 3) for n in TEN]), exclude_potential=True
    )

    assert_stopped(loaded, cvm, "6", "10")


def test_what_is_not_proven_is_not_guarded_for_it_closes_nothing(cvm: CVM) -> None:
    cvm.load(first(10))

    assert cvm.load(replace(first(1), proof=None)).exit_code == 0
    assert cvm.load(replace(first(1), mode="incremental")).exit_code == 0
    assert cvm.open() == names(*TEN)


def test_a_dry_run_is_guarded_as_well(cvm: CVM) -> None:
    cvm.load(first(10))

    assert_stopped(cvm.load(first(1), dry_run=True), cvm, "9", "10")


class TestWithoutALedger:
    """Then CVM's own count of what is open for the connector is asked for."""

    @pytest.mark.parametrize(("left", "passes"), [(5, True), (4, False)])
    @pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
    def test_a_load_that_holds_much_less_than_cvm_is_stopped(
        self, left: int, model: str, passes: bool, cvm: CVM
    ) -> None:
        cvm.load(first(10), data_model=model)
        cvm.ledger.unlink()

        loaded = cvm.load(first(left), data_model=model)

        assert loaded.outcome == ("succeeded" if passes else "failed"), loaded.message
        if not passes:
            assert_stopped(loaded, cvm, "6", "10")

    def test_the_first_load_of_a_connector_is_not_stopped(self, cvm: CVM) -> None:
        assert cvm.load(first(3)).outcome == "succeeded"

    def test_a_count_that_cvm_does_not_give_stops_nothing(self, cvm: CVM) -> None:
        cvm.load(first(10))
        cvm.ledger.unlink()
        cvm.play(replace(QUICK, legacy_counts=True))

        assert cvm.load(first(1)).outcome == "succeeded"

    def test_it_is_not_asked_for_when_the_limit_is_off(self, cvm: CVM) -> None:
        cvm.load(first(10))
        cvm.ledger.unlink()

        loaded = cvm.load(first(1), max_close_percent=100)

        assert loaded.outcome == "succeeded"
