"""Between the end of the input and the first upload: judged, built, guarded."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import parse, to_text
from target_ciscovm.errors import CiscoVMError, LimitReached
from target_ciscovm.intake.counts import ALREADY_CLOSED, FINDINGS, OUTDATED, rejection_problem
from target_ciscovm.kdi.files import Files
from target_ciscovm.mapping.asset import AssetRules
from target_ciscovm.plan import closures, joins, preparing
from target_ciscovm.plan.build import Builder, Plan
from target_ciscovm.plan.closing import Balance, guard
from target_ciscovm.plan.proof import FULL, Arrived, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_ciscovm.apply.loading import Load
    from target_ciscovm.intake.intake import Intake
    from target_ciscovm.intake.references import References
    from target_ciscovm.mapping.asset import Sources

LOGGER: Final = logging.getLogger(__name__)

LEFT_OUT: Final = {joins.NOTHING_TO_CLOSE: ALREADY_CLOSED, joins.OUTDATED: OUTDATED}
NOWHERE: Final = "nothing in it tells an asset: no URL, no web application"
SCHEMA_NAME: Final = "ledger"


def prepare(load: Load, intake: Intake) -> None:
    """Judge what arrived and decide what the load will be.

    Raises:
        LimitReached: when too much was rejected, or an identity change came without a proof.
    """
    settings, spool = load.settings, load.spool
    spool.supersede()
    preparing.count_kept(spool, load.counts)
    load.sync = intake.sync
    sources = preparing.read_sources(spool)
    nowhere = preparing.place_findings(spool, sources, intake.shared.apps, settings.identity)
    for identifier in nowhere:
        load.counts.reject_late(FINDINGS, NOWHERE)
        load.rejections.write(0, FINDINGS, identifier, NOWHERE)
    if problem := rejection_problem(load.counts, settings.max_failed_percent):
        raise LimitReached(problem)
    load.verdict = judge(load.sync, _arrived(load, intake, lost=bool(nowhere)))
    if load.is_of_another_account:
        # Ids that stand for a finding may mean another one there: the ledger tells nothing of it.
        load.has_ledger = False
    if load.identity_changed and not load.verdict.proven:
        msg = (
            "A changed identity of assets or findings needs a full and proven load, or what was "
            f"sent before would stay open for ever ({'; '.join(load.verdict.reasons)}). Run the "
            "tap once with full_sync: true."
        )
        raise LimitReached(msg)
    spool.begin_joins(joins.OUTPUT)
    load.ledger.attach_to(spool.connection, SCHEMA_NAME)
    spool.execute("BEGIN")
    load.plan = _plan(load, intake, sources)
    preparing.join_ledger(spool, load.plan, load.sync)
    if load.identity_changed and (kept := closures.kept_open(spool)):
        # CVM may take their assets for others from now on, and nobody could tell which.
        msg = (
            f"{kept:,} findings of web applications that are deleted, or were not read to the "
            "end, are open in CVM, and could not be told apart any more after this change of "
            "settings. Nothing has been run. Put the settings back until all are read, or run once "
            "with close_deleted_webapps: true if they are deleted for good."
        )
        raise LimitReached(msg)


def _arrived(load: Load, intake: Intake, *, lost: bool) -> Arrived:
    before = load.ledger.identity
    return Arrived(
        received=load.counts.received + load.counts.passed_over,
        proof_is_last=intake.proof_is_last,
        lost_unknown=intake.lost_unknown or lost,
        now=load.now,
        newest_run=load.opening.newest_run if load.opening else None,
        ledger_account=before.account if before else None,
        autoclose=load.settings.autoclose,
    )


def _plan(load: Load, intake: Intake, sources: Sources) -> Plan:
    settings, sync = load.settings, load.sync
    now = load.now or parse(sync.started_at if sync else None)
    inactive = preparing.inactive_webapps(sources, sync, now, settings.asset_inactivity_days)
    closable = preparing.Closable(frozenset(intake.webapps_lost), settings.close_deleted_webapps)
    return Plan(
        proven=load.verdict.proven,
        fresh=load.verdict.fresh,
        read=preparing.what_was_read(sync, sources, inactive, closable),
        sources=sources,
        has_ledger=load.has_ledger,
        now=to_text(now) if now else "",
        since=preparing.previous_sync(sync),
        other_model=load.model_changed,
        other_identity=load.identity_changed,
        assets=AssetRules(
            settings.identity,
            settings.tags,
            settings.reset_tags,
            settings.ignore_scanner_last_seen,
        ),
        data_model=settings.data_model,
        filters=settings.filters,
        inactive=inactive,
    )


def build(load: Load, shared: References) -> None:
    """Write the KDI files and count what they will do.

    Raises:
        CiscoVMError: when the counts do not close, which would be a defect of ours.
    """
    if load.plan is None:
        msg = "a load is built after it was judged"
        raise ValueError(msg)
    catalogue = preparing.read_catalogue(load.spool, has_ledger=load.has_ledger)
    load.files = Files(load.folder.path, load.settings.part_max_bytes, catalogue.json)
    builder = Builder(load.spool, load.files, catalogue, shared, load.plan)
    builder.build()
    load.parts = load.files.close()
    load.counts.mapped = builder.mapped
    tally = joins.tally(load.spool)
    load.counts.filtered.update(_left_out(tally))
    load.open_in_load = tally.get((joins.OPEN, None), 0)
    load.closed_by_name = tally.get((joins.FIXED, None), 0)
    difference = load.counts.open_difference
    if difference:
        msg = (
            f"{difference:,} findings are unaccounted for, so nothing was sent. This is a defect "
            "of target-ciscovm: please report it, with report.json."
        )
        raise CiscoVMError(msg)
    _count(load)


def _left_out(tally: Mapping[tuple[int, str | None], int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (state, name), count in tally.items():
        if reason := LEFT_OUT.get(state, name):
            found[reason] += count
    return found


def _count(load: Load) -> None:
    spool = load.spool
    if not load.has_ledger or load.plan is None:
        load.opened = load.open_in_load
        load.new_assets = sum(part.assets for part in load.parts)
        return
    load.open_before = load.ledger.open_count()
    load.opened = joins.opened(spool)
    load.new_assets = joins.new_assets(spool)
    if load.plan.proven or spool.number("SELECT COUNT(*) FROM leaving"):
        load.absent = closures.absent(spool, load.plan.read.listed)
        load.counts.will_close.update(load.absent.by_filter)


def check_guard(load: Load) -> None:
    """Stop a load that would close so much that it is rather a mistake.

    Raises:
        LimitReached: with both numbers and the setting to raise.
    """
    if not load.verdict.proven or load.identity_changed:
        return
    in_cvm = None
    settled = load.has_ledger and load.kept.exists
    if not settled and load.api is not None:
        in_cvm = load.api.open_count(load.settings.data_model)
    balance = Balance(
        load.open_before if settled else None,
        load.absent.total,
        load.open_in_load,
        in_cvm,
        load.ledger.last_full_open if load.has_ledger else None,
    )
    if problem := guard(balance, load.settings.max_close_percent):
        raise LimitReached(problem)


def is_nothing(load: Load, intake: Intake) -> str | None:
    """Say why there is nothing to load at all, None when there is something."""
    received = load.counts.received
    if not received.total():
        return "no record came: the tap wrote nothing, or a mapper dropped it all"
    sync = intake.sync
    if sync is None or sync.mode != FULL or received[FINDINGS]:
        return None
    if preparing.read_sources(load.spool).scans:
        return None
    return "Qualys has no finished scan and no finding: there is no report to load"
