"""The decisions of a load: one row for each entry that the load or the ledger knows.

    decision(asset, identifier, model, action, cause, finding, name)

`action` is `open`, `close` or `leave`, `cause` the reason in words, `finding` the row of the spool
that it comes from, `name` the definition's name where the ledger has one. Files, guard, dry run,
changes, report and the ledger's next content are all read from this table.

The ledger is attached to the spool's connection as `ledger`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from target_ciscovm.intake.spool import RENAMED
from target_ciscovm.plan import statements as sql

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi.types import DataModel
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.plan.coverage import Coverage

NEW: Final = "new"
AGAIN: Final = "again"
STILL: Final = "still"
EDITED: Final = "edited"
MOVED_HERE: Final = "moved here"
FIXED: Final = "fixed"
GONE: Final = "gone"
MOVED_AWAY: Final = "moved away"
OTHER_MODEL: Final = "other data model"
DELETED_WEBAPP: Final = "deleted web app"
FILTERED: Final = "filtered: "
"""Begins the causes of filters; the setting follows."""
ALREADY_CLOSED: Final = "already closed"
OUTDATED: Final = "outdated"
REFUSED: Final = "refused for size"
OVER_LICENCE: Final = "licence over its limit"

OPENING: Final = (NEW, AGAIN, MOVED_HERE)
"""Causes of what is opened that was not open at its asset before."""
BY_ABSENCE: Final = (GONE, DELETED_WEBAPP)

SCHEMA_NAME: Final = "ledger"


class Terms(NamedTuple):
    """What the decisions depend on, beside spool and ledger.

    Attributes:
        model: data model of the load.
        coverage: what the load covers.
        deleted: web applications that count as deleted.
        close_deleted: whether their findings are closed.
        over: whether the tenant's licence is over its limit.
        moves: whether the rows are as Qualys told them, so that what has another place has moved.
        any_source: whether a change of the tap's `source` was accepted.
        fixes_since: fixes of this time and later are sent where the ledger cannot tell what is
            open; None where it can, or where none are sent.
        newest: latest beginning of a sync that the ledger knows.
        ahead: whether the load's beginning lies in the future.
    """

    model: DataModel
    coverage: Coverage
    deleted: Collection[int] = ()
    close_deleted: bool = False
    over: bool = False
    moves: bool = True
    any_source: bool = False
    fixes_since: str | None = None
    newest: str = ""
    ahead: bool = False

    def values(self) -> dict[str, object]:
        """Give them by the names that the statements use."""
        covered = self.coverage
        return {
            "model": self.model,
            "proven": covered.proven,
            "account": covered.account,
            "source": covered.source,
            "started": covered.started or "",
            "whole": covered.whole_account,
            "close_deleted": self.close_deleted,
            "over": self.over,
            "moves": self.moves,
            "any_source": self.any_source,
            "since": self.fixes_since,
        }


class Decided(NamedTuple):
    """How many entries have one action and cause."""

    action: str
    cause: str
    entries: int
    findings: int


def attach(spool: Spool, ledger: Ledger) -> None:
    """Attach the ledger as it is now, and make the tables anew."""
    spool.flush()
    spool.execute("COMMIT")  # databases can be attached only between two transactions
    spool.execute("DROP VIEW IF EXISTS temp.live")
    if any(row[1] == SCHEMA_NAME for row in spool.execute("PRAGMA database_list")):
        spool.execute(f"DETACH {SCHEMA_NAME}")
    ledger.attach_to(spool.connection, SCHEMA_NAME)
    spool.begin(sql.TABLES + sql.LIVE_ENTRIES)


def decide(spool: Spool, terms: Terms) -> None:
    """Fill the table of decisions."""
    values, covered = terms.values(), terms.coverage
    spool.execute(sql.DECISION.format(model=terms.model))
    _mark_outdated(spool, terms, values)
    for table, numbers in (
        ("covered_webapp", covered.webapps),
        ("unsettled_webapp", covered.unsettled),
        ("inactive_webapp", covered.inactive),
        ("deleted_webapp", terms.deleted),
        ("covered_type", covered.types),
    ):
        spool.insert(table, ((number,) for number in numbers), 1)
    if spool.number(sql.BARE):
        spool.execute(sql.LOST_TO_BARE)
    kinds = {kind for (kind,) in spool.execute(sql.KINDS)}
    any_refused = spool.number("SELECT COUNT(*) FROM refused") > 0
    any_known = spool.number("SELECT EXISTS (SELECT 1 FROM ledger.entry)") > 0
    if any_known:
        spool.execute(sql.FIND_BY_IDENTIFIER)
    given = _Given(kinds, any_refused=any_refused, any_known=any_known)
    for statement in _statements(terms, given):
        spool.connection.execute(statement, values)


class _Given(NamedTuple):
    """What there is to be decided on.

    Attributes:
        kinds: states of findings, and `filtered`.
        any_refused: whether CVM has refused an asset for its size.
        any_known: whether the ledger has an entry.
    """

    kinds: set[str]
    any_refused: bool
    any_known: bool


def _statements(terms: Terms, given: _Given) -> Iterator[str]:
    """Give the statements in their order, without those for rows that the load does not have."""
    kinds, any_refused, any_known = given
    if not terms.moves and any_known:
        yield sql.ASSETS_OF_LEDGER
        yield sql.STAYING
    if any_known or any_refused:
        yield from (sql.OPENED_ROWS, sql.OPENED, sql.MOVED)
    else:
        yield sql.OPENED_NEW
    if "fixed" in kinds:
        yield sql.FIXES
        if terms.fixes_since is not None:
            yield sql.FIXES_SINCE
        yield sql.NOT_OPEN
    if not kinds.isdisjoint(sql.OUTDATED_STATES):
        yield sql.left_entries(f"'{OUTDATED}'", sql.OUTDATED_ROWS)
        yield sql.left_findings(f"'{OUTDATED}'", sql.OUTDATED_ROWS)
    if any_refused:
        yield sql.left_entries(f"'{REFUSED}'", sql.REFUSED_ROWS)
        yield sql.left_findings(f"'{REFUSED}'", sql.REFUSED_ROWS)
    if "filtered" in kinds:
        yield sql.FILTERED_ENTRIES
        yield sql.left_findings("'filtered: ' || f.filter", sql.FILTERED_ROWS)
    yield sql.ABSENT_ENTRIES


def _mark_outdated(spool: Spool, terms: Terms, values: dict[str, object]) -> None:
    """Mark rows that tell of an earlier time than what was loaded before.

    They are those of a load that was written long ago and comes again, or late; to follow them
    would close what has come back since, and open what is gone.
    """
    spool.execute(sql.AS_IT_CAME)
    started = terms.coverage.started
    if not started or terms.ahead:
        spool.connection.execute(sql.SEEN_EARLIER, values)
    if started and started <= terms.newest:
        spool.connection.execute(sql.OLDER_THAN_SENT, values)
        spool.connection.execute(sql.OLDER_THAN_COVERED, values)


def tally(spool: Spool) -> list[Decided]:
    """Count the decisions by action and cause."""
    return [Decided(*row) for row in spool.execute(sql.TALLY)]


def covered_open(spool: Spool, terms: Terms) -> int:
    """Count what is open by the ledger, and covered by the load."""
    row = spool.connection.execute(sql.COVERED_COUNT, terms.values()).fetchone()
    return int(row[0])


def unnamed_webapps(spool: Spool) -> set[int]:
    """Give web applications of which a finding may have come under another name than before."""
    return {number for (number,) in spool.execute(sql.UNNAMED_WEBAPPS)}


def renamed_while_open(spool: Spool) -> int:
    """Count what is open, and has another identity in the load because of a stream map."""
    return spool.number(sql.RENAMED_WHILE_OPEN, (RENAMED,))


def closed_while_open(spool: Spool) -> int:
    """Count the closings of what is open in CVM by the ledger, and not only perhaps."""
    return spool.number(sql.CLOSED_WHILE_OPEN)


def closed_again(spool: Spool) -> dict[str, int]:
    """Count by cause the closings that an earlier load has sent, of which CVM has failed a part."""
    return dict(spool.execute(sql.CLOSED_AGAIN))


def open_sources(spool: Spool, accounts: Sequence[int]) -> set[str]:
    """Give the sources of what these accounts have open by the ledger."""
    rows = spool.execute(sql.OPEN_SOURCES, (json.dumps(accounts),))
    return {source for (source,) in rows}


def left_of_other_sources(spool: Spool, terms: Terms) -> int:
    """Count what stays open of the account, and comes from another source than the load."""
    row = spool.connection.execute(sql.LEFT_OF_OTHER_SOURCES, terms.values()).fetchone()
    return int(row[0])
