"""What Qualys calls fixed is closed by name, in every load."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from qualyswas_ciscovm.dates import to_text
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID
from tests.target.streams import LAST, Sync, finding, fixed, names, webapp

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
    cvm.begin(TWO)

    loaded = cvm.load(sync)

    assert cvm.open() == names(2)
    assert loaded.closings == {"finding-1": "fixed"}
    assert loaded.items()["finding-1"]["closed_at"] == LAST
    assert loaded.report["closing"]["fixed"] == 1
    assert loaded.report["closing"]["open_after"] == 1


def test_a_fix_is_closed_also_when_nothing_may_be_called_gone(cvm: CVM) -> None:
    cvm.begin(TWO)

    cvm.load(Sync([webapp()], [fixed(1)]), close_gone="never")

    assert cvm.open() == names(2)


def test_a_fix_of_what_was_never_sent_is_left_out_and_counted(cvm: CVM) -> None:
    cvm.begin(TWO)

    loaded = cvm.load(Sync([webapp()], [fixed(7)], mode="incremental"))

    assert "finding-7" not in loaded.items()
    way = loaded.report["reconciliation"]
    assert way["nothing_to_do_by"] == [{"cause": "already closed", "count": 1}]
    assert cvm.open() == names(1, 2)


def test_a_fix_is_closed_once(cvm: CVM) -> None:
    cvm.begin(TWO)
    fix = Sync([webapp()], [fixed(1)], mode="incremental")
    cvm.load(fix)

    assert "finding-1" not in cvm.load(fix).items()


def test_a_fix_that_did_not_hold_is_open_again(cvm: CVM) -> None:
    cvm.begin(TWO)
    cvm.load(Sync([webapp()], [fixed(1)], mode="incremental"))

    loaded = cvm.load(Sync([webapp()], [finding(1, status="REOPENED")], mode="incremental"))

    assert cvm.open() == names(1, 2)
    assert loaded.report["reconciliation"]["reopened"] == 1


def test_a_fix_is_closed_where_it_is_open_whatever_its_url_now_is(cvm: CVM) -> None:
    cvm.begin(TWO)

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


class TestLostLedger:
    """Where CVM does not tell what was open before: nothing is from before the first run."""

    @pytest.fixture(autouse=True)
    def _cvm_tells_nothing(self, cvm: CVM) -> None:
        for fault in ("export-refused", "search-refused"):
            cvm.faults.arm(fault)

    @pytest.mark.parametrize(("minutes", "closes"), [(1, True), (0, True), (-1, False)])
    @pytest.mark.parametrize("mode", ["full", "incremental"])
    def test_a_fix_since_the_first_run_is_closed(
        self, mode: str, minutes: int, closes: bool, cvm: CVM
    ) -> None:
        cvm.load(TWO)
        (first,) = cvm.tenant.runs(CONNECTOR_ID)
        at = to_text(first.start_time + timedelta(minutes=minutes))
        cvm.ledger.unlink()

        cvm.load(Sync([webapp()], [fixed(1, fixedDate=at), finding(2)], mode=mode))

        assert cvm.open() == (names(2) if closes else names(1, 2))

    def test_a_fix_without_a_date_is_told_by_its_last_test(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()
        at = to_text(cvm.clock.now())

        loaded = cvm.load(
            Sync([webapp()], [fixed(1, fixedDate=None, lastTestedDate=at)], mode="incremental")
        )

        assert loaded.report["closing"]["fixed"] == 1
        assert cvm.open() == names(2)

    def test_fixes_go_on_being_closed_while_the_ledger_is_not_whole(self, cvm: CVM) -> None:
        cvm.load(TWO)
        cvm.ledger.unlink()
        cvm.load(Sync([webapp()], [finding(2)], mode="incremental"))
        at = to_text(cvm.clock.now())

        cvm.load(Sync([webapp()], [fixed(1, fixedDate=at)], mode="incremental"))

        assert cvm.open() == names(2)

    def test_the_first_load_of_a_connector_closes_no_fix(self, cvm: CVM) -> None:
        loaded = cvm.load(Sync([webapp()], [finding(1), fixed(2)]))

        assert set(loaded.items()) == names(1)


class TestFilesOnly:
    """Without a login there is no ledger: the window that was read tells what was open before."""

    @pytest.mark.parametrize(
        ("window", "closes"),
        [(EARLIER, True), (LAST, True), ("2026-03-01T08:00:01Z", False), (None, False)],
    )
    def test_a_fix_within_the_window_is_in_the_files(
        self, window: str | None, closes: bool, cvm: CVM
    ) -> None:
        sync = Sync([webapp()], [fixed(1)], mode="incremental", window=window)

        loaded = cvm.load(sync, api_key=None, connector_id=None)

        assert loaded.outcome == "succeeded"
        assert set(loaded.items()) == (names(1) if closes else set())
