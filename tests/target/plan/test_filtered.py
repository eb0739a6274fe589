"""Filters count what they leave out, and how much of that a load thereby closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.target.streams import (
    LAST,
    STATE,
    Sync,
    entry,
    finding,
    identifier,
    names,
    scan,
    webapp,
)

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

PLAIN: Final = finding(1)
APPS: Final = [webapp(1), webapp(2)]
FILTERED: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "exclude_potential": ({"exclude_potential": True}, finding(2, potential=True)),
    "exclude_non_exploitable": ({"exclude_non_exploitable": True}, finding(2, status="PROTECTED")),
    "exclude_informational": ({"exclude_informational": True}, finding(2, qid=45001)),
    "min_severity": ({"min_severity": 3}, finding(2, severity=2)),
}
ENTRIES: Final = [entry(150001), entry(150002), entry(45001, cwe=[])]


def left_out(loaded: Loaded) -> dict[str, tuple[int, int]]:
    rows = loaded.report["reconciliation"]["filtered_by"]
    return {row["name"]: (row["filtered"], row["will_close"]) for row in rows}


@pytest.mark.parametrize("name", FILTERED)
def test_a_filter_leaves_out_and_counts_what_it_is_for(name: str, cvm: CVM) -> None:
    settings, row = FILTERED[name]

    loaded = cvm.load(Sync([webapp()], [PLAIN, row], entries=ENTRIES), **settings)

    assert left_out(loaded) == {name: (1, 0)}
    assert loaded.report["reconciliation"]["mapped"] == 1
    assert cvm.open() == names(1)


@pytest.mark.parametrize("name", FILTERED)
def test_a_filter_switched_on_closes_what_was_open_and_says_so(name: str, cvm: CVM) -> None:
    settings, row = FILTERED[name]
    sync = Sync([webapp()], [PLAIN, row], entries=ENTRIES)
    cvm.load(sync)

    before = cvm.load(sync, dry_run=True, **settings)
    assert left_out(before) == {name: (1, 1)}
    assert before.report["changes"]["closed"] == 1
    assert cvm.open() == names(1, 2)

    loaded = cvm.load(sync, **settings)

    assert left_out(loaded) == {name: (1, 1)}
    assert loaded.report["closing"]["filtered"] == 1
    assert cvm.open() == names(1)
    assert left_out(cvm.load(sync, **settings)) == {name: (1, 0)}


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_without_a_proof_a_filter_closes_nothing(mode: str, cvm: CVM) -> None:
    sync = Sync([webapp()], [PLAIN, finding(2, potential=True)], mode=mode)
    cvm.begin(sync)

    loaded = cvm.load(replace(sync, proof=None), exclude_potential=True)

    assert left_out(loaded) == {"exclude_potential": (1, 0)}
    assert cvm.open() == names(1, 2)


@pytest.mark.parametrize(
    "limit",
    [
        {"not_proven": [2]},
        {"changed": [2]},
        {"coverage": {"findingTypes": ["INFORMATION_GATHERED"]}},
        {"proof": {"subscription": "another"}},
    ],
    ids=["not proven", "changed", "a type that was not read", "another account"],
)
def test_a_filter_closes_only_what_the_load_covers(limit: dict[str, Any], cvm: CVM) -> None:
    sync = Sync(APPS, [finding(1), finding(2, 2, potential=True)])
    cvm.begin(sync)

    loaded = cvm.load(replace(sync, **limit), exclude_potential=True)

    assert left_out(loaded) == {"exclude_potential": (1, 0)}
    assert loaded.report["proof"]["proven"]
    assert cvm.open() == names(1, 2)


def test_a_filter_closes_nothing_when_the_setting_says_never(cvm: CVM) -> None:
    sync = Sync([webapp()], [finding(1), finding(2, potential=True)])
    cvm.begin(sync)

    loaded = cvm.load(sync, exclude_potential=True, close_gone="never")

    assert left_out(loaded) == {"exclude_potential": (1, 0)}
    assert cvm.open() == names(1, 2)


def test_a_filter_closes_a_finding_at_the_place_where_it_is_open(cvm: CVM) -> None:
    cvm.begin(Sync([webapp()], [finding(1), finding(2)]))
    moved = finding(2, potential=True, url="https://app1.example.test/new")

    loaded = cvm.load(Sync([webapp()], [finding(1), moved]), exclude_potential=True)

    assert loaded.closings == {"finding-2": "filtered: exclude_potential"}
    assert "https://app1.example.test/new" not in [asset["url"] for asset in loaded.assets]
    assert cvm.open() == names(1)


def test_one_that_a_filter_had_closed_comes_back_when_it_is_switched_off(cvm: CVM) -> None:
    sync = Sync([webapp()], [finding(1), finding(2, potential=True)])
    cvm.begin(sync)
    cvm.load(sync, exclude_potential=True)

    loaded = cvm.load(sync)

    assert [row["cause"] for row in loaded.changes] == ["again"]
    assert cvm.open() == names(1, 2)


def test_filters_that_leave_nothing_are_no_failure(cvm: CVM) -> None:
    loaded = cvm.load(Sync([webapp()], [finding(n, severity=1) for n in range(5)]), min_severity=5)

    assert loaded.outcome == "succeeded"
    assert left_out(loaded) == {"min_severity": (5, 0)}
    assert [asset["vulns"] for asset in loaded.assets] == [[]]


def test_a_load_of_which_nothing_is_left_says_so(cvm: CVM) -> None:
    rows = [finding(n, severity=1) for n in range(5)]
    cvm.load(Sync([webapp()], [finding(9)]))

    loaded = cvm.load(Sync([webapp()], rows, scans=[], mode="incremental"), min_severity=5)

    assert (loaded.outcome, loaded.states) == ("succeeded", [STATE])
    assert loaded.message == "Of 5 findings none was left to send."
    assert cvm.requests["run"] == 1


def test_nothing_filtered_counts_for_the_limit_of_rejections(cvm: CVM) -> None:
    rows = [finding(n, severity=1) for n in range(99)] + [finding(99, status=None)]

    assert cvm.load(Sync([webapp()], rows), min_severity=5).exit_code == 0


def test_a_finding_is_left_out_by_one_filter_only(cvm: CVM) -> None:
    row = finding(2, potential=True, status="PROTECTED", severity=1)

    loaded = cvm.load(
        Sync([webapp()], [PLAIN, row]),
        exclude_potential=True,
        exclude_non_exploitable=True,
        min_severity=2,
    )

    assert sum(count for count, _ in left_out(loaded).values()) == 1


class TestInactivity:
    """Web applications that nobody scans are left out of full syncs, for CVM to age them out."""

    FINDINGS: Final = [finding(1), finding(2, 2)]
    OLD: Final = "2026-01-01T08:00:00Z"

    def load(self, cvm: CVM, ended: str | None, **changes: Any) -> Loaded:  # noqa: ANN401
        scans = [scan(1)] + ([scan(2, ended)] if ended else [])
        sync = Sync(APPS, self.FINDINGS, scans=scans)
        return cvm.load(replace(sync, **changes), asset_inactivity_days=30)

    def test_what_was_not_scanned_for_so_long_is_left_out_and_stays_open(self, cvm: CVM) -> None:
        self.load(cvm, LAST)

        loaded = self.load(cvm, self.OLD)

        assert left_out(loaded) == {"asset_inactivity_days": (1, 0)}
        assert [asset["external_id"] for asset in loaded.assets] == ["1"]
        assert cvm.open() == names(1, 2)

    @pytest.mark.parametrize("results", ["NO_HOST_ALIVE", "NO_WEB_SERVICE", "SCAN_INTERNAL_ERROR"])
    def test_a_scan_that_reached_nobody_keeps_none_active(self, results: str, cvm: CVM) -> None:
        failed = scan(2, id=1003, summary={"resultsStatus": results})

        loaded = self.load(cvm, None, scans=[scan(1), scan(2, self.OLD), failed])

        assert left_out(loaded) == {"asset_inactivity_days": (1, 0)}

    def test_a_clean_application_is_left_out_as_well(self, cvm: CVM) -> None:
        loaded = self.load(cvm, self.OLD, findings=[finding(1)])

        assert [asset["external_id"] for asset in loaded.assets] == ["1"]

    def test_one_that_was_never_scanned_is_not_called_inactive(self, cvm: CVM) -> None:
        loaded = self.load(cvm, None)

        assert left_out(loaded) == {}

    def test_an_incremental_sync_leaves_nothing_out(self, cvm: CVM) -> None:
        loaded = self.load(cvm, self.OLD, mode="incremental")

        assert left_out(loaded) == {}

    @pytest.mark.parametrize(("days", "out"), [(29, 0), (31, 1)])
    def test_days_are_those_of_cvm(self, days: int, out: int, cvm: CVM) -> None:
        ended = cvm.clock.now() - timedelta(days=days)

        loaded = self.load(cvm, ended.strftime("%Y-%m-%dT%H:%M:%SZ"))

        assert sum(count for count, _ in left_out(loaded).values()) == out


def test_what_people_did_in_cvm_is_left_alone(cvm: CVM) -> None:
    sync = Sync([webapp()], [finding(1), finding(2)])
    cvm.begin(sync)
    asset = next(one.asset_id for one in cvm.held() if one.scanner_identifier == identifier(1))
    cvm.tenant.people.tag(asset, "Ours")
    cvm.tenant.people.prioritise(asset, 7)
    cvm.tenant.people.judge(identifier(1), "false_positive")

    cvm.load(sync)
    cvm.load(replace(sync, mode="incremental", proof=None))

    (held,) = (one for one in cvm.held() if one.scanner_identifier == identifier(1))
    assert "Ours" in held.tags
    assert held.priority == 7
    assert held.manual == "false_positive"


def test_triage_of_findings_is_left_alone(cvm: CVM) -> None:
    sync = Sync([webapp()], [finding(1)])
    cvm.load(sync, data_model="findings")
    cvm.tenant.people.triage(identifier(1), "risk_accepted")

    cvm.load(sync, data_model="findings")

    assert [one.status for one in cvm.held()] == ["risk_accepted"]
