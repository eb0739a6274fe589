"""What a run did of which nobody saw the end, or that failed in part, counts as perhaps done."""

from __future__ import annotations

from msgspec import structs

from target_ciscovm.ledger.ledger import Ledger, PendingRun
from target_ciscovm.ledger.tables import Covered, Link, ShownWebApp
from tests.target.ledger.ledgers import (
    FIRST,
    LATER,
    OTHER,
    STARTED,
    asset,
    entries,
    entry,
    identifier,
    load,
    rows,
    settlement,
    states,
)


class TestDoubt:
    """Nobody saw the run end, or it failed: CVM may hold any part of it."""

    def test_what_it_may_have_opened_counts_as_open(self, ledger: Ledger) -> None:
        ledger.put_down(FIRST)

        ledger.doubt()

        assert set(states(ledger).values()) == {"perhaps"}
        assert ledger.open_count() == 3
        assert ledger.pending is None
        assert rows(ledger, "asset") == [asset(OTHER), asset()]

    def test_what_it_may_have_closed_is_still_open(self, ledger: Ledger) -> None:
        load(ledger, FIRST)
        ledger.put_down(settlement([entry(1, state="closed"), entry(2, state="closed")]))

        ledger.doubt()

        assert entries(ledger)[:2] == [entry(1), entry(2)]

    def test_what_is_known_to_be_open_stays_that_and_what_was_closed_is_perhaps_open(
        self, ledger: Ledger
    ) -> None:
        load(ledger, settlement([entry(1), entry(2, state="closed")]))
        ledger.put_down(settlement([entry(1, sent_at=LATER), entry(2, sent_at=LATER)]))

        ledger.doubt()

        assert states(ledger) == {identifier(1): "open", identifier(2): "perhaps"}
        assert entries(ledger)[0] == entry(1)

    def test_what_a_run_has_closed_that_has_done_most_of_it_no_longer_counts_as_open(
        self, ledger: Ledger
    ) -> None:
        load(ledger, FIRST)
        ledger.put_down(settlement([entry(1, state="closed"), entry(9, state="closed")]))
        ledger.doubt(in_part=True)
        assert states(ledger) == {identifier(1): "closing", identifier(2): "open"} | {
            identifier(3): "open"
        }
        assert ledger.open_count() == 2

        ledger.put_down(settlement([entry(1)]))
        ledger.doubt(in_part=True)
        assert states(ledger)[identifier(1)] == "perhaps"

        load(ledger, settlement([entry(1, state="closed")]))
        assert states(ledger)[identifier(1)] == "closed"

    def test_nothing_else_of_it_is_believed(self, ledger: Ledger) -> None:
        load(ledger, FIRST)
        done = structs.replace(
            FIRST,
            chain=[Link("scope", LATER, 9)],
            coverage=[Covered(1, "api", 7, "V", LATER)],
            webapps=[ShownWebApp(1, 9, "made-up", "New", LATER)],
            meta={"proven_at": LATER, "failed_loads": 2},
        )
        ledger.put_down(done)

        ledger.doubt()

        assert ledger.link("scope") == Link("scope", STARTED, 3)
        assert rows(ledger, "coverage") == [Covered(1, "api", 7, "V", STARTED)]
        assert len(rows(ledger, "webapp")) == 1
        assert ledger.proven_at == STARTED
        assert ledger.failed_loads == 0

    def test_a_run_that_goes_on_stays_put_down_and_can_be_settled_later(
        self, ledger: Ledger
    ) -> None:
        ledger.put_down(FIRST)
        ledger.name_pending(815)

        ledger.doubt(keep=True)

        assert ledger.pending == PendingRun(815)
        assert set(states(ledger).values()) == {"perhaps"}
        ledger.settle()
        assert set(states(ledger).values()) == {"open"}
        assert ledger.proven_at == STARTED
