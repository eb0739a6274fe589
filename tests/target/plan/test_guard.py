"""A load that would close very much is stopped before anything is run in CVM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, finding, fixed, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

MANY: Final = range(42)
APPS: Final = [webapp(1), webapp(2)]


def first(number: int) -> Sync:
    """Make a full sync with so many findings."""
    return Sync([webapp()], [finding(one) for one in range(number)])


def assert_stopped(loaded: Loaded, cvm: CVM, *words: str, still: int = len(MANY)) -> None:
    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    for word in (*words, "max_close_percent", "Nothing was run"):
        assert word in loaded.message
    assert cvm.open() == names(*range(still))


@pytest.mark.parametrize(
    ("before", "left", "percent", "passes"),
    [
        (42, 21, 50, True),
        (42, 20, 50, False),
        (210, 189, 10, True),
        (210, 188, 10, False),
        (42, 42, 0, True),
        (42, 22, 0, True),
        (42, 21, 0, False),
        (42, 1, 97, False),
        (42, 1, 98, True),
        (42, 0, 99, False),
        (42, 0, 100, True),
    ],
)
def test_the_share_of_what_is_open_is_held_to_the_letter(
    before: int, left: int, percent: int, passes: bool, cvm: CVM
) -> None:
    cvm.begin(first(before))

    loaded = cvm.load(first(left), max_close_percent=percent)

    if passes:
        assert loaded.outcome == "succeeded", loaded.message
        assert cvm.open() == names(*range(left))
        return
    words = (f"close {before - left} of the {before}", f"gone {before - left}")
    empty = ("has no finding", f"the last one had {before} open")
    assert_stopped(loaded, cvm, *(words if left else empty), still=before)


class TestFew:
    """Up to twenty closings stop nothing, whatever share they are."""

    def test_twenty_of_twenty_close(self, cvm: CVM) -> None:
        cvm.begin(first(20))

        assert cvm.load(first(0), max_close_percent=0).outcome == "succeeded"
        assert cvm.open() == set()

    def test_one_more_of_a_load_without_findings_does_not(self, cvm: CVM) -> None:
        cvm.begin(first(21))

        assert_stopped(cvm.load(first(0), max_close_percent=99), cvm, "has no finding", still=21)


def test_a_load_that_was_stopped_changes_neither_ledger_nor_files_in_cvm(cvm: CVM) -> None:
    cvm.begin(first(42))
    before = (cvm.ledger.read_bytes(), cvm.requests["data_file"], cvm.requests["run"])

    cvm.load(first(2))

    assert (cvm.ledger.read_bytes(), cvm.requests["data_file"], cvm.requests["run"]) == before


def test_the_message_tells_where_the_list_of_changes_lies(cvm: CVM) -> None:
    cvm.begin(first(42))

    loaded = cvm.load(first(2))

    assert loaded.folder is not None
    assert str(loaded.folder / "changes.jsonl") in loaded.message
    assert len(loaded.closings) == 40
    assert set(loaded.closings.values()) == {"gone"}


def test_only_what_the_load_covers_is_the_whole_that_a_share_is_of(cvm: CVM) -> None:
    others = [finding(number, 2) for number in range(42, 242)]
    cvm.load(Sync(APPS, [*first(42).findings, *others]))

    loaded = cvm.load(Sync(APPS, [*first(20).findings, *others[:1]], not_proven=[2]))

    assert_stopped(loaded, cvm, "close 22 of the 42", still=242)


def test_fixes_are_not_counted_for_each_is_named(cvm: CVM) -> None:
    cvm.begin(first(42))

    loaded = cvm.load(Sync([webapp()], [fixed(n) for n in range(41)] + [finding(41)]))

    assert loaded.outcome == "succeeded"
    assert cvm.open() == names(41)


def test_what_a_filter_would_close_is_counted(cvm: CVM) -> None:
    rows = [finding(number, potential=number > 18) for number in MANY]
    cvm.load(Sync([webapp()], rows))

    loaded = cvm.load(Sync([webapp()], rows), exclude_potential=True)

    assert_stopped(loaded, cvm, "close 23 of the 42", "filtered: exclude_potential 23")


def test_both_causes_together_are_what_is_counted(cvm: CVM) -> None:
    rows = [finding(number, potential=number > 30) for number in MANY]
    cvm.load(Sync([webapp()], rows))

    loaded = cvm.load(Sync([webapp()], rows[11:]), exclude_potential=True)

    assert_stopped(loaded, cvm, "close 22 of the 42", "gone 11", "filtered: exclude_potential 11")


def test_what_is_not_proven_is_not_guarded_for_it_closes_nothing(cvm: CVM) -> None:
    cvm.begin(first(42))

    assert cvm.load(replace(first(1), proof=None)).exit_code == 0
    assert cvm.load(replace(first(1), mode="incremental")).exit_code == 0
    assert cvm.open() == names(*MANY)


def test_a_dry_run_is_guarded_as_well(cvm: CVM) -> None:
    cvm.begin(first(42))

    assert_stopped(cvm.load(first(1), dry_run=True), cvm, "41", "42")


def test_the_first_load_of_a_connector_is_not_stopped(cvm: CVM) -> None:
    assert cvm.load(first(3)).outcome == "succeeded"


class TestEmptyAccount:
    """A full load without any finding: rather a fault than an account that was cleaned in a day."""

    EMPTY: Final = Sync([webapp()], scans=[])

    def test_the_guard_comes_before_the_word_that_there_is_no_report(self, cvm: CVM) -> None:
        cvm.begin(first(21))

        assert_stopped(cvm.load(self.EMPTY), cvm, "has no finding", still=21)

    def test_where_all_is_fixed_there_are_findings(self, cvm: CVM) -> None:
        cvm.begin(first(21))

        loaded = cvm.load(Sync([webapp()], [fixed(one) for one in range(21)]))

        assert (loaded.outcome, cvm.open()) == ("succeeded", set())

    def test_where_there_was_little_it_is_aborted(self, cvm: CVM) -> None:
        cvm.begin(first(20))

        loaded = cvm.load(self.EMPTY)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("aborted", 0, [])
        assert cvm.open() == names(*range(20))

    def test_where_scans_are_not_read_it_is_believed(self, cvm: CVM) -> None:
        cvm.begin(first(20))
        counts = {name: len(rows) for name, rows in self.EMPTY.streams().items()}
        told = self.EMPTY.sync_row(counts, cvm.clock.now())["streams"]
        streams = [stream for stream in told if stream["stream"] != "scans"]

        loaded = cvm.load(replace(self.EMPTY, proof={"streams": streams}))

        assert (loaded.outcome, cvm.open()) == ("succeeded", set())

    @pytest.mark.parametrize(
        "other",
        [
            {"proof": {"subscription": "another"}},
            {"proof": {"filters": {"webapp_ids": [1]}}, "coverage": {"wholeAccount": False}},
        ],
        ids=["another account", "other filters"],
    )
    def test_another_scope_has_its_own_last_load(self, other: dict[str, Any], cvm: CVM) -> None:
        cvm.begin(first(21))
        empty = Sync([webapp(9)], scans=[scan(9)], **other)

        assert cvm.load(empty).outcome == "succeeded"
        assert cvm.open() == names(*range(21))

    def test_the_last_load_that_counts_is_the_last_that_was_settled(self, cvm: CVM) -> None:
        cvm.begin(first(21))
        cvm.load(first(12))

        assert cvm.load(first(0)).outcome == "succeeded"
        assert cvm.open() == set()


def test_what_was_sent_as_closed_before_is_no_closing_of_this_load(cvm: CVM) -> None:
    """CVM has failed a part of that load, so all of it is sent again."""
    cvm.begin(first(100))
    cvm.faults.arm("payload-fails")
    rows = [finding(number) for number in range(30, 100)]
    assert cvm.load(Sync([webapp()], rows)).exit_code == 0

    loaded = cvm.load(Sync([webapp()], rows[50:]))

    assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])
    assert "close 50 of the 70 open findings that it covers (gone 50)" in loaded.message
    assert len(loaded.closings) == 80
    assert cvm.load(Sync([webapp()], rows[30:])).outcome == "succeeded"
    assert cvm.open() == names(*range(60, 100))
