"""A run whose end was not seen is looked up by its number when the next load begins."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.apply.pending import look_up
from target_ciscovm.cvm.connector import ConnectorRun
from target_ciscovm.ledger.ledger import Ledger, PendingRun
from tests.target.ledger.ledgers import HOME, entry, identifier, load, settlement, states

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NOW = datetime(2026, 3, 1, 8, tzinfo=timezone.utc)
OURS = 815
STRANGER = ConnectorRun(OURS + 1, end_time=NOW, success=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Give a ledger with a run put down that opens 2 and closes 1."""
    with Ledger(tmp_path / "ledger.db", HOME) as ledger:
        load(ledger, settlement([entry(1)]))
        ledger.put_down(settlement([entry(1, state="closed"), entry(2)]))
        ledger.name_pending(OURS)
        yield ledger


@pytest.mark.parametrize("processed", [None, 2, 3])
def test_one_that_succeeded_is_settled(processed: int | None, ledger: Ledger) -> None:
    ended = ConnectorRun(OURS, end_time=NOW, success=True, processed_scanner_vuln_count=processed)

    assert look_up(ledger, [STRANGER, ended])

    assert states(ledger) == {identifier(1): "closed", identifier(2): "open"}
    assert ledger.pending is None


@pytest.mark.parametrize(
    "runs",
    [
        [ConnectorRun(OURS, end_time=NOW, success=False)],
        [ConnectorRun(OURS, end_time=NOW, success=True, failed_payload_count=1)],
        [ConnectorRun(OURS, end_time=NOW, success=True, processed_scanner_vuln_count=1)],
        [ConnectorRun(OURS, end_time=NOW, success=True, processed_payload_count=0)],
        [STRANGER],
        [],
    ],
    ids=["failed", "failed in part", "too few entries", "no payload", "not listed", "no runs"],
)
def test_of_one_that_failed_or_is_not_known_all_is_perhaps_open(
    ledger: Ledger, runs: Sequence[ConnectorRun]
) -> None:
    assert look_up(ledger, runs)

    assert states(ledger) == {identifier(1): "open", identifier(2): "perhaps"}
    assert ledger.pending is None


@pytest.mark.parametrize(
    ("processed", "closed"),
    [(9, "closing"), (10, "closing"), (None, "closing"), (2, "open")],
    ids=["all but the failed one", "all", "untold", "broken off"],
)
def test_what_one_closed_that_failed_a_small_part_no_longer_counts_as_open(
    processed: int | None, closed: str, ledger: Ledger
) -> None:
    run = ConnectorRun(
        OURS,
        end_time=NOW,
        success=True,
        total_payload_count=10,
        processed_payload_count=processed,
        failed_payload_count=1,
    )

    assert look_up(ledger, [run])

    assert states(ledger) == {identifier(1): closed, identifier(2): "perhaps"}


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (ConnectorRun(OURS), "is still going on"),
        (ConnectorRun(OURS, end_time=NOW), "does not say yet whether it went well"),
        (ConnectorRun(OURS, success=True), "is still going on"),
    ],
    ids=["not ended", "no success told yet", "no end told yet"],
)
def test_one_that_goes_on_counts_as_perhaps_open_and_is_looked_up_again(
    ledger: Ledger, run: ConnectorRun, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    assert look_up(ledger, [run])
    assert [told in message for message in caplog.messages] == [True]
    assert states(ledger) == {identifier(1): "open", identifier(2): "perhaps"}
    assert ledger.pending == PendingRun(OURS)

    assert look_up(ledger, [ConnectorRun(OURS, end_time=NOW, success=True)])

    assert states(ledger) == {identifier(1): "closed", identifier(2): "open"}


def test_one_without_a_number_may_have_begun_or_not(ledger: Ledger) -> None:
    ledger.put_down(settlement([entry(3)]))

    assert look_up(ledger, [ConnectorRun(OURS, end_time=NOW, success=True)])

    assert states(ledger) == {identifier(1): "open", identifier(3): "perhaps"}
    assert ledger.pending is None


def test_where_nothing_is_pending_nothing_changes(ledger: Ledger) -> None:
    ledger.settle()

    assert not look_up(ledger, [ConnectorRun(OURS, end_time=NOW, success=False)])

    assert states(ledger) == {identifier(1): "closed", identifier(2): "open"}
