"""Web applications that a login was shown before, and those that are missing now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from qualyswas_ciscovm.dates import days_before, parse, to_text
from target_ciscovm.ledger.tables import OPEN, Covered, ShownWebApp
from target_ciscovm.plan.coverage import a_day_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.mapping.asset import Sources
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.plan.coverage import Coverage


NOT_COVERED_DAYS: Final = 30
NOT_COVERED: Final = f"""
SELECT e.webapp, COUNT(*) FROM live e
WHERE COALESCE(e.account, :account) = :account AND e.webapp IS NOT NULL AND e.sent_at < :limit
    AND e.{OPEN}
    AND NOT EXISTS (
        SELECT 1 FROM ledger.coverage c
        WHERE c.webapp = e.webapp AND c.type = e.type AND c.covered_at >= :limit
            AND c.account = COALESCE(e.account, c.account)
    )
GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - ours
"""Of an entry that was read from CVM nothing tells the account."""
NAMES: Final = "SELECT id, name FROM ledger.webapp WHERE account = ? AND login = ? ORDER BY id"


class Renamed(NamedTuple):
    """A web application with another name than before."""

    id: int
    before: str
    now: str


class Shown(NamedTuple):
    """What a load tells of web applications.

    Attributes:
        missing: those that this login was shown before, and that this proven sync of the whole
            account lacks, by id.
        deleted: of these, those that an earlier proven sync lacked too, at least a day before.
    """

    missing: Mapping[int, ShownWebApp]
    deleted: frozenset[int] = frozenset()


def shown_webapps(spool: Spool, coverage: Coverage, sync: Sync | None) -> Shown:
    """Find the web applications that are missing, and those that count as deleted."""
    started = coverage.started
    if not coverage.proven or not coverage.whole_account or started is None or sync is None:
        return Shown({})
    rows = spool.execute(
        "SELECT account, id, login, name, shown_at, missing_since FROM ledger.webapp WHERE account "
        "= ? AND login = ?",
        (coverage.account, sync.login or ""),
    )
    known = coverage.listed | coverage.unsettled
    missing = {
        app.id: app._replace(missing_since=app.missing_since or started)
        for app in map(ShownWebApp._make, rows)
        if app.id not in known and app.shown_at < started
    }
    limit = a_day_before(started)
    deleted = (number for number, app in missing.items() if (app.missing_since or "") <= limit)
    return Shown(missing, frozenset(deleted))


def webapps_to_keep(
    coverage: Coverage, shown: Shown, sources: Sources, sync: Sync | None
) -> Iterator[ShownWebApp]:
    """Give the web applications as the ledger shall have them."""
    if coverage.account is None or coverage.started is None or sync is None:
        return
    for number in coverage.listed:
        name = sources.webapps[number].name or ""
        yield ShownWebApp(coverage.account, number, sync.login or "", name, coverage.started)
    yield from shown.missing.values()


def coverage_to_keep(coverage: Coverage) -> Iterator[Covered]:
    """Give what a proven load has read to its end."""
    account, source, started = coverage.account, coverage.source, coverage.started
    if not coverage.proven or account is None or source is None or started is None:
        return
    for number in coverage.webapps:
        for letter in coverage.types:
            yield Covered(account, source, number, letter, started)


def renamed_webapps(
    spool: Spool, coverage: Coverage, sources: Sources, sync: Sync | None
) -> list[Renamed]:
    """Find the web applications that have another name than when this login was shown them last."""
    if coverage.account is None or sync is None:
        return []
    found = []
    for number, before in spool.execute(NAMES, (coverage.account, sync.login or "")):
        app = sources.webapps.get(number)
        if app is not None and app.name and before and app.name != before:
            found.append(Renamed(number, before, app.name))
    return found


def not_covered(spool: Spool, coverage: Coverage) -> dict[int, int]:
    """Count the open findings of web applications that no sync has covered for a month."""
    moment = parse(coverage.started)
    if coverage.account is None or moment is None:
        return {}
    limit = to_text(days_before(moment, NOT_COVERED_DAYS))
    values = {"account": coverage.account, "limit": limit}
    return {
        number: count
        for number, count in spool.connection.execute(NOT_COVERED, values)
        if number not in coverage.webapps or not coverage.proven
    }
