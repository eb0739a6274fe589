"""A date in the future is brought to now and counted: it would outrank whatever comes later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from target_ciscovm.intake.future_dates import NOTE
from tests.target.loads import HOUR
from tests.target.streams import Sync, finding, fixed, names, scan, webapp

if TYPE_CHECKING:
    from tests.target.loads import CVM, Loaded

FUTURE = "2031-01-01T00:00:00Z"
LONG_AGO = "2026-01-01T00:00:00Z"


def noted(loaded: Loaded) -> dict[str, int]:
    return {note["text"]: note["count"] for note in loaded.report["notes"]}


@pytest.mark.parametrize("model", ["vulnerabilities", "findings"])
def test_dates_of_findings_are_those_of_the_load(model: str, cvm: CVM) -> None:
    rows = [
        finding(1, firstDetectedDate=FUTURE, lastDetectedDate=FUTURE, lastTestedDate=FUTURE),
        finding(2, firstDetectedDate=FUTURE),
        finding(3),
    ]

    loaded = cvm.load(Sync([webapp()], rows), data_model=model)

    assert loaded.exit_code == 0, loaded.message
    now = loaded.report["times"]["started"]
    items = loaded.items("vulns" if model == "vulnerabilities" else "findings")
    assert items["finding-1"]["last_seen_at"] == items["finding-1"]["created_at"] == now
    assert items["finding-2"]["created_at"] == now
    assert items["finding-2"]["last_seen_at"] == items["finding-3"]["last_seen_at"] < now
    assert noted(loaded) == {NOTE: 2}


def test_so_is_the_date_of_a_fix(cvm: CVM) -> None:
    cvm.begin(Sync([webapp()], [finding(1)]))

    loaded = cvm.load(Sync([webapp()], [fixed(1, fixedDate=FUTURE, lastTestedDate=FUTURE)]))

    assert loaded.items()["finding-1"]["closed_at"] == loaded.report["times"]["started"]
    assert cvm.open() == set()


def test_so_is_the_last_scan_of_an_asset(cvm: CVM) -> None:
    loaded = cvm.load(Sync([webapp()], [finding(1)], scans=[scan(1, ended=FUTURE)]))

    (asset,) = loaded.assets
    assert asset["last_seen_at"] == loaded.report["times"]["started"]


@pytest.mark.parametrize("delay", [0, 30], ids=["at once", "a little after CVM was asked"])
def test_a_fix_that_comes_later_is_not_older_than_what_came_from_the_future(
    delay: int, cvm: CVM
) -> None:
    cvm.load(Sync([webapp()], [finding(1, lastTestedDate=FUTURE)], proof=None))
    moment = cvm.clock.now() + HOUR + timedelta(seconds=delay)
    began = moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    fix = fixed(1, lastTestedDate=LONG_AGO)
    cvm.load(Sync([webapp()], [fix], mode="incremental", started=began))

    assert cvm.open() == set()


def test_where_nothing_is_sent_the_sync_tells_what_time_it_is(cvm: CVM) -> None:
    nowhere: dict[str, Any] = {"api_key": None, "connector_id": None}
    rows = [finding(1, lastDetectedDate=FUTURE)]

    loaded = cvm.load(Sync([webapp()], rows, started="2026-03-05T00:00:00Z"), **nowhere)
    assert loaded.items()["finding-1"]["last_seen_at"] == "2026-03-05T00:00:00Z"

    untold = cvm.load(Sync([webapp()], rows, proof=None), **nowhere)
    assert untold.items()["finding-1"]["last_seen_at"] == FUTURE


class TestSync:
    """A sync that says it began in the future would count as later than all that come after."""

    AHEAD = Sync([webapp()], [finding(1), finding(2)], started=FUTURE)

    def test_is_loaded_and_proves_nothing(self, cvm: CVM) -> None:
        cvm.begin(replace(self.AHEAD, findings=[finding(3)], started=None))

        loaded = cvm.load(self.AHEAD)

        assert cvm.open() == names(1, 2, 3)
        assert not loaded.report["proof"]["proven"]
        assert any("the sync began at" in why for why in loaded.report["proof"]["reasons"])

    def test_and_the_next_one_closes_what_is_gone(self, cvm: CVM) -> None:
        cvm.load(self.AHEAD)

        cvm.load(Sync([webapp()], [finding(1)]))

        assert cvm.open() == names(1)
