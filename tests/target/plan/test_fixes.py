"""What Qualys calls fixed is closed by name, in every load; what moved is closed where it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.target.streams import LAST, Sync, finding, fixed, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
EARLIER: Final = "2026-02-20T08:00:00Z"


@pytest.mark.parametrize(
    "sync",
    [
        Sync([webapp()], [fixed(1)], mode="incremental"),
        Sync([webapp()], [fixed(1)], proof=None),
        Sync([webapp()], [fixed(1), finding(2)]),
        Sync(findings=[fixed(1)], entries=[], proof=None),
    ],
    ids=["incremental", "without a proof", "full", "findings alone"],
)
def test_a_fix_of_what_is_open_is_closed_by_name(sync: Sync, cvm: CVM) -> None:
    cvm.load(TWO)

    loaded = cvm.load(sync)

    assert cvm.open() == names(2)
    assert cvm.how_closed("finding-1") == {"explicit"}
    assert loaded.items()["finding-1"]["closed_at"] == LAST
    assert loaded.report["closing"]["fixed"] == 1
    assert loaded.report["closing"]["open_after"] == 1


def test_a_fix_is_closed_also_when_nothing_may_be_closed_by_absence(cvm: CVM) -> None:
    cvm.load(TWO)

    loaded = cvm.load(Sync([webapp()], [fixed(1)]), autoclose="never")

    assert cvm.open() == names(2)
    assert loaded.closing_files == []


def test_a_fix_of_what_was_never_sent_is_left_out_and_counted(cvm: CVM) -> None:
    cvm.load(TWO)

    loaded = cvm.load(Sync([webapp()], [fixed(7)], mode="incremental"))

    assert "finding-7" not in loaded.items()
    (left_out,) = loaded.report["reconciliation"]["filtered_by"]
    assert (left_out["name"], left_out["filtered"]) == ("already_closed", 1)
    assert cvm.open() == names(1, 2)


def test_a_fix_is_closed_once(cvm: CVM) -> None:
    cvm.load(TWO)
    fix = Sync([webapp()], [fixed(1)], mode="incremental")
    cvm.load(fix)

    assert "finding-1" not in cvm.load(fix).items()


def test_a_fix_that_did_not_hold_is_open_again(cvm: CVM) -> None:
    cvm.load(TWO)
    cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))

    loaded = cvm.load(Sync([webapp()], [finding(1, status="REOPENED")], mode="incremental"))

    assert cvm.open() == names(1, 2)
    assert loaded.report["reconciliation"]["reopened"] == 1


def test_a_fix_is_closed_where_it_is_open_whatever_its_url_now_is(cvm: CVM) -> None:
    cvm.load(TWO)

    cvm.load(Sync([webapp()], [fixed(1, url="https://app1.example.test/new")], mode="incremental"))

    assert cvm.open() == names(2)
    assert cvm.closed() == names(1)
    assert len(cvm.tenant.state.assets) == 2


def test_a_fix_is_closed_under_the_name_that_it_is_open_under(cvm: CVM) -> None:
    first = cvm.load(TWO)
    name = first.items()["finding-1"]["vuln_def_name"]

    loaded = cvm.load(Sync([webapp()], [fixed(1)], entries=[], mode="incremental", proof=None))

    assert loaded.items()["finding-1"]["vuln_def_name"] == name
    assert name.startswith("QID 150001 Title")


def test_no_filter_keeps_a_fix_from_being_closed(cvm: CVM) -> None:
    cvm.load(Sync([webapp()], [finding(1, potential=True, severity=1), finding(2)]))

    cvm.load(
        Sync([webapp()], [fixed(1, potential=True, severity=1)], mode="incremental"),
        exclude_potential=True,
        min_severity=5,
    )

    assert cvm.open() == names(2)


class TestWithoutALedger:
    """Then only the window that the tap has read can tell what was open before."""

    def test_a_first_full_sync_closes_no_fix(self, cvm: CVM) -> None:
        loaded = cvm.load(Sync([webapp()], [finding(1), fixed(2)]))

        assert set(loaded.items()) == names(1)

    @pytest.mark.parametrize(
        ("window", "closes"),
        [(EARLIER, True), (LAST, True), ("2026-03-01T08:00:01Z", False), (None, False)],
    )
    def test_a_fix_within_the_window_is_closed(
        self, window: str | None, closes: bool, cvm: CVM
    ) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()

        cvm.load(Sync([webapp()], [fixed(1)], mode="incremental", window=window))

        assert cvm.open() == (names(2) if closes else names(1, 2))

    def test_a_fix_without_a_date_is_told_by_its_last_test(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()

        cvm.load(Sync([webapp()], [fixed(1, fixedDate=None)], mode="incremental", window=EARLIER))

        assert cvm.open() == names(2)


class TestMoved:
    """A finding that is now on another page is open once: there."""

    MOVED: Final = finding(1, url="https://app1.example.test/elsewhere")

    @pytest.mark.parametrize("mode", ["full", "incremental"])
    def test_it_is_closed_where_it_was(self, mode: str, cvm: CVM) -> None:
        cvm.load(TWO)

        cvm.load(replace(TWO, findings=[self.MOVED, finding(2)], mode=mode))

        places = {one.locators["url"]: one.is_open for one in cvm.held() if "1" in one.name}
        assert cvm.open() == names(1, 2)
        assert places["https://app1.example.test/elsewhere"]
        assert not places["https://app1.example.test/page1"]

    def test_it_is_closed_where_it_was_beside_what_stays_there(self, cvm: CVM) -> None:
        shared = "https://app1.example.test/shared"
        cvm.load(Sync([webapp()], [finding(1, url=shared), finding(2, url=shared)]))

        cvm.load(
            Sync([webapp()], [self.MOVED, finding(2, url=shared)], mode="incremental", proof=None)
        )

        held = {(one.scanner_identifier, one.locators["url"]): one.is_open for one in cvm.held()}
        assert held == {
            ("finding-1", "https://app1.example.test/elsewhere"): True,
            ("finding-1", shared): False,
            ("finding-2", shared): True,
        }

    def test_the_next_load_has_nothing_more_to_close(self, cvm: CVM) -> None:
        cvm.load(TWO)
        moved = replace(TWO, findings=[self.MOVED], mode="incremental")
        cvm.load(moved)

        loaded = cvm.load(moved)

        assert [item["status"] for item in loaded.items().values()] == ["open"]

    def test_one_that_a_filter_now_leaves_out_is_open_nowhere(self, cvm: CVM) -> None:
        cvm.load(TWO)

        loaded = cvm.load(
            replace(TWO, findings=[self.MOVED | {"severity": 1}, finding(2)]), min_severity=2
        )

        assert cvm.open() == names(2)
        (left_out,) = loaded.report["reconciliation"]["filtered_by"]
        assert left_out == {"name": "min_severity", "filtered": 1, "will_close": 1}
        assert loaded.report["closing"]["open_after"] == 1

    def test_without_a_proof_the_count_of_what_stays_open_is_right_too(self, cvm: CVM) -> None:
        cvm.load(TWO)

        loaded = cvm.load(
            replace(TWO, findings=[self.MOVED | {"severity": 1}], proof=None, scans=[scan()]),
            min_severity=2,
        )

        assert loaded.report["closing"]["open_after"] == len(cvm.open()) == 1
