"""What a plan means for CVM, as the report tells it.

It is read when the files are written: once the ledger is settled, what was open before is gone.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.apply.sent_tags import dropped_tags
from target_ciscovm.ledger.tables import OPEN
from target_ciscovm.plan import decisions
from target_ciscovm.plan.webapps import not_covered
from target_ciscovm.report.model import (
    AssetTags,
    CauseCount,
    Changes,
    Closing,
    CoverageInfo,
    RenamedWebApp,
    SeverityCount,
    WebApp,
)
from target_ciscovm.report.webapps import NO_ROWS, WebAppRows, webapp_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.plan.plan import Plan

ASSETS_NAMED: Final = 1000
SEVERITIES: Final = range(1, 6)
OPEN_OF_WEBAPPS: Final = f"""
SELECT e.webapp, COUNT(*) FROM live e
WHERE COALESCE(e.account, :account) = :account AND e.webapp IN (SELECT webapp FROM {{table}})
    AND e.{OPEN}
GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - ours
BY_SEVERITY: Final = """
SELECT severity, 'open', COUNT(*) FROM opened GROUP BY 1
UNION ALL
SELECT f.severity, 'close', COUNT(DISTINCT d.finding)
FROM not_opened d JOIN finding_row f ON f.number = d.finding WHERE d.action = 'close' GROUP BY 1
"""
OPEN_BY_ACTION: Final = f"""
SELECT d.action, d.cause, COUNT(*)
FROM not_opened d JOIN live e
    ON e.identifier = d.identifier AND e.asset = d.asset AND e.model = d.model
WHERE e.{OPEN}
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - ours
"""Of what is open by the ledger: what is closed, and what stays as it is."""
NEW_ASSETS: Final = """
SELECT COUNT(*) FROM load_asset WHERE key NOT IN (SELECT key FROM ledger.asset)
"""


class Planned(msgspec.Struct, frozen=True):
    """What a plan means for CVM.

    Attributes:
        changes: None where no ledger tells what is a change.
    """

    closing: Closing = msgspec.field(default_factory=Closing)
    coverage: CoverageInfo = msgspec.field(default_factory=CoverageInfo)
    changes: Changes | None = None
    severities: tuple[SeverityCount, ...] = ()
    webapps: WebAppRows = NO_ROWS
    webapps_gone: tuple[WebApp, ...] = ()
    webapps_not_proven: tuple[WebApp, ...] = ()
    webapps_not_covered: tuple[WebApp, ...] = ()
    webapps_renamed: tuple[RenamedWebApp, ...] = ()
    tags_dropped: tuple[AssetTags, ...] = ()


def planned(spool: Spool, plan: Plan) -> Planned:
    """Give what a plan means for CVM; its files have been written."""
    closed, left = _open_entries(spool)
    return Planned(
        closing=_closing(plan, closed),
        coverage=_coverage(plan, left),
        changes=None if plan.open_before is None else _changes(plan, spool),
        severities=tuple(_severities(spool)),
        webapps=webapp_rows(spool, plan),
        webapps_gone=tuple(_webapps(spool, plan, "deleted_webapp")),
        webapps_not_proven=tuple(_webapps_not_proven(spool, plan)),
        webapps_not_covered=tuple(
            WebApp(id=number, name=_name(plan, number), open=count)
            for number, count in not_covered(spool, plan.coverage).items()
        ),
        webapps_renamed=tuple(RenamedWebApp(**one._asdict()) for one in plan.renamed),
        tags_dropped=tuple(_tags_dropped(spool, plan)),
    )


def _open_entries(spool: Spool) -> tuple[int, list[CauseCount]]:
    """Count what is open and closed by the plan, and what stays open as it is, by cause."""
    closed = 0
    left = []
    for action, cause, count in spool.execute(OPEN_BY_ACTION):
        if action == "close":
            closed += count
        else:
            left.append(CauseCount(cause=cause, count=count))
    return closed, sorted(left, key=lambda one: -one.count)


def _closing(plan: Plan, closed: int) -> Closing:
    before = plan.open_before
    return Closing(
        fixed=plan.count("close", decisions.FIXED),
        gone=plan.count("close", decisions.GONE),
        moved=plan.count("close", decisions.MOVED_AWAY, decisions.OTHER_MODEL),
        filtered=sum(
            count for cause, count in plan.closings.items() if cause.startswith(decisions.FILTERED)
        ),
        deleted_webapps=plan.count("close", decisions.DELETED_WEBAPP),
        again=sum(plan.closed_again.values()),
        open_before=before,
        open_after=None if before is None else before - closed + plan.opened,
    )


def _coverage(plan: Plan, left: list[CauseCount]) -> CoverageInfo:
    covered = plan.coverage
    return CoverageInfo(
        source=covered.source,
        finding_types=sorted(covered.types),
        whole_account=covered.whole_account,
        webapps=len(covered.webapps),
        open=plan.covered_open,
        left=left,
    )


def _changes(plan: Plan, spool: Spool) -> Changes:
    return Changes(
        new_assets=spool.number(NEW_ASSETS),
        opened=plan.opened,
        closed=plan.count("close"),
        reopened=plan.count("open", decisions.AGAIN),
    )


def _severities(spool: Spool) -> list[SeverityCount]:
    found = {severity: SeverityCount(severity=severity) for severity in SEVERITIES}
    for severity, action, count in spool.execute(BY_SEVERITY):
        if severity not in found:
            continue
        if action == "open":
            found[severity].open += count
        else:
            found[severity].closed += count
    return list(found.values())


def _webapps(spool: Spool, plan: Plan, table: str) -> Iterator[WebApp]:
    """Give the web applications of a table that something is open of."""
    query = OPEN_OF_WEBAPPS.format(table=table)
    for number, count in spool.connection.execute(query, {"account": plan.coverage.account}):
        yield WebApp(id=number, name=_name(plan, number), open=count)


def _webapps_not_proven(spool: Spool, plan: Plan) -> Iterator[WebApp]:
    found = {app.id: app.open for app in _webapps(spool, plan, "unsettled_webapp")}
    for number in sorted(plan.coverage.unsettled):
        yield WebApp(id=number, name=_name(plan, number), open=found.get(number, 0))


def _tags_dropped(spool: Spool, plan: Plan) -> Iterator[AssetTags]:
    if plan.verdict.proven:
        for one in islice(dropped_tags(spool), ASSETS_NAMED):
            yield AssetTags(asset=one.asset, tags=one.tags)


def _name(plan: Plan, number: int) -> str:
    app = plan.sources.webapps.get(number) or plan.shown.missing.get(number)
    return (app.name if app else None) or ""
