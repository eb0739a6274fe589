"""What a load does in CVM, as the ledger will have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Raw

from qualyswas_ciscovm.dates import to_text
from target_ciscovm.apply.sent_tags import sent_assets
from target_ciscovm.ledger.ledger import LastLoad
from target_ciscovm.ledger.settlement import Selection, Settlement
from target_ciscovm.ledger.tables import DEFINITION, Link
from target_ciscovm.plan import triage
from target_ciscovm.plan.proof import FULL
from target_ciscovm.plan.webapps import coverage_to_keep, webapps_to_keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.plan.plan import Plan, Tenant

OPENED: Final = (
    "SELECT k.key, o.identifier, :model, CASE WHEN :over AND NOT EXISTS (SELECT 1 FROM "
    "main.asset a WHERE a.key = k.key) THEN 'perhaps' ELSE 'open' END, COALESCE(o.name, n.name), "
    "o.type, o.webapp, :source, :account, :sent, o.seen, o.severity FROM opened o CROSS JOIN "
    "asset_key k ON k.number = o.asset JOIN definition n ON n.number = o.definition"
)
CLOSED: Final = (
    "SELECT d.asset, d.identifier, d.model, 'closed', e.name, e.type, e.webapp, e.source, "
    "e.account, :sent, COALESCE(f.seen, e.seen), e.severity FROM not_opened d JOIN main.entry e ON "
    "e.identifier = d.identifier AND e.asset = d.asset AND e.model = d.model LEFT JOIN finding f "
    "ON f.number = d.finding WHERE d.action = 'close'"
)
CLOSED_UNKNOWN: Final = (
    "SELECT d.asset, d.identifier, d.model, 'closed', n.name, f.type, f.webapp, :source, :account, "
    ":sent, f.seen, f.severity FROM not_opened d JOIN finding f ON f.number = d.finding JOIN "
    "definition n ON n.number = f.definition WHERE d.action = 'close' AND NOT EXISTS (SELECT 1 "
    "FROM main.entry e WHERE e.identifier = d.identifier AND e.asset = d.asset AND e.model = "
    "d.model)"
)


class Load(NamedTuple):
    """What a load is about to do, and what it comes from.

    Attributes:
        plan: what it does.
        sync: the row of `syncs`.
        tenant: what CVM told.
        identity: the settings that assets and findings are told apart by.
    """

    plan: Plan
    sync: Sync | None
    tenant: Tenant
    identity: dict[str, str]


def put_down(ledger: Ledger, spool: Spool, load: Load) -> None:
    """Write down in the ledger what the load does in CVM.

    Raises:
        LedgerUnusable: when it cannot be written; nothing has been run then.
    """
    plan, sync, tenant, _ = load
    if not ledger.exists:
        ledger.create(whole=tenant.first_run is None)
    if plan.account is not None and plan.number is not None:
        ledger.register(plan.account, plan.number)
    spool.commit()
    ledger.put_down(
        Settlement(
            entries=_entries(spool, plan, tenant),
            assets=sent_assets(spool),
            webapps=webapps_to_keep(plan.coverage, plan.shown, plan.sources, sync),
            coverage=coverage_to_keep(plan.coverage),
            chain=_chain(plan, sync),
            meta=_meta(load, ledger, spool),
        )
    )


def _entries(spool: Spool, plan: Plan, tenant: Tenant) -> Selection:
    covered = plan.coverage
    sent = covered.started or (to_text(tenant.now) if tenant.now else "")
    values = {
        "model": plan.model,
        "over": plan.terms.over,
        "source": covered.source,
        "account": covered.account,
        "sent": sent,
    }
    return Selection(spool.path, (OPENED, CLOSED, CLOSED_UNKNOWN), values)


def _chain(plan: Plan, sync: Sync | None) -> Iterator[Link]:
    """Give the chain's new end; a load that leaves a gap, or lost rows on the way, is none."""
    started = plan.coverage.started
    if plan.scope is None or started is None or sync is None:
        return
    if plan.gap or plan.losses:
        return
    full = sync.mode == FULL
    yield Link(plan.scope, started, plan.findings_open if full and plan.verdict.valid else None)


def _meta(load: Load, ledger: Ledger, spool: Spool) -> dict[str, object]:
    plan = load.plan
    found: dict[str, object] = {
        "identity": load.identity,
        "over_licence": plan.terms.over,
        "failed_loads": 0,
    }
    for name, definition in plan.catalogue.to_remember().items():
        found[f"{DEFINITION}{name}"] = Raw(definition)
    found |= triage.to_remember(spool)
    began = plan.coverage.started
    if plan.verdict.proven and began:
        found["proven_at"] = max(began, ledger.proven_at or began)
    if began and load.tenant.now:
        found["last_load"] = LastLoad(began, to_text(load.tenant.now))
    return found
