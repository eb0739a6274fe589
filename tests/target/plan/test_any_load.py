"""What holds of the decisions of any load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.target.plan.deciding import (
    BEFORE,
    HERE,
    LAST,
    LATER,
    STARTED,
    THERE,
    Desk,
    Given,
    covering,
    entry,
    finding,
)

if TYPE_CHECKING:
    from target_ciscovm.intake.spool import FindingRow
    from target_ciscovm.plan.decisions import Terms


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
        filter="" if fixed else draw(st.sampled_from(["", "min_severity"])),
        severity=draw(st.sampled_from([3, 4, None])),
        seen=draw(MOMENTS),
        closed=draw(MOMENTS) if fixed else "",
    )


ENTRIES = st.builds(
    entry,
    NAMES,
    asset=ASSETS,
    model=st.sampled_from(["vulnerabilities", "findings"]),
    state=st.sampled_from(["open", "perhaps", "closing", "closed"]),
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


@given(GIVEN, EVERY_TERM)
def test_to_decide_again_changes_nothing(desk: Desk, given_: Given, terms: Terms) -> None:
    assert desk.decide(given_, terms, rounds=2) == desk.decide(given_, terms)
