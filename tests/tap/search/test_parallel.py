"""Several walks at a time bring the same rows as one, and one that fails fails the stream."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tap_qualyswas import errors
from tests.sandbox.world.model import FINDING_TYPES, VULNERABILITY
from tests.sandbox.world.size import WorldSize
from tests.tap.syncs import Outcome, Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sandbox.qualys.face import Logged

MANY: Final = WorldSize(apps=40, findings=45_000, qids=40, scans=40)
"""So that vulnerabilities and information are more than 20,000 each."""
FEWER: Final = WorldSize(apps=40, findings=4_500, qids=40, scans=40)
FEW: Final = WorldSize(apps=6, findings=200, qids=12, scans=10)


def keys_of(outcome: Outcome) -> list[str]:
    return sorted(row["uniqueId"] for row in outcome.records("findings"))


def test_types_of_more_than_20_000_rows_are_read_in_ranges() -> None:
    with Platform(MANY) as platform:
        assert len(platform.world.findings["VULNERABILITY"]) > 20_000
        assert len(platform.world.findings["INFORMATION_GATHERED"]) > 20_000
        check_walks(platform, 2, FINDING_TYPES, 1000)


@pytest.mark.parametrize("workers", [1, 8])
def test_any_number_of_workers_brings_each_row_once_in_ranges_of_like_size(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many pages as of a type that is worth it by its rows, but with a tenth of them.
    monkeypatch.setattr("tap_qualyswas.search.walk.ROWS_WORTH_SPLITTING", 2_000)
    with Platform(FEWER) as platform:
        assert len(platform.world.findings["VULNERABILITY"]) > 2_000
        check_walks(platform, workers, [VULNERABILITY], 100)


def check_walks(platform: Platform, workers: int, types: Sequence[str], page_size: int) -> None:
    """Sync, and check that each row came once, and in as many ranges as there are workers."""
    settings = {"max_concurrency": workers, "finding_types": [*types], "page_size": page_size}
    outcome = platform.sync_here(settings)

    there = [row for kind in types for row in platform.world.findings[kind]]
    assert keys_of(outcome) == sorted(map(platform.world.unique_id, there))
    assert outcome.proof["complete"] is True
    (told,) = [row for row in outcome.proof["streams"] if row["stream"] == "findings"]
    assert told["duplicates"] == 0
    assert platform.requests["count/was/finding"] <= 3 + 2 * 4 + 3  # two types are that long
    assert platform.requests["search/was/finding"] <= 45 + 3 + 2 * 8
    walks = pages_of_walks(platform.face.log)
    assert len(walks) == workers
    assert max(walks) <= 2 * min(walks) + 2


def pages_of_walks(log: Sequence[Logged]) -> list[int]:
    """Give how many pages of vulnerabilities each walk within bounds has asked for."""
    bounds: Counter[str] = Counter()
    for asked in log:
        told = {(each.field, each.operator): each.value for each in asked.criteria}
        if asked.endpoint == "search/was/finding" and told.get(("type", "EQUALS")) == (
            "VULNERABILITY"
        ):
            bounds[str(told.get(("id", "LESSER"), "open"))] += 1
    return [pages for bound, pages in bounds.items() if bound != "None"]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_failure_of_one_worker_fails_the_stream(workers: int) -> None:
    with Platform(FEW, faults=["tap-error+4"]) as platform:
        with pytest.raises(errors.InvalidRequest) as raised:
            platform.sync_here({"page_size": 10, "max_concurrency": workers})
        outcome: Outcome = raised.value.outcome  # type: ignore[attr-defined] # set by sync_here
        platform.face.faults.disarm()
        rest = platform.sync_here({"page_size": 10}, state=outcome.state)

    assert outcome.records("syncs") == []
    findings = outcome.state["bookmarks"]["findings"]
    assert "replication_key_value" not in findings
    both = {*keys_of(outcome), *keys_of(rest)}
    assert both == set(map(platform.world.unique_id, platform.world.all_findings()))
    assert rest.proof["complete"] is False


def test_calls_at_a_time_are_lowered_when_qualys_says_so() -> None:
    with Platform(FEW, faults=["qualys-concurrency"]) as platform:
        outcome = platform.sync_here({"page_size": 10, "max_concurrency": 3})

    assert "At most 2 calls at a time from now on." in outcome.log
    assert "At most 1 call at a time from now on." in outcome.log
    assert outcome.proof["complete"] is True


def test_progress_is_told_against_what_was_counted() -> None:
    with Platform(FEW) as platform:
        outcome = platform.sync_here()

    assert "findings 200 / 200 · 100%" in outcome.log
    assert "webapps 6 / 6 · 100%" in outcome.log
