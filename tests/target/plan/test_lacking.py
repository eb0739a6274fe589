"""What is to be done with each entry that the load lacks or leaves out, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.ledger.tables import Covered, ShownWebApp
from tests.target.plan.deciding import (
    BEFORE,
    HERE,
    INCREMENTAL,
    LAST,
    LATER,
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
    from target_ciscovm.plan.decisions import Terms


class TestGone:
    """What the load lacks is closed where it is covered, and left with the reason elsewhere."""

    @pytest.mark.parametrize(("state", "covered"), [("open", 1), ("perhaps", 1), ("closing", 0)])
    def test_it_is_closed(self, desk: Desk, state: str, covered: int) -> None:
        found = desk.decide(Given(entries=[entry(state=state)]))

        assert (found.cause, found.covered) == (("close", "gone"), covered)

    def test_what_was_closed_before_is_no_entry_any_more(self, desk: Desk) -> None:
        found = desk.decide(Given(entries=[entry(state="closed")]))

        assert (found.rows, found.covered) == ([], 0)

    @pytest.mark.parametrize(
        ("changes", "terms", "cause"),
        [
            ({}, covering(proven=False), "not proven"),
            ({"account": 2}, TERMS, "another account"),
            ({"source": "scan_reports"}, TERMS, "another source"),
            ({}, covering(types=frozenset("SI")), "type not read"),
            ({"type": "S"}, covering(types=frozenset("VI")), "type not read"),
            ({"sent_at": STARTED}, TERMS, "sent later"),
            ({"sent_at": LATER}, TERMS, "sent later"),
            ({}, covering(unsettled=frozenset({7})), "web app not proven"),
            ({}, covering(inactive=frozenset({7})), "inactive web app"),
            ({"webapp": 9}, TERMS, "web app not read"),
            ({"webapp": None}, covering(whole_account=False), "web app not read"),
        ],
    )
    def test_what_is_not_covered_stays(
        self, desk: Desk, changes: dict[str, object], terms: Terms, cause: str
    ) -> None:
        found = desk.decide(Given(entries=[entry()._replace(**changes)]), terms)  # type: ignore[arg-type] # of all types

        assert (found.cause, found.covered) == (("leave", cause), 0)

    @pytest.mark.parametrize(
        ("changes", "terms"),
        [
            ({"webapp": None}, TERMS),
            ({"account": None}, TERMS),
            ({"source": None}, TERMS),
            ({"source": "scan_reports"}, TERMS._replace(any_source=True)),
        ],
        ids=[
            "no web application, whole account",
            "account never told",
            "source never told",
            "a change of source was accepted",
        ],
    )
    def test_what_nobody_told_does_not_keep_it(
        self, desk: Desk, changes: dict[str, object], terms: Terms
    ) -> None:
        found = desk.decide(Given(entries=[entry()._replace(**changes)]), terms)  # type: ignore[arg-type] # of all types

        assert found.cause == ("close", "gone")

    def test_an_entry_of_no_account_is_anothers_where_only_that_has_its_web_application(
        self, desk: Desk
    ) -> None:
        known = [ShownWebApp(2, 7, "made-up", "App", BEFORE)]

        found = desk.decide(Given(entries=[entry(account=None)], webapps=known))

        assert found.cause == ("leave", "another account")

    def test_what_was_covered_by_a_later_sync_is_left_to_it(self, desk: Desk) -> None:
        known = [Covered(1, "api", 7, "V", LATER)]

        found = desk.decide(Given(entries=[entry()], coverage=known))

        assert found.cause == ("leave", "sent later")

    def test_a_rejected_record_holds_its_own_entry_only(self, desk: Desk) -> None:
        found = desk.decide(Given(entries=[entry("a"), entry("b")], lost=["a"]))

        assert found.causes == {
            (HERE, "a"): ("leave", "its record was rejected"),
            (HERE, "b"): ("close", "gone"),
        }

    @pytest.mark.parametrize(("close", "action"), [(True, "close"), (False, "leave")])
    def test_a_deleted_web_application_is_closed_only_when_asked_for(
        self, desk: Desk, close: bool, action: str
    ) -> None:
        terms = TERMS._replace(deleted=frozenset({9}), close_deleted=close)

        found = desk.decide(Given(entries=[entry(webapp=9)]), terms)

        assert found.cause == (action, "deleted web app")
        assert found.covered == int(close)


class TestFiltered:
    """A filter closes what is open and covered, by the name of its setting."""

    OUT = finding(filter="min_severity")

    def test_it_is_closed_where_it_is_covered(self, desk: Desk) -> None:
        found = desk.decide(Given([self.OUT], [entry()]))

        assert found.rows == [(HERE, "a", "vulnerabilities", "close", "filtered: min_severity", 1)]

    @pytest.mark.parametrize(
        "terms", [INCREMENTAL, covering(unsettled=frozenset({7})), covering(account=1, types=())]
    )
    def test_and_left_open_where_it_is_not(self, desk: Desk, terms: Terms) -> None:
        found = desk.decide(Given([self.OUT], [entry()]), terms)

        assert found.cause == ("leave", "filtered: min_severity")

    def test_what_is_open_elsewhere_is_closed_there(self, desk: Desk) -> None:
        found = desk.decide(Given([self.OUT], [entry(asset=THERE)]))

        assert found.causes == {
            (THERE, "a"): ("close", "filtered: min_severity"),
            (HERE, "a"): ("leave", "filtered: min_severity"),
        }
        assert sum(one.findings for one in found.tally) == 1

    def test_what_was_never_open_is_left_out(self, desk: Desk) -> None:
        found = desk.decide(Given([self.OUT]))

        assert found.cause == ("leave", "filtered: min_severity")

    def test_a_fix_is_never_filtered(self, desk: Desk) -> None:
        fix = finding(state="fixed", closed=LAST)

        assert desk.decide(Given([fix], [entry()])).cause == ("close", "fixed")


class TestAnotherAccount:
    """Its findings may bear the same identifiers, where ids are all that Qualys gives."""

    THEIRS = entry(asset=THERE, account=2)

    def test_is_left_alone_by_what_opens(self, desk: Desk) -> None:
        found = desk.decide(Given([finding()], [self.THEIRS]))

        assert found.causes == {
            (HERE, "a"): ("open", "new"),
            (THERE, "a"): ("leave", "another account"),
        }

    def test_is_left_alone_by_what_is_fixed(self, desk: Desk) -> None:
        fix = finding(state="fixed", closed=LAST)

        found = desk.decide(Given([fix], [self.THEIRS]))

        assert found.causes[THERE, "a"] == ("leave", "another account")

    def test_is_left_alone_by_what_is_filtered(self, desk: Desk) -> None:
        found = desk.decide(Given([finding(filter="min_severity")], [self.THEIRS]))

        assert found.causes[THERE, "a"] == ("leave", "another account")
