"""A finding that has moved to another asset is closed where it was, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, bare, finding, fixed, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
NEW: Final = "https://app1.example.test/elsewhere"
OLD: Final = "https://app1.example.test/page1"
MOVED: Final = finding(1, url=NEW)


def places(cvm: CVM) -> dict[tuple[str, str], bool]:
    """Give whether it is open of each finding at each URL."""
    return {(bare(one.scanner_identifier), one.locators["url"]): one.is_open for one in cvm.held()}


def of_the_first(cvm: CVM) -> dict[str, bool]:
    """Give whether the first finding is open at each URL."""
    return {url: is_open for (name, url), is_open in places(cvm).items() if name == "finding-1"}


class TestMoved:
    """A finding that is now on another page is open once: there."""

    @pytest.mark.parametrize("mode", ["full", "incremental"])
    def test_it_is_closed_where_it_was(self, mode: str, cvm: CVM) -> None:
        cvm.begin(TWO)

        loaded = cvm.load(replace(TWO, findings=[MOVED, finding(2)], mode=mode))

        assert cvm.open() == names(1, 2)
        assert of_the_first(cvm) == {OLD: False, NEW: True}
        assert [row["cause"] for row in loaded.changes] == ["moved away", "moved here"]
        assert loaded.report["closing"]["moved"] == 1
        assert loaded.report["closing"]["open_after"] == 2

    def test_it_is_closed_where_it_was_beside_what_stays_there(self, cvm: CVM) -> None:
        shared = "https://app1.example.test/shared"
        cvm.load(Sync([webapp()], [finding(1, url=shared), finding(2, url=shared)]))

        cvm.load(Sync([webapp()], [MOVED, finding(2, url=shared)], mode="incremental"))

        assert places(cvm) == {
            ("finding-1", NEW): True,
            ("finding-1", shared): False,
            ("finding-2", shared): True,
        }

    @pytest.mark.parametrize("mode", ["full", "incremental"])
    def test_it_may_move_back_and_forth(self, mode: str, cvm: CVM) -> None:
        cvm.begin(TWO)
        there = replace(TWO, findings=[MOVED, finding(2)], mode=mode)
        back = replace(TWO, mode=mode)

        for sync, at in ((there, NEW), (back, OLD), (there, NEW), (back, OLD)):
            loaded = cvm.load(sync)
            assert of_the_first(cvm) == {OLD: at == OLD, NEW: at == NEW}
            assert loaded.report["closing"]["open_after"] == len(cvm.open()) == 2

    def test_where_two_change_places_each_is_open_once(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        one, two = TWO.findings
        swapped = [one | {"url": two["url"]}, two | {"url": one["url"]}]

        cvm.load(replace(TWO, findings=swapped))

        assert sorted(places(cvm).values()) == [False, False, True, True]
        assert of_the_first(cvm)["https://app1.example.test/page2"]

    def test_moves_are_not_counted_by_the_guard(self, cvm: CVM) -> None:
        many = [finding(number) for number in range(30)]
        cvm.load(Sync([webapp()], many))
        moved = [row | {"url": f"{NEW}/{row['id']}"} for row in many]

        loaded = cvm.load(Sync([webapp()], moved), max_close_percent=0)

        assert loaded.outcome == "succeeded", loaded.message
        assert loaded.report["closing"]["moved"] == 30

    def test_the_next_load_has_nothing_more_to_close(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        moved = replace(TWO, findings=[MOVED], mode="incremental")
        cvm.load(moved)

        loaded = cvm.load(moved)

        assert [item["status"] for item in loaded.items().values()] == ["open"]

    def test_one_that_a_filter_now_leaves_out_is_open_nowhere(self, cvm: CVM) -> None:
        cvm.begin(TWO)

        loaded = cvm.load(
            replace(TWO, findings=[MOVED | {"severity": 1}, finding(2)]), min_severity=2
        )

        assert cvm.open() == names(2)
        (left_out,) = loaded.report["reconciliation"]["filtered_by"]
        assert left_out == {"name": "min_severity", "filtered": 1, "will_close": 1}
        assert loaded.report["closing"]["open_after"] == 1

    def test_without_a_proof_it_is_closed_nowhere_and_the_count_is_right(self, cvm: CVM) -> None:
        cvm.begin(TWO)

        loaded = cvm.load(
            replace(TWO, findings=[MOVED | {"severity": 1}], proof=None, scans=[scan()]),
            min_severity=2,
        )

        assert loaded.report["closing"]["open_after"] == len(cvm.open()) == 2

    @pytest.mark.parametrize(
        "flaw", [{"proof": None}, {"proof": {"contract": None}}], ids=["no proof", "an older tap"]
    )
    def test_where_a_row_may_have_been_altered_it_stays_where_it_is(
        self, flaw: dict[str, Any], cvm: CVM
    ) -> None:
        cvm.begin(TWO)

        cvm.load(replace(TWO, findings=[MOVED, finding(2)], **flaw))

        assert of_the_first(cvm) == {OLD: True}


class TestMoveThatFailed:
    """The new place was not reached, or nobody knows: no place is forgotten."""

    @pytest.fixture(params=["run-fails", "payloads-fail"])
    def failed(self, cvm: CVM, request: pytest.FixtureRequest) -> CVM:
        cvm.load(TWO)
        cvm.faults.arm(request.param)
        assert cvm.load(replace(TWO, findings=[MOVED, finding(2)])).outcome == "failed"
        return cvm

    def test_the_next_load_moves_it(self, failed: CVM) -> None:
        failed.load(replace(TWO, findings=[MOVED, finding(2)]))

        assert of_the_first(failed) == {OLD: False, NEW: True}

    def test_one_that_has_come_back_is_open_at_its_old_place_alone(self, failed: CVM) -> None:
        failed.load(TWO)

        assert of_the_first(failed)[OLD]
        assert not of_the_first(failed).get(NEW)
        assert failed.open() == names(1, 2)

    def test_a_fix_is_closed_at_both_places(self, failed: CVM) -> None:
        loaded = failed.load(Sync([webapp()], [fixed(1)], mode="incremental"))

        closed = [row["asset"] for row in loaded.changes if row["cause"] == "fixed"]
        assert closed == [f"url:{NEW}", f"url:{OLD}"]
        assert failed.open() == names(2)

    def test_what_is_gone_is_closed_at_both_places(self, failed: CVM) -> None:
        loaded = failed.load(replace(TWO, findings=[finding(2)]))

        assert loaded.report["closing"]["gone"] == 2
        assert failed.open() == names(2)


def test_where_a_part_of_the_payloads_failed_a_move_is_made_again(cvm: CVM) -> None:
    rows = [finding(number) for number in range(100)]
    cvm.begin(Sync([webapp()], rows))
    cvm.faults.arm("payload-fails+1")
    moved = [MOVED if row["uniqueId"] == "finding-1" else row for row in rows]
    assert cvm.load(Sync([webapp()], moved)).exit_code == 0

    cvm.load(Sync([webapp()], moved))

    assert of_the_first(cvm) == {OLD: False, NEW: True}
    assert cvm.open() == names(*range(100))
