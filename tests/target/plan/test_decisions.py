"""What is to be done with each entry that the load tells of, and why: one test a cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from target_ciscovm.ledger.tables import Covered
from target_ciscovm.plan.decisions import Decided
from tests.target.plan.deciding import (
    BEFORE,
    HERE,
    INCREMENTAL,
    LAST,
    STARTED,
    TERMS,
    THERE,
    Desk,
    Given,
    covering,
    entry,
    finding,
)

if TYPE_CHECKING:
    from target_ciscovm.ledger.tables import Entry
    from target_ciscovm.plan.decisions import Terms


class TestOpen:
    """What the load has as open is open in CVM after it."""

    @pytest.mark.parametrize(
        ("entries", "cause"),
        [
            ([], "new"),
            ([entry()], "still"),
            ([entry(state="perhaps")], "still"),
            ([entry(severity=4)], "edited"),
            ([entry(severity=None)], "edited"),
            ([entry(state="closed")], "again"),
            ([entry(state="closing")], "again"),
            ([entry(asset=THERE, state="closing")], "again"),
            ([entry(asset=THERE, state="closed")], "again"),
        ],
    )
    @pytest.mark.parametrize("terms", [TERMS, INCREMENTAL], ids=["full", "incremental"])
    def test_with_the_cause_that_the_ledger_tells(
        self, desk: Desk, entries: list[Entry], cause: str, terms: Terms
    ) -> None:
        found = desk.decide(Given([finding()], entries), terms)

        assert found.causes[HERE, "a"] == ("open", cause)

    def test_two_without_a_severity_are_the_same(self, desk: Desk) -> None:
        found = desk.decide(Given([finding(severity=None)], [entry(severity=None)]))

        assert found.cause == ("open", "still")


class TestMoves:
    """A finding is open at one asset: where Qualys has it now."""

    MOVED = Given([finding(asset=THERE)], [entry()])

    @pytest.mark.parametrize("terms", [TERMS, INCREMENTAL], ids=["full", "incremental"])
    def test_it_is_closed_where_it_was_in_the_load_that_opens_it_where_it_is(
        self, desk: Desk, terms: Terms
    ) -> None:
        assert desk.decide(self.MOVED, terms).causes == {
            (THERE, "a"): ("open", "moved here"),
            (HERE, "a"): ("close", "moved away"),
        }

    def test_also_where_it_is_open_at_several_places(self, desk: Desk) -> None:
        found = desk.decide(Given([finding()], [entry(), entry(asset=THERE)]))

        assert found.causes == {
            (HERE, "a"): ("open", "still"),
            (THERE, "a"): ("close", "moved away"),
        }

    def test_where_the_new_place_is_refused_it_stays_open_at_the_old_one(self, desk: Desk) -> None:
        found = desk.decide(replace(self.MOVED, refused=[THERE]))

        assert found.causes == {
            (THERE, "a"): ("leave", "refused for size"),
            (HERE, "a"): ("leave", "refused for size"),
        }

    def test_while_the_licence_is_over_its_limit_nothing_is_closed_for_it(self, desk: Desk) -> None:
        assert desk.decide(self.MOVED, TERMS._replace(over=True)).causes == {
            (THERE, "a"): ("open", "moved here"),
            (HERE, "a"): ("leave", "licence over its limit"),
        }

    def test_rows_that_may_have_been_altered_move_nothing(self, desk: Desk) -> None:
        found = desk.decide(self.MOVED, TERMS._replace(moves=False))

        assert found.causes == {(HERE, "a"): ("open", "still")}

    def test_nor_do_they_close_one_of_several_places(self, desk: Desk) -> None:
        several = Given([finding()], [entry(), entry(asset=THERE)])

        found = desk.decide(several, TERMS._replace(moves=False))

        assert [action for action, _ in found.causes.values()] == ["open", "leave"]

    def test_what_is_open_in_another_data_model_is_closed_there(self, desk: Desk) -> None:
        found = desk.decide(Given([finding()], [entry(model="findings")]))

        assert [row[2:5] for row in found.rows] == [
            ("findings", "close", "other data model"),
            ("vulnerabilities", "open", "again"),
        ]


class TestFixes:
    """What Qualys calls fixed closes by name, wherever the ledger has it open."""

    FIX = finding(state="fixed", closed=LAST)

    @pytest.mark.parametrize("terms", [TERMS, INCREMENTAL], ids=["full", "incremental"])
    @pytest.mark.parametrize("state", ["open", "perhaps", "closing"])
    def test_at_every_place_and_in_every_model(self, desk: Desk, terms: Terms, state: str) -> None:
        places = [
            entry(state=state),
            entry(asset=THERE, state=state),
            entry(model="findings", state=state),
        ]

        found = desk.decide(Given([self.FIX], places), terms)

        assert [row[3:] for row in found.rows] == [("close", "fixed", 1)] * 3
        assert found.tally == [Decided("close", "fixed", 3, 1)]

    @pytest.mark.parametrize("entries", [[], [entry(state="closed")]], ids=["unknown", "closed"])
    def test_where_nothing_is_open_there_is_nothing_to_do(
        self, desk: Desk, entries: list[Entry]
    ) -> None:
        found = desk.decide(Given([self.FIX], entries))

        assert found.causes[HERE, "a"] == ("leave", "already closed")

    @pytest.mark.parametrize(
        ("since", "cause"),
        [
            (BEFORE, ("close", "fixed")),
            (LAST, ("close", "fixed")),
            (STARTED, ("leave", "already closed")),
        ],
    )
    def test_where_the_ledger_was_lost_those_since_a_moment_close_all_the_same(
        self, desk: Desk, since: str, cause: tuple[str, str]
    ) -> None:
        found = desk.decide(Given([self.FIX]), TERMS._replace(fixes_since=since))

        assert found.cause == cause

    def test_what_was_closed_already_is_not_sent_again_then(self, desk: Desk) -> None:
        known = Given([self.FIX], [entry(state="closed")])

        found = desk.decide(known, TERMS._replace(fixes_since=BEFORE))

        assert found.cause == ("leave", "already closed")

    def test_a_fix_at_a_refused_asset_closes(self, desk: Desk) -> None:
        found = desk.decide(Given([self.FIX], [entry()], refused=[HERE]))

        assert found.cause == ("close", "fixed")


class TestOutdated:
    """A load that was written long ago and comes again, or late, changes nothing."""

    OLD = covering(started="2026-02-01T08:00:00Z")

    @pytest.mark.parametrize("state", ["open", "fixed"])
    @pytest.mark.parametrize("known", ["open", "closed"])
    def test_a_row_that_was_seen_no_later_than_the_entry(
        self, desk: Desk, state: str, known: str
    ) -> None:
        row = finding(state=state, seen=BEFORE, closed=BEFORE)

        found = desk.decide(Given([row], [entry(state=known)]), self.OLD)

        assert found.cause == ("leave", "outdated")

    def test_one_that_was_seen_later_counts(self, desk: Desk) -> None:
        row = finding(state="fixed", seen=LAST, closed=LAST)

        assert desk.decide(Given([row], [entry()]), self.OLD).cause == ("close", "fixed")

    def test_one_that_a_later_sync_would_have_shown(self, desk: Desk) -> None:
        known = [Covered(1, "api", 7, "V", BEFORE)]

        found = desk.decide(Given([finding()], coverage=known), self.OLD)

        assert found.cause == ("leave", "outdated")

    @pytest.mark.parametrize(
        ("seen", "cause"),
        [("2026-02-28T08:00:00Z", ("leave", "outdated")), (BEFORE, ("open", "still"))],
    )
    def test_where_no_sync_says_when_it_began_the_finding_does(
        self, desk: Desk, seen: str, cause: tuple[str, str]
    ) -> None:
        nobody = covering(proven=False, account=None, source=None, started=None)

        assert desk.decide(Given([finding(seen=seen)], [entry()]), nobody).cause == cause

    @pytest.mark.parametrize(
        ("seen", "ahead", "cause"),
        [
            ("2026-02-28T08:00:00Z", True, ("leave", "outdated")),
            (BEFORE, True, ("close", "fixed")),
            ("2026-02-28T08:00:00Z", False, ("close", "fixed")),
        ],
    )
    def test_where_a_sync_began_in_the_future_the_finding_tells_the_order_too(
        self, desk: Desk, seen: str, cause: tuple[str, str], *, ahead: bool
    ) -> None:
        row = finding(state="fixed", seen=seen, closed=seen)

        found = desk.decide(Given([row], [entry()]), TERMS._replace(ahead=ahead))

        assert found.cause == cause

    def test_its_entry_stays_wherever_it_is(self, desk: Desk) -> None:
        row = finding(seen=BEFORE)

        found = desk.decide(Given([row], [entry(asset=THERE)]), self.OLD)

        assert found.causes == {
            (THERE, "a"): ("leave", "outdated"),
            (HERE, "a"): ("leave", "outdated"),
        }
        assert sum(one.findings for one in found.tally) == 1
