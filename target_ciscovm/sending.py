"""A planned load, sent: the files, the run in CVM, the ledger, and what CVM has at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from target_ciscovm.apply import delivery, settlement
from target_ciscovm.apply.files import load_assets
from target_ciscovm.audit import verification
from target_ciscovm.audit.asking import Inquiry
from target_ciscovm.cvm.connector import RunFailed
from target_ciscovm.outcomes import LOADS_KEPT_BACK
from target_ciscovm.plan.identity import identity_text
from target_ciscovm.report import endings
from target_ciscovm.report.holdings import verified

if TYPE_CHECKING:
    from target_ciscovm.apply.delivery import Uploaded, Way
    from target_ciscovm.apply.files import Written
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.plan.plan import Plan
    from target_ciscovm.report.facts import Facts
    from target_ciscovm.settings.values import Settings


class Notes(Protocol):
    """Where a run keeps what its stages find."""

    @property
    def facts(self) -> Facts:
        """What was found so far."""

    def note(self, **found: Any) -> None:  # noqa: ANN401 - each is of the type that Facts names
        """Keep what was found."""

    def warn(self, text: str) -> None:
        """Warn, in the log and in the report."""


def send(notes: Notes, way: Way, written: Written, sync: Sync | None) -> None:
    """Send the files, have CVM load them, and settle the ledger.

    Args:
        notes: of the run; the plan in them is made anew where the ledger has changed.
        way: to CVM.
        written: the files.
        sync: the row of `syncs`.

    Raises:
        CiscoVMError: when the load has failed, or its end was not seen.
    """
    way.spool.commit()  # where there is no room for it, nothing has been sent yet
    uploaded = _upload(notes, way, written)
    _remember(notes, way, sync)
    if uploaded.parts:
        _run(notes, way, uploaded)
    else:
        way.ledger.settle()
        _verify(notes, way, suspicious=False)


def _plan(notes: Notes) -> Plan:
    plan = notes.facts.plan
    if plan is None:
        msg = "a load is planned before it is sent"
        raise ValueError(msg)
    return plan


def _upload(notes: Notes, way: Way, written: Written) -> Uploaded:
    if not written.parts:
        return delivery.Uploaded()
    with notes.facts.stages.stage("uploading"):
        uploaded = delivery.upload(way, written, notes.facts.runs_before)
        notes.note(uploaded=uploaded.parts)
    return uploaded


def _remember(notes: Notes, way: Way, sync: Sync | None) -> None:
    facts = notes.facts
    with facts.stages.stage("remembering"):
        identity = identity_text(facts.settings.identity, facts.settings.data_model)
        load = settlement.Load(_plan(notes), sync, facts.tenant, identity)
        settlement.put_down(way.ledger, way.spool, load)


def _run(notes: Notes, way: Way, uploaded: Uploaded) -> None:
    facts = notes.facts
    with facts.stages.stage("waiting for CVM"):
        notes.note(run_asked=True)
        number = delivery.run(way, uploaded)
        notes.note(run_number=number)
        sent = delivery.sent_of(uploaded, _plan(notes))
        try:
            delivered = delivery.wait(way, number, sent, facts.settings.max_failed_percent)
        except RunFailed as error:
            notes.note(delivered=delivery.Delivered(error.run))
            raise
        notes.note(delivered=delivered)
    for suspicion in delivered.answer.suspicions:
        notes.warn(f"{suspicion}. Look at the connector's page in CVM.")
    if delivered.failed_payloads:
        notes.warn(endings.payloads_failed(*delivered.run.payloads))
    if delivered.failed_payloads and way.ledger.failed_loads > LOADS_KEPT_BACK:
        notes.note(failed_assets=_failed_assets(notes, way))
    # Over its licence CVM takes only a part, and does not say which.
    if delivered.arrived and not delivered.over:
        _verify(notes, way, suspicious=bool(delivered.answer.suspicions))


def _failed_assets(notes: Notes, way: Way) -> str:
    """Name the assets that CVM has failed, as far as it tells; its counters name none."""
    facts = notes.facts
    found = None
    if facts.settings.verify_load != "never" and facts.folder is not None:
        found = verification.lacking_assets(_inquiry(way, facts.settings, facts.folder), way.spool)
    if found is not None:
        return endings.assets_lacking(found)
    return endings.assets_sent(load_assets(way.spool))


def _inquiry(way: Way, settings: Settings, folder: RunFolder) -> Inquiry:
    return Inquiry(way.api, settings, way.ledger, folder.spool)


def _verify(notes: Notes, way: Way, *, suspicious: bool) -> None:
    """Hold what CVM has against the plan, where the settings want it."""
    facts = notes.facts
    wanted = verification.is_wanted(facts.settings.verify_load, _plan(notes), suspicious=suspicious)
    if facts.folder is None or not wanted:
        return
    with facts.stages.stage("verifying"):
        found = verification.verify(_inquiry(way, facts.settings, facts.folder), way.spool)
    notes.note(verification=found)
    if not found.asked or (found.not_visible and not found.differences):
        notes.warn(f"{verified(found)}.")
