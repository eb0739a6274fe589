"""What a load covers: what it lacks of this is gone, and nothing else."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from msgspec import structs

from target_ciscovm.intake.intake import Lost
from target_ciscovm.mapping.asset import Sources
from target_ciscovm.mapping.records import Sync, WebApp
from target_ciscovm.mapping.scans_seen import LastScan
from target_ciscovm.plan.coverage import (
    Bounds,
    Coverage,
    a_day_before,
    coverage_of,
    inactive_webapps,
)
from target_ciscovm.plan.proof import Verdict

STARTED = "2024-05-02T11:00:00Z"
PROVEN = Verdict(valid=True, proven=True, unaltered=True)
SOURCES = Sources({number: WebApp(id=number) for number in (1, 2, 3)}, {})
OURS = Bounds(account=1)
TOLD: dict[str, Any] = {
    "source": "api",
    "findingTypes": ["VULNERABILITY", "SENSITIVE_CONTENT"],
    "wholeAccount": True,
    "webApps": {"read": 3, "notProven": [], "changed": []},
}
WHOLE = Coverage(
    proven=True,
    account=1,
    source="api",
    started=STARTED,
    types=frozenset("VS"),
    webapps=frozenset({1, 2, 3}),
    listed=frozenset({1, 2, 3}),
    whole_account=True,
)


def sync(**coverage: object) -> Sync:
    row = {"mode": "full", "startedAt": STARTED, "coverage": TOLD | coverage}
    return msgspec.convert(row, Sync)


def covered(bounds: Bounds = OURS, verdict: Verdict = PROVEN, **coverage: object) -> Coverage:
    return coverage_of(sync(**coverage), verdict, SOURCES, bounds)


def test_a_proven_sync_covers_what_it_read() -> None:
    assert covered() == WHOLE


@pytest.mark.parametrize("name", ["notProven", "changed"])
def test_a_web_application_of_which_something_may_be_missing_is_not_covered(name: str) -> None:
    found = covered(webApps=TOLD["webApps"] | {name: [2, 9]})

    assert found.webapps == {1, 3}
    assert found.listed == {1, 2, 3}
    assert found.unsettled == {2, 9}


def test_nor_is_one_of_which_a_record_was_rejected() -> None:
    found = covered(structs.replace(OURS, lost=Lost(webapps={3})))

    assert found.webapps == {1, 2}
    assert found.unsettled == {3}


def test_nor_one_that_is_left_out_as_inactive() -> None:
    found = covered(structs.replace(OURS, inactive=frozenset({1})))

    assert found.webapps == {2, 3}
    assert found.inactive == {1}


@pytest.mark.parametrize(
    ("bounds", "verdict"),
    [
        (structs.replace(OURS, account=None), PROVEN),
        (structs.replace(OURS, lost=Lost(unknown=True)), PROVEN),
        (structs.replace(OURS, close_gone=False), PROVEN),
        (OURS, Verdict(valid=True, proven=False)),
    ],
    ids=["no account", "a record of any web application lost", "close_gone: never", "not proven"],
)
def test_nothing_is_gone_for_a_load_that_may_not_say_so(bounds: Bounds, verdict: Verdict) -> None:
    assert covered(bounds, verdict).proven is False


@pytest.mark.parametrize(
    ("types", "letters"),
    [
        (["INFORMATION_GATHERED"], "I"),
        (["VULNERABILITY", "A_TYPE_OF_TOMORROW"], "V"),
        ([], ""),
        (None, ""),
    ],
)
def test_only_types_that_were_read_are_covered(types: list[str] | None, letters: str) -> None:
    assert covered(findingTypes=types).types == frozenset(letters)


@pytest.mark.parametrize("told", [False, None])
def test_what_is_not_said_to_be_the_whole_account_is_a_part(told: bool | None) -> None:
    assert covered(wholeAccount=told).whole_account is False


@pytest.mark.parametrize("apps", [None, {}], ids=str)
def test_lists_that_are_missing_name_no_web_application(apps: dict[str, object] | None) -> None:
    assert covered(webApps=apps).unsettled == frozenset()


def test_a_row_without_a_coverage_tells_no_more_than_its_beginning() -> None:
    row = msgspec.convert({"startedAt": "2024-05-02T13:00:00+02:00"}, Sync)

    found = coverage_of(row, PROVEN, SOURCES, OURS)

    assert found == Coverage(account=1, started=STARTED)


def test_without_a_row_nothing_is_covered() -> None:
    assert coverage_of(None, PROVEN, SOURCES, Bounds()) == Coverage()


class TestInactive:
    """`asset_inactivity_days` leaves out what no scan has worked on for so long."""

    NOW = datetime(2024, 5, 31, 12, tzinfo=timezone.utc)
    SCANS = Sources(
        {},
        {
            1: LastScan("2024-05-01T11:59:59Z"),
            2: LastScan("2024-05-01T12:00:00Z"),
            3: LastScan("2024-05-31T12:00:00Z"),
        },
    )

    def test_on_a_full_sync(self) -> None:
        assert inactive_webapps(self.SCANS, sync(), self.NOW, 30) == {1}

    def test_one_without_any_scan_is_kept(self) -> None:
        assert inactive_webapps(SOURCES, sync(), self.NOW, 1) == set()

    @pytest.mark.parametrize(
        ("row", "now", "days"),
        [
            (sync(), NOW, 0),
            (sync(), None, 30),
            (None, NOW, 30),
            (msgspec.structs.replace(sync(), mode="incremental"), NOW, 30),
        ],
        ids=["off", "no time", "no sync", "incremental"],
    )
    def test_and_else_never(self, row: Sync | None, now: datetime | None, days: int) -> None:
        assert inactive_webapps(self.SCANS, row, now, days) == set()


@pytest.mark.parametrize(
    ("started", "before"),
    [(STARTED, "2024-05-01T11:00:00Z"), ("2024-03-01T00:00:00Z", "2024-02-29T00:00:00Z")],
)
def test_a_web_application_counts_as_deleted_after_a_day(started: str, before: str) -> None:
    assert a_day_before(started) == before
