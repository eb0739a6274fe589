"""The plan of a load: what it proves and covers, and what is to be done with each entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import parse, to_text, to_utc
from qualyswas_ciscovm.wording import counted
from target_ciscovm.errors import LimitReached, SettingsError
from target_ciscovm.intake.counts import FINDINGS
from target_ciscovm.ledger.accounts import account_of, find
from target_ciscovm.ledger.chain import gap, scope_of
from target_ciscovm.mapping.filters import exclude_informational
from target_ciscovm.plan import decisions, identity, triage
from target_ciscovm.plan.coverage import Bounds, Coverage, coverage_of, inactive_webapps
from target_ciscovm.plan.definitions import Named, define, named, score_texts
from target_ciscovm.plan.guard import Balance
from target_ciscovm.plan.moments import is_ahead
from target_ciscovm.plan.proof import NEEDED, Arrived, Verdict, judge
from target_ciscovm.plan.sources import leave_out_inactive, previous_sync, read_catalogue
from target_ciscovm.plan.webapps import Renamed, Shown, renamed_webapps, shown_webapps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from qualyswas_ciscovm.accounts import Account
    from target_ciscovm.intake.received import Received
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi.types import DataModel
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.ledger.tables import Link
    from target_ciscovm.mapping.asset import Sources
    from target_ciscovm.mapping.catalogue import Catalogue
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.plan.decisions import Decided, Terms
    from target_ciscovm.settings.values import Settings

CHANGES: Final = "changes.jsonl"
"""Name of the file that lists what the plan changes."""


class Tenant(msgspec.Struct, frozen=True):
    """What CVM told before the load was planned.

    Attributes:
        now: its time, None where nobody told it.
        first_run: when the connector's first run began, None when there was none.
        over: whether the licence is over its limit; None where that is not known.
    """

    now: datetime | None = None
    first_run: datetime | None = None
    over: bool | None = None


class Plan(msgspec.Struct, frozen=True):
    """What is to be done, and why.

    Attributes:
        verdict: what the load proves.
        coverage: what it covers.
        reasons: why nothing, or not everything, is called gone.
        losses: rows lost or altered on the way, unless the settings say that it is on purpose.
        gap: why CVM lacks what came before this load; None when it lacks nothing.
        decided: the decisions, counted.
        open_before: open by the ledger; None where there is no ledger.
        covered_open: of these, covered by the load.
        closed_again: of the closings, those that an earlier load has sent, by cause.
        open_closings: of the closings, those of what is open in CVM, as far as known.
        change: what has changed of the identity of assets and findings, and was accepted.
        account: of the load, None where it names none.
        number: that the account has in the ledger, or will have; None where it may be of several.
        link: the end of the scope's chain before this load.
        scope: of the chain; None where the load has none.
        shown: web applications that the ledger keeps, and those that are deleted.
        renamed: those that have another name than before.
        now: dates the closings that no record dates.
        since: scans that ended later make a web application part of the load; None: any does.
        names: of the definitions, by number.
        asks_full_sync: why the tap's next sync shall be a full one, beside gap and losses.
    """

    verdict: Verdict
    coverage: Coverage
    terms: Terms
    sources: Sources
    catalogue: Catalogue
    names: list[Named]
    shown: Shown
    renamed: tuple[Renamed, ...] = ()
    reasons: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    gap: str | None = None
    decided: tuple[Decided, ...] = ()
    open_before: int | None = None
    covered_open: int = 0
    closed_again: Mapping[str, int] = msgspec.field(default_factory=dict)
    open_closings: int = 0
    change: Mapping[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    account: Account | None = None
    number: int | None = None
    link: Link | None = None
    scope: str | None = None
    now: str = ""
    since: str | None = None
    asks_full_sync: str | None = None

    @property
    def model(self) -> DataModel:
        """Give the data model of the load."""
        return self.terms.model

    def count(self, action: str, *causes: str) -> int:
        """Count entries with this action, and with one of the causes if any are named."""
        return sum(
            one.entries
            for one in self.decided
            if one.action == action and (not causes or one.cause in causes)
        )

    @property
    def opened(self) -> int:
        """Count what is opened that was not open at its asset before."""
        return self.count("open", *decisions.OPENING)

    @property
    def closings(self) -> dict[str, int]:
        """Count what is closed, by cause."""
        return {one.cause: one.entries for one in self.decided if one.action == "close"}

    @property
    def findings_open(self) -> int:
        """Count the findings that the load sends as open."""
        return self.count("open")


def make_plan(
    spool: Spool, received: Received, ledger: Ledger, settings: Settings, tenant: Tenant
) -> Plan:
    """Decide what is done with each entry; may be called again when the ledger has changed.

    Raises:
        SettingsError: when a change of identity was not accepted.
        LimitReached: when an accepted change would leave something behind.
    """
    decisions.attach(spool, ledger)
    sync = received.sync
    verdict = judge(sync, _arrived(received))
    account = account_of(sync)
    known = ledger.accounts()
    accounts = find(account, known) if account else ()
    if account and not accounts:
        accounts = (max((one.number for one in known), default=0) + 1,)
    number = accounts[0] if len(accounts) == 1 else None
    inactive = _inactive(received, sync, settings, tenant)
    leave_out_inactive(spool, inactive)
    catalogue = read_catalogue(spool)
    scores = score_texts(settings.override_scores)
    definitions = [catalogue.of(one) for one in received.references.representatives]
    define(
        spool,
        (one.name for one in definitions),
        (
            at
            for at, one in enumerate(definitions)
            if exclude_informational(one.facts, settings.filters)
        ),
    )
    has_ledger = ledger.path is not None
    is_whole = _is_whole(ledger, tenant)
    may_close = settings.close_gone and has_ledger and is_whole
    unnamed = decisions.unnamed_webapps(spool)
    lost = msgspec.structs.replace(received.lost, webapps=received.lost.webapps | unnamed)
    bounds = Bounds(number, lost, inactive, may_close)
    coverage = coverage_of(sync, verdict, received.sources, bounds)
    change = _identity_change(spool, ledger, settings, coverage.source, accounts)
    shown = shown_webapps(spool, coverage, sync)
    terms = decisions.Terms(
        model=settings.data_model,
        coverage=coverage,
        deleted=shown.deleted,
        close_deleted=settings.close_deleted_webapps,
        over=ledger.over_licence if tenant.over is None else tenant.over,
        moves=verdict.unaltered,
        any_source=identity.SOURCE in change,
        fixes_since=_fixes_since(sync, verdict, ledger, tenant),
        newest=ledger.newest(),
        ahead=is_ahead(sync, tenant.now),
    )
    decisions.decide(spool, terms)
    if terms.model == "findings":
        triage.take_back(spool)
    scope = scope_of(sync, number) if sync and number is not None else None
    link = ledger.link(scope) if scope else None
    plan = Plan(
        verdict=verdict,
        coverage=coverage,
        terms=terms,
        sources=received.sources,
        catalogue=catalogue,
        names=[named(one.name, None if one.facts.classified else scores) for one in definitions],
        shown=shown,
        renamed=tuple(renamed_webapps(spool, coverage, received.sources, sync)),
        reasons=tuple(_reasons(verdict, received, settings, accounts, is_whole=is_whole)),
        losses=() if settings.allow_dropped_records else verdict.losses,
        gap=_gap(received, link) if has_ledger and scope else None,
        decided=tuple(decisions.tally(spool)),
        open_before=ledger.open_count() if has_ledger else None,
        covered_open=decisions.covered_open(spool, terms) if coverage.proven else 0,
        closed_again=decisions.closed_again(spool),
        open_closings=decisions.closed_while_open(spool),
        change=change,
        account=account,
        number=number,
        link=link,
        scope=scope,
        now=_closing_date(tenant, sync),
        since=previous_sync(sync),
        asks_full_sync=_asks_full_sync(ledger, tenant, verdict),
    )
    _require_nothing_left(plan, spool)
    return plan


def balance_of(plan: Plan, folder: Path) -> Balance:
    """Give what the guard looks at."""
    held = {
        cause: first
        for cause, count in plan.closings.items()
        if cause in decisions.BY_ABSENCE or cause.startswith(decisions.FILTERED)
        if (first := count - plan.closed_again.get(cause, 0))
    }
    # Another source names each finding anew, so all of the old one are gone, as was accepted.
    renames = identity.SOURCE in plan.change
    full = plan.verdict.proven and not renames
    return Balance(
        {} if renames else held,
        plan.covered_open,
        sum(one.findings for one in plan.decided) if full else None,
        plan.link.findings if plan.link else None,
        str(folder / CHANGES),
    )


def _arrived(received: Received) -> Arrived:
    arrivals = received.arrivals
    digests = {name: digest for name in NEEDED if (digest := arrivals.digest(name))}
    return Arrived(
        arrivals.counts,
        digests,
        received.proof_is_last,
        arrivals.renamed,
        received.clocks_apart,
    )


def _inactive(
    received: Received, sync: Sync | None, settings: Settings, tenant: Tenant
) -> frozenset[int]:
    now = tenant.now or parse(sync.started_at if sync else None)
    return inactive_webapps(received.sources, sync, now, settings.asset_inactivity_days)


def _gap(received: Received, link: Link | None) -> str | None:
    """Say why CVM lacks what came before; a sync whose beginning is not believed is no link."""
    found = gap(received.sync, link) if received.sync else None
    clocks = received.clocks_apart
    return f"{found}; {clocks}" if found and clocks else found


def _closing_date(tenant: Tenant, sync: Sync | None) -> str:
    """Date closings by the time of the sync that tells of them, else by CVM's."""
    started = to_utc(sync.started_at) if sync else None
    return started or (to_text(tenant.now) if tenant.now else "")


def _fixes_since(sync: Sync | None, verdict: Verdict, ledger: Ledger, tenant: Tenant) -> str | None:
    """Give from when on fixes are sent that the ledger knows nothing of.

    Without any ledger these are the fixes of the window that was read. With one that was lost they
    are those since the connector's first run: nothing of ours can be open from before it.
    """
    if ledger.path is None:
        streams = sync.streams if sync and verdict.valid else ()
        return to_utc(next((one.window_start for one in streams if one.stream == FINDINGS), None))
    if tenant.first_run and not _is_whole(ledger, tenant):
        return to_text(tenant.first_run)
    return None


def _is_whole(ledger: Ledger, tenant: Tenant) -> bool:
    """Tell whether the ledger has all that the connector may hold open."""
    return ledger.is_whole and (ledger.exists or tenant.first_run is None)


def _identity_change(
    spool: Spool, ledger: Ledger, settings: Settings, source: str | None, accounts: Sequence[int]
) -> dict[str, tuple[str, str]]:
    """Give what has changed of the identity, if the settings accept it.

    Args:
        spool: with the ledger attached.
        ledger: what was sent.
        settings: of this run.
        source: the tap's.
        accounts: numbers of those that the load may be of.

    Raises:
        SettingsError: when they do not.
    """
    before = dict(ledger.identity or {})
    now = identity.identity_text(settings.identity, settings.data_model)
    if source is not None:
        now[identity.SOURCE] = source
        before[identity.SOURCE] = _source_before(spool, source, accounts)
    change = identity.changed(before, now)
    open_before = ledger.open_count()
    if not change or not open_before:
        return {}
    if settings.accept_identity_change != identity.code_of(change):
        raise SettingsError(identity.problem(change, open_before), identity.accepting(change))
    return change


def _source_before(spool: Spool, source: str, accounts: Sequence[int]) -> str:
    """Give the source of what is open of an account; this one too where it may be of several."""
    sources = decisions.open_sources(spool, accounts)
    if len(accounts) > 1 and source in sources:
        return source
    return min(sources - {source}, default=source)


def _require_nothing_left(plan: Plan, spool: Spool) -> None:
    if not plan.change:
        return
    if not plan.verdict.proven:
        msg = (
            f"A change of {' and '.join(plan.change)} needs a complete full sync, or what was sent "
            f"before would stay open ({'; '.join(plan.reasons)}). Run the tap once with full_sync: "
            "true."
        )
        raise LimitReached(msg, identity.accepting(plan.change))
    # Under other settings a finding keeps its identifier, so what is left now moves later.
    renames = identity.SOURCE in plan.change
    left = decisions.left_of_other_sources(spool, plan.terms) if renames else 0
    if left:
        msg = (
            f"{counted(left, 'open finding')} of web applications that are deleted, or that this "
            "sync does not cover, could no longer be matched after a change of source. Nothing was "
            "run. Put source back until all are read, or run once with close_deleted_webapps: true "
            "if they are deleted for good."
        )
        close_deleted = {"TARGET_CISCOVM_CLOSE_DELETED_WEBAPPS": "true"}
        raise LimitReached(msg, close_deleted | identity.accepting(plan.change))


def _reasons(
    verdict: Verdict,
    received: Received,
    settings: Settings,
    accounts: Sequence[int],
    *,
    is_whole: bool,
) -> Iterator[str]:
    yield from verdict.reasons
    if received.lost.unknown:
        yield "a record was rejected that may be of any web application"
    if len(accounts) > 1:
        yield (
            "Qualys named no subscription, and this connector holds findings of several of the "
            "same API host"
        )
    if not settings.close_gone:
        yield "close_gone is never"
    elif not is_whole:
        yield "the ledger was lost and could not be made anew from CVM yet"
    elif settings.login is None:
        yield "without api_key and connector_id no ledger tells what is open in CVM"


def _asks_full_sync(ledger: Ledger, tenant: Tenant, verdict: Verdict) -> str | None:
    if ledger.over_licence and tenant.over is False and not verdict.proven:
        return (
            "the licence of this CVM tenant is within its limit again, and CVM may lack what was "
            "sent while it was over it"
        )
    return None
