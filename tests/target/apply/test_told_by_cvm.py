"""CVM's answer is held against the plan: what cannot be right fails, what is odd is a warning."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from target_ciscovm.ledger.ledger import Ledger, PendingRun
from tests.target.altered import of_runs
from tests.target.loads import FAILED, QUICK
from tests.target.streams import ASKING, STATE, Sync, finding, names, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

TWO: Final = Sync([webapp()], [finding(1), finding(2)])
ONE: Final = Sync([webapp()], [finding(1)])
NOTHING_DONE: Final = {"processed_payload_count": 0, "processed_scanner_vuln_count": 0}


class TestCannotBeRight:
    """The load has not arrived: it is not settled, and the tap reads everything next time."""

    def test_nothing_was_processed(self, cvm: CVM) -> None:
        cvm.alter(of_runs(lambda run: run | NOTHING_DONE))

        loaded = cvm.load(TWO)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [ASKING])
        assert "CVM processed none of the 2 entries" in loaded.message
        assert "are in Cisco" not in loaded.message

    def test_no_payload_was_processed_and_entries_are_not_told(self, cvm: CVM) -> None:
        told = NOTHING_DONE | {"processed_scanner_vuln_count": None}
        cvm.alter(of_runs(lambda run: run | told))

        assert cvm.load(TWO).states == [ASKING]

    def test_counts_that_cannot_be_are_not_told(self, cvm: CVM) -> None:
        odd = {"closed_scanner_vuln_count": -5, FAILED: -1, "total_payload_count": 10**40}
        cvm.alter(of_runs(lambda run: run | odd))

        loaded = cvm.load(TWO)

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert loaded.report["warnings"] == []
        assert {loaded.report["run"]["counters"].get(name) for name in odd} == {None}

    def test_most_payloads_failed_and_their_number_is_not_told(self, cvm: CVM) -> None:
        told = {"total_payload_count": None, "processed_payload_count": 1, FAILED: 2}
        cvm.alter(of_runs(lambda run: run | told))

        loaded = cvm.load(TWO)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [])

    def test_what_was_sent_counts_as_perhaps_open_and_its_chain_is_not_begun(
        self, cvm: CVM
    ) -> None:
        cvm.alter(of_runs(lambda run: run | NOTHING_DONE))
        cvm.load(TWO)
        cvm.play(QUICK)

        loaded = cvm.load(replace(ONE, mode="incremental"))

        assert loaded.states == [ASKING]
        assert loaded.report["closing"]["open_before"] == 2
        assert cvm.load(ONE).report["closing"]["gone"] == 1
        assert cvm.open() == names(1)

    def test_a_closing_that_was_not_processed_is_sent_again(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        cvm.alter(of_runs(lambda run: run | NOTHING_DONE))
        assert cvm.load(ONE).outcome == "failed"
        cvm.play(QUICK)

        assert cvm.load(ONE).closings == {"finding-2": "gone"}

    def test_the_run_was_there_before(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        first = cvm.load(TWO).report["run"]["id"]
        cvm.alter(
            lambda path, told: told | {"connector_run_id": first} if path.endswith("/run") else told
        )

        loaded = cvm.load(ONE)

        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        assert f"run {first}, which was there before" in loaded.message

    def test_a_run_that_was_there_before_does_not_settle_a_load_that_was_killed(
        self, cvm: CVM
    ) -> None:
        cvm.load(TWO)
        first = cvm.load(TWO).report["run"]["id"]

        def renumbered(path: str, told: Any) -> Any:  # noqa: ANN401 - JSON
            if path.endswith(f"/connector_runs/{first}"):
                os.kill(os.getpid(), signal.SIGTERM)  # before its end is seen
            return told | {"connector_run_id": first} if path.endswith("/run") else told

        cvm.alter(renumbered)
        assert cvm.load(Sync([webapp()], [finding(1), finding(3)])).exit_code == 143
        cvm.play(QUICK)

        with Ledger(cvm.ledger) as ledger:
            assert ledger.pending == PendingRun(None)
        assert cvm.load(TWO).outcome == "succeeded"
        assert cvm.open() == names(1, 2)


class TestOdd:
    """What Cisco's counters count is partly unknown, so a healthy tenant must not fail for it."""

    ODD: Final = {
        "fewer payloads than files": ({"total_payload_count": 0}, "payloads"),
        "no entry processed": ({"processed_scanner_vuln_count": 0}, "processed none of the 2"),
        "fewer entries processed": ({"processed_scanner_vuln_count": 1}, "processed 1 of the 2"),
        "more closed than was sent": ({"closed_scanner_vuln_count": 5}, "CVM closed 5 entries"),
        "some closed by itself": ({"autoclosed_scanner_vuln_count": 3}, "by itself"),
    }

    @pytest.mark.parametrize("name", ODD)
    def test_it_is_a_warning_and_the_load_is_settled(self, name: str, cvm: CVM) -> None:
        counters, words = self.ODD[name]
        cvm.begin(TWO)
        cvm.alter(of_runs(lambda run: run | counters))

        loaded = cvm.load(ONE)

        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("succeeded", 0, [STATE])
        (warning,) = loaded.report["warnings"]
        assert words in warning
        cvm.play(QUICK)
        assert cvm.load(replace(ONE, mode="incremental")).outcome == "succeeded"
        assert cvm.load(ONE).closings == {}

    @pytest.mark.parametrize("untold", ["entries", "all"])
    def test_what_is_not_told_is_no_number(self, untold: Any, cvm: CVM) -> None:  # noqa: ANN401 - a literal
        cvm.play(replace(QUICK, untold_counters=untold))

        loaded = cvm.load(TWO)

        assert (loaded.outcome, loaded.report["warnings"]) == ("succeeded", [])
        assert loaded.report["reconciliation"]["processed"] is None


class TestTakenInPart:
    """CVM says that the run succeeded, and its counters that less was done than was sent."""

    def test_closings_that_cvm_ignores_are_not_said_to_be_closed(self, cvm: CVM) -> None:
        cvm.begin(TWO)
        cvm.play(replace(QUICK, closing_under_skip=False))

        loaded = cvm.load(ONE)

        assert (loaded.outcome, loaded.closings) == ("succeeded", {"finding-2": "gone"})
        assert cvm.open() == names(1, 2)
        warnings = " ".join(loaded.report["warnings"])
        assert "1 open entry was sent as closed, and CVM closed none" in warnings
        assert_only_sent(loaded)

    def test_closings_of_which_cvm_takes_a_part_are_a_warning(self, cvm: CVM) -> None:
        cvm.begin(replace(TWO, findings=[*TWO.findings, finding(3)]))
        cvm.alter(of_runs(lambda run: run | {"closed_scanner_vuln_count": 1}))

        loaded = cvm.load(ONE)

        (warning,) = loaded.report["warnings"]
        assert "2 open entries were sent as closed, and CVM closed 1" in warning

    def test_what_is_closed_in_cvm_already_is_not_missed(self, cvm: CVM) -> None:
        cvm.faults.arm("payloads-fail")
        cvm.load(TWO)  # perhaps open, and it is not

        loaded = cvm.load(ONE)

        assert loaded.closings == {"finding-2": "gone"}
        assert loaded.report["warnings"] == []

    @pytest.mark.parametrize("counted", ["entries", "vulnerabilities"])
    def test_closings_that_it_takes_are_no_warning_however_they_are_counted(
        self, counted: Literal["entries", "vulnerabilities"], cvm: CVM
    ) -> None:
        cvm.play(replace(QUICK, entries_counted=counted))
        cvm.load(TWO)

        loaded = cvm.load(ONE)

        assert loaded.report["warnings"] == []
        assert "1 was closed" in loaded.message

    def test_a_run_that_takes_its_last_file_only_is_not_said_to_have_all(self, cvm: CVM) -> None:
        cvm.play(replace(QUICK, run_takes="last"))
        apps = [webapp(number) for number in range(1, 4)]
        rows = [finding(number, app=number) for number in range(1, 4)]

        loaded = cvm.load(Sync(apps, rows), part_max_bytes=1000)

        assert len(loaded.documents) > 1
        assert (loaded.outcome, loaded.states) == ("failed", [ASKING])
        warnings = " ".join(loaded.report["warnings"])
        assert "CVM processed 1 of the 3 entries" in warnings
        assert_only_sent(loaded)

    @pytest.mark.parametrize("untold", ["none", "all"])
    def test_a_licence_that_came_to_its_limit_in_the_load_is_told(
        self, untold: Literal["none", "all"], cvm: CVM
    ) -> None:
        cvm.play(replace(QUICK, licensed_assets=1, untold_counters=untold))
        rows = [finding(number, url=f"https://app1.example.test/{number}") for number in (1, 2)]

        loaded = cvm.load(Sync([webapp()], rows))

        assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
        assert len(cvm.open()) == 1
        assert any("licence" in warning for warning in loaded.report["warnings"])
        assert_only_sent(loaded)
        cvm.play(QUICK)
        assert cvm.load(Sync([webapp()], [], mode="incremental")).states == [ASKING]


def assert_only_sent(loaded: Loaded) -> None:
    """Hold that a load does not say of what it sent that CVM has it, or has closed it."""
    assert "sent" in loaded.message.lower()
    assert "in Cisco" not in loaded.message
    assert "closed" not in loaded.message


class TestSomePayloadsFailed:
    """Below the limit: the same is sent again, but not for ever."""

    HUNDRED: Final = Sync([webapp()], [finding(number) for number in range(100)])

    def load(self, cvm: CVM) -> Any:  # noqa: ANN401 - a load
        cvm.faults.arm("payload-fails")
        return cvm.load(self.HUNDRED)

    def test_three_loads_in_a_row_keep_the_state_back_and_then_it_is_passed_on(
        self, cvm: CVM
    ) -> None:
        for _ in range(3):
            loaded = self.load(cvm)
            assert (loaded.outcome, loaded.exit_code, loaded.states) == ("succeeded", 0, [])
            assert "1 payload, within max_failed_percent" in loaded.message
            assert any("1 of 100 payloads" in warning for warning in loaded.report["warnings"])
            assert_only_sent(loaded)

        loaded = self.load(cvm)

        (name,) = names(*range(100)) - cvm.open()
        lacked = f"https://app1.example.test/page{name.partition('-')[2]}"
        assert (loaded.outcome, loaded.exit_code, loaded.states) == ("failed", 1, [STATE])
        assert "as in the loads before" in loaded.message
        assert f"CVM lacks what was sent for 1 asset: url:{lacked}." in loaded.message
        began = loaded.report["source"]["started"]
        more = Sync(mode="incremental", proof={"previousSyncAt": began})
        assert cvm.load(more).outcome == "succeeded"

    def test_where_cvm_may_not_be_asked_the_assets_of_the_load_are_named(self, cvm: CVM) -> None:
        for _ in range(4):
            cvm.faults.arm("payload-fails")
            loaded = cvm.load(self.HUNDRED, verify_load="never")

        assert "does not tell which; the load has 100 assets: url:https://app1" in loaded.message
        assert "and 90 more." in loaded.message

    @pytest.mark.parametrize("most", [100, 50], ids=["within the limit", "above it"])
    def test_one_that_always_fails_stops_no_load_and_spoils_no_figure(
        self, most: int, cvm: CVM
    ) -> None:
        """What such a load closed no longer counts as open, nor as closed by the next one."""
        new = most * 3 // 10
        for day in range(5):
            cvm.faults.arm("payload-fails")
            numbers = range(new * day, new * day + most)
            rows = [finding(number) for number in numbers]

            loaded = cvm.load(Sync([webapp()], rows), verify_load="never")

            assert loaded.report["run"], loaded.message
            told = loaded.report["closing"]
            assert (told["open_before"], told["open_after"]) == (most if day else 0, most)
            assert (told["gone"], loaded.report["changes"]["opened"]) == (
                new * day,
                new if day else most,
            )
            assert told["gone"] - told["again"] == (new if day else 0)
            (row,) = loaded.report["webapps"]
            assert row["open"] == most
            assert len(cvm.open() - names(*numbers)) <= 1

        again = cvm.load(Sync([webapp()], [*rows, finding(1)]))

        assert cvm.open() == names(1, *numbers)
        assert again.report["changes"]["opened"] == 1
        assert cvm.load(Sync([webapp()], [*rows, finding(1)])).closings == {}

    def test_an_identity_change_that_was_let_through_is_not_refused_by_the_next_load(
        self, cvm: CVM
    ) -> None:
        other = {"locator_order": ["external_id", "url", "application"]}
        apps = [webapp(number) for number in range(1, 51)]
        spread = Sync(apps, [finding(number, number % 50 + 1) for number in range(100)])
        cvm.load(spread)
        code = cvm.code(spread, **other)
        cvm.faults.arm("payload-fails")
        moved = cvm.load(spread, accept_identity_change=code, **other)
        assert (moved.outcome, moved.exit_code) == ("succeeded", 0)

        again = cvm.load(spread, **other)

        assert (again.outcome, again.states) == ("succeeded", [STATE])
        assert cvm.open() == names(*range(100))
        assert {one.locators["external_id"] for one in cvm.held() if one.is_open} == {
            str(app["id"]) for app in apps
        }
        assert cvm.load(spread, **other).closings == {}

    def test_a_change_of_source_that_was_let_through_is_not_refused_by_the_next_load(
        self, cvm: CVM
    ) -> None:
        apps = [webapp(number) for number in range(1, 51)]
        before = Sync(apps, [finding(number, number % 50 + 1) for number in range(100)])
        after = Sync(
            apps,
            [finding(number, number % 50 + 1) for number in range(100, 200)],
            coverage={"source": "scan_reports"},
        )
        cvm.load(before)
        code = cvm.code(after)
        cvm.faults.arm("payload-fails")
        changed = cvm.load(after, accept_identity_change=code, max_close_percent=100)
        assert (changed.outcome, changed.exit_code) == ("succeeded", 0)

        again = cvm.load(after)

        assert (again.outcome, again.states) == ("succeeded", [STATE])
        assert cvm.open() == names(*range(100, 200))
        assert cvm.load(after).closings == {}

    def test_one_that_goes_well_begins_the_count_anew(self, cvm: CVM) -> None:
        for _ in range(3):
            self.load(cvm)
        assert cvm.load(self.HUNDRED).states == [STATE]

        assert self.load(cvm).states == []

    def test_what_failed_is_sent_again_by_the_next_one(self, cvm: CVM) -> None:
        self.load(cvm)
        assert len(cvm.open()) == 99

        again = cvm.load(self.HUNDRED)

        assert (again.outcome, again.states) == ("succeeded", [STATE])
        assert len(cvm.open()) == 100

    def test_a_closing_whose_payload_failed_is_sent_again(self, cvm: CVM) -> None:
        cvm.begin(self.HUNDRED)
        fewer = replace(self.HUNDRED, findings=self.HUNDRED.findings[:99])
        cvm.faults.arm("payload-fails")
        cvm.load(fewer)

        cvm.load(fewer)

        assert cvm.open() == names(*range(99))
