"""A row for each web application: what is open of it, and what the load changes."""

# ruff: noqa: S608 - the statement is put together of our own texts

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.ledger.tables import LIVE, OPEN
from target_ciscovm.plan import decisions
from target_ciscovm.report.model import WebAppRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.plan.plan import Plan

ROWS: Final = 200
"""Rows of the report: those with the most changes, then those with the most open."""
ANOTHER_ACCOUNT: Final = "another account"
_ACCOUNT: Final = "CASE WHEN :account IS NOT NULL THEN COALESCE(e.account, :account) END"
"""Where the load's account is not known, its findings are compared with those of all."""
_ORDER: Final = "ORDER BY opened + closed DESC, open DESC, account, webapp"
BY_WEBAPP: Final = f"""
WITH part(account, webapp, was, opened, closed, ended, moved) AS (
    SELECT :account, value, 0, 0, 0, 0, 0 FROM json_each(:known)
    UNION ALL
    SELECT {_ACCOUNT}, e.webapp, COUNT(*), 0, 0, 0, 0 FROM live e WHERE e.{OPEN} GROUP BY 1, 2
    UNION ALL
    SELECT :account, webapp, 0, COUNT(*), 0, 0, 0 FROM opened
    WHERE cause IN (SELECT value FROM json_each(:opening)) GROUP BY 1, 2
    UNION ALL
    SELECT {_ACCOUNT}, CASE WHEN e.asset IS NULL THEN f.webapp ELSE e.webapp END, 0, 0,
        COUNT(*), COUNT(CASE WHEN e.{OPEN} THEN 1 END),
        SUM(d.cause IN (SELECT value FROM json_each(:moving)))
    FROM not_opened d LEFT JOIN finding_row f ON f.number = d.finding
        LEFT JOIN ledger.entry e ON e.identifier = d.identifier AND e.asset = d.asset
            AND e.model = d.model AND e.{LIVE}
    WHERE d.action = 'close' GROUP BY 1, 2
),
shown AS (
    SELECT account, webapp, SUM(was) + SUM(opened) - SUM(ended) AS open, SUM(opened) AS opened,
        SUM(closed) AS closed, SUM(moved) AS moved, COUNT(*) OVER () AS count
    FROM part GROUP BY account, webapp {_ORDER} LIMIT :rows
)
SELECT account, webapp, open, opened, closed, moved, count,
    (SELECT max(w.name) FROM ledger.webapp w
        WHERE w.account = COALESCE(shown.account, w.account) AND w.id = shown.webapp),
    (SELECT max(c.covered_at) FROM ledger.coverage c
        WHERE c.account = COALESCE(shown.account, c.account) AND c.webapp = shown.webapp)
FROM shown {_ORDER}
"""
"""`ended` counts what was open; a fix may be sent of what the ledger does not know."""


class WebAppRows(NamedTuple):
    """The rows of the report, and how many more there are."""

    rows: tuple[WebAppRow, ...] = ()
    left_out: int = 0


NO_ROWS: Final = WebAppRows()


def webapp_rows(spool: Spool, plan: Plan) -> WebAppRows:
    """Give a row for each web application; none where no ledger tells what is open."""
    if plan.open_before is None:
        return NO_ROWS
    covered = plan.coverage
    values = {
        "account": covered.account,
        "known": _json(covered.listed | covered.unsettled | plan.shown.missing.keys()),
        "opening": _json(decisions.OPENING),
        "moving": _json((decisions.MOVED_AWAY, decisions.OTHER_MODEL)),
        "rows": ROWS,
    }
    rows = []
    count = 0
    for row in spool.connection.execute(BY_WEBAPP, values):
        account, number, is_open, opened, closed, moved, count, name, covered_at = row
        ours = account == covered.account
        app = plan.sources.webapps.get(number) if ours else None
        why = _why_not_proven(plan, number) if ours else ANOTHER_ACCOUNT
        rows.append(
            WebAppRow(
                # What is no number has been edited by hand; the ledger is blamed for the error.
                id=None if number is None else int(number),
                name=(app.name if app else None) or name or "",
                open=is_open,
                opened=opened,
                closed=closed,
                moved=moved,
                not_proven=why,
                covered=covered_at if why else covered.started,
            )
        )
    return WebAppRows(tuple(rows), count - len(rows))


def _why_not_proven(plan: Plan, number: int | None) -> str:
    """Say why what the load lacks of a web application stays open; empty where it does not."""
    covered = plan.coverage
    if number in covered.unsettled:
        return "web app not proven"
    if number in covered.inactive:
        return "inactive web app"
    if number in plan.shown.deleted:
        return "" if plan.terms.close_deleted else decisions.DELETED_WEBAPP
    if not covered.proven:
        return "not proven"
    if number in covered.webapps or (number is None and covered.whole_account):
        return ""
    return "web app not read"


def _json(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()
