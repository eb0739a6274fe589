"""What is to be done with each entry, and why: one test a cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_ciscovm.ledger.tables import Covered, ShownWebApp
from target_ciscovm.plan.decisions import Decided
from tests.target.plan.deciding import (
    BEFORE,
    HERE,
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
    from target_ciscovm.intake.spool import FindingRow
    from target_ciscovm.ledger.tables import Entry
    from target_ciscovm.plan.decisions import Terms

LATER = "2026-03-04T08:00:00Z"
INCREMENTAL = covering(proven=False)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("decisions"))


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
    @pytest.mark.parametrize("state", ["open", "perhaps"])
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


class TestGone:
    """What the load lacks is closed where it is covered, and left with the reason elsewhere."""

    @pytest.mark.parametrize("state", ["open", "perhaps"])
    def test_it_is_closed(self, desk: Desk, state: str) -> None:
        found = desk.decide(Given(entries=[entry(state=state)]))

        assert (found.cause, found.covered) == (("close", "gone"), 1)

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

    def test_its_entry_stays_wherever_it_is(self, desk: Desk) -> None:
        row = finding(seen=BEFORE)

        found = desk.decide(Given([row], [entry(asset=THERE)]), self.OLD)

        assert found.causes == {
            (THERE, "a"): ("leave", "outdated"),
            (HERE, "a"): ("leave", "outdated"),
        }
        assert sum(one.findings for one in found.tally) == 1


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


NAMES = st.sampled_from(["a", "b", "c"])
ASSETS = st.sampled_from([HERE, THERE])
MOMENTS = st.sampled_from(["2026-02-01T08:00:00Z", BEFORE, LAST, STARTED, LATER])
WEBAPPS = st.sampled_from([7, 8, None])
LETTERS = st.sampled_from(["V", "S"])


@st.composite
def findings(draw: st.DrawFn) -> FindingRow:
    """Make a finding in one of the forms that the intake makes."""
    fixed = draw(st.booleans())
    return finding(
        draw(NAMES),
        asset=draw(ASSETS),
        webapp=draw(WEBAPPS),
        type=draw(LETTERS),
        state="fixed" if fixed else "open",
        filter=None if fixed else draw(st.sampled_from([None, "min_severity"])),
        severity=draw(st.sampled_from([3, 4, None])),
        seen=draw(MOMENTS),
        closed=draw(MOMENTS) if fixed else None,
    )


ENTRIES = st.builds(
    entry,
    NAMES,
    asset=ASSETS,
    model=st.sampled_from(["vulnerabilities", "findings"]),
    state=st.sampled_from(["open", "perhaps", "closed"]),
    type=LETTERS,
    webapp=WEBAPPS,
    source=st.sampled_from(["api", "scan_reports", None]),
    account=st.sampled_from([1, 2, None]),
    sent_at=MOMENTS,
    seen=MOMENTS,
)
EVERY_TERM = st.builds(
    lambda proven, started, types, unsettled, whole, rest: covering(
        proven=proven and started is not None,
        started=started,
        types=types,
        unsettled=unsettled,
        webapps=frozenset({7}) - unsettled,
        whole_account=whole,
    )._replace(**rest),
    st.booleans(),
    st.none() | MOMENTS,
    st.sampled_from([frozenset("VS"), frozenset("V"), frozenset()]),
    st.sampled_from([frozenset(), frozenset({7})]),
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "deleted": st.just(frozenset({8})),
            "close_deleted": st.booleans(),
            "over": st.booleans(),
            "moves": st.booleans(),
            "any_source": st.booleans(),
            "fixes_since": MOMENTS,
            "newest": MOMENTS,
        },
    ),
)
GIVEN = st.builds(
    lambda rows, entries, lost, refused: Given(
        rows, entries, lost=sorted(lost), refused=sorted(refused)
    ),
    st.lists(findings(), max_size=5),
    st.lists(ENTRIES, max_size=8, unique_by=lambda one: one[:3]),
    st.sets(NAMES, max_size=1),
    st.sets(ASSETS, max_size=1),
)


@settings(deadline=None)
@given(GIVEN, EVERY_TERM)
def test_whatever_is_given_all_is_decided_once_and_nothing_contradicts(
    desk: Desk, given_: Given, terms: Terms
) -> None:
    found = desk.decide(given_, terms)

    last = {row.identifier: row for row in given_.findings}
    live = {one[:3]: one for one in given_.entries if one.state != "closed"}
    decided = {row[:3]: row for row in found.rows}

    # Each entry that is open has one row, and each finding that is left of its key is counted once.
    assert live.keys() <= decided.keys()
    assert len(decided) == len(found.rows)
    assert sum(one.findings for one in found.tally) == len(last)
    assert sum(one.entries for one in found.tally) == len(found.rows)

    for key, (asset, name, model, action, cause, _) in decided.items():
        # Only what the load has is opened, and only in the data model of the load.
        if action == "open":
            assert last[name].state == "open"
            assert model == "vulnerabilities"
            assert asset not in given_.refused
        # Only what may be open is closed, but for fixes that nothing is known of.
        if action == "close" and key not in live:
            assert (cause, terms.fixes_since is not None) == ("fixed", True)
        # By absence and by filters only what is covered is closed.
        if action == "close" and cause not in {"fixed", "moved away", "other data model"}:
            assert terms.coverage.proven
            assert live[key].account != 2
            assert live[key].type in terms.coverage.types
            assert name not in given_.lost or name in last
        # What moves is closed at its old place only where its new one is opened.
        if action == "close" and cause in {"moved away", "other data model"}:
            assert any(row[1] == name and row[3] == "open" for row in found.rows)
            assert terms.moves
            assert not terms.over
    # A finding is opened at one place only.
    opened = [name for _, name, _, action, _, _ in found.rows if action == "open"]
    assert len(opened) == len(set(opened))


@settings(deadline=None)
@given(GIVEN, EVERY_TERM)
def test_to_decide_again_changes_nothing(desk: Desk, given_: Given, terms: Terms) -> None:
    assert desk.decide(given_, terms, rounds=2) == desk.decide(given_, terms)
