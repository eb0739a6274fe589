"""What the report says of the plan: what stays open, what would change, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import Sync, finding, fixed, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM

APPS: Final = [webapp(1), webapp(2)]
BEFORE: Final = Sync(APPS, [finding(1), finding(2), finding(3, 2), finding(4, 2, severity=1)])
RUN: Final = "meltano run tap-qualyswas target-ciscovm"


def left(report: dict[str, Any]) -> dict[str, int]:
    return {row["cause"]: row["count"] for row in report["coverage"]["left"]}


class TestWhatStaysOpen:
    """Entries that are open and that the load leaves as they are, by cause."""

    def test_of_what_an_incremental_sync_does_not_show(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(replace(BEFORE, findings=[finding(1)], mode="incremental"))

        assert left(loaded.report) == {"not proven": 3}

    def test_of_what_a_filter_leaves_out_where_it_is_not_covered(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(replace(BEFORE, proof={"complete": False}), min_severity=2)

        assert left(loaded.report) == {"filtered: min_severity": 1}

    def test_of_web_applications_that_are_gone(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        loaded = cvm.load(Sync(APPS[:1], BEFORE.findings[:2]))

        assert left(loaded.report) == {"web app not read": 2}
        assert loaded.report["coverage"]["webapps"] == 1
        assert loaded.report["coverage"]["open"] == 2

    def test_what_is_closed_already_stays_closed_and_is_not_told(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)
        after = replace(BEFORE, findings=[fixed(1), *BEFORE.findings[1:]])
        cvm.load(after)

        loaded = cvm.load(after)

        assert left(loaded.report) == {}
        assert loaded.report["reconciliation"]["nothing_to_do"] == 1


def test_before_and_after_differ_by_what_was_opened_and_closed(cvm: CVM) -> None:
    cvm.begin(BEFORE)
    rows = [fixed(1), finding(3, 2, url="https://app2.example.test/elsewhere"), finding(9)]

    loaded = cvm.load(replace(BEFORE, findings=rows))

    closing = loaded.report["closing"]
    assert (closing["open_before"], closing["open_after"]) == (4, 2)
    assert loaded.report["changes"] == {
        "new_assets": 2,
        "opened": 2,
        "closed": 4,
        "reopened": 0,
    }


class TestNextCommand:
    """What to do next, as it can be copied."""

    def test_nothing_after_a_load_that_went_well(self, cvm: CVM) -> None:
        assert cvm.load(BEFORE).report["next_command"] == ""

    def test_a_full_sync_where_nothing_was_proven(self, cvm: CVM) -> None:
        loaded = cvm.load(replace(BEFORE, proof={"complete": False}))

        assert loaded.report["next_command"] == f"TAP_QUALYSWAS_FULL_SYNC=true {RUN}"

    def test_the_limit_where_the_guard_has_stopped_it(self, cvm: CVM) -> None:
        rows = [finding(number) for number in range(30)]
        cvm.load(Sync(APPS, rows))

        loaded = cvm.load(Sync(APPS, rows[:1]))

        assert loaded.outcome == "failed"
        assert loaded.report["next_command"] == f"TARGET_CISCOVM_MAX_CLOSE_PERCENT=100 {RUN}"
        assert cvm.load(Sync(APPS, rows[:1]), max_close_percent=100).outcome == "succeeded"

    def test_the_code_where_the_identity_has_changed(self, cvm: CVM) -> None:
        cvm.begin(BEFORE)

        code = cvm.code(BEFORE, url_query="keep")

        refused = cvm.load(BEFORE, url_query="keep")
        settings = f"TARGET_CISCOVM_ACCEPT_IDENTITY_CHANGE={code} TAP_QUALYSWAS_FULL_SYNC=true"
        assert refused.report["next_command"] == f"{settings} {RUN}"

    @pytest.mark.parametrize(
        ("fault", "command"),
        [("ciscovm-key", "meltano invoke target-ciscovm:verify"), ("run-fails", RUN)],
    )
    def test_a_check_of_the_login_or_another_run(self, fault: str, command: str, cvm: CVM) -> None:
        cvm.faults.arm(fault)

        assert cvm.load(BEFORE).report["next_command"] == command

    def test_a_test_of_the_tap_where_nothing_came(self, cvm: CVM) -> None:
        assert cvm.load(b"").report["next_command"] == "meltano invoke tap-qualyswas --test"
