"""After a load CVM is asked what it holds, and each entry is held against the plan.

The ledger is settled by then, so it is what the plan has come to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_ciscovm.audit import amendment, drift, findings
from target_ciscovm.audit.held import Changed
from target_ciscovm.audit.runs import read_runs
from target_ciscovm.errors import CiscoVMError
from target_ciscovm.plan.decisions import OPENING
from target_ciscovm.report.holdings import Holdings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.audit.asking import Inquiry
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.plan.plan import Plan
    from target_ciscovm.settings.values import VerifyLoad

CHANGED: Final = f"""
SELECT asset, identifier, model, action = 'open' FROM decision
WHERE action = 'close' OR (action = 'open' AND cause IN {OPENING})
"""  # noqa: S608 - ours

LOADED: Final = """
SELECT asset, identifier, model, action = 'open' FROM decision WHERE action IN ('open', 'close')
"""
ASSETS_LACKING: Final = """
SELECT DISTINCT c.asset FROM changed c
WHERE c.opened <> EXISTS (
    SELECT 1 FROM held h
    WHERE h.identifier = c.identifier AND h.model = c.model
        AND (c.opened AND h.judged OR h.open AND (c.opened OR NOT h.judged AND h.asset = c.asset))
)
ORDER BY 1
"""
"""Assets of which CVM has something not open that was opened, or open that was closed there; what
people have judged is as they want it."""


def is_wanted(when: VerifyLoad, plan: Plan, *, suspicious: bool) -> bool:
    """Tell whether a load is verified.

    While the licence is over its limit CVM takes only a part, and does not say which.
    """
    if plan.terms.over:
        return False
    wanted = {
        "never": False,
        "suspicion": suspicious,
        "full_syncs": suspicious or plan.verdict.proven,
        "every_run": True,
    }
    return wanted[when]


def verify(inquiry: Inquiry, spool: Spool) -> Holdings:
    """Hold what CVM has against the plan, and write down in the ledger what is lost.

    The load is in CVM by now, so whatever keeps CVM from being asked does not fail it.
    """
    found = None
    try:
        with inquiry.until_agreed(_changes(spool, CHANGED)) as held:
            not_visible = drift.forget_unseen(held)
            found = findings.told(held, inquiry.ledger, not_visible=not_visible)
            if found.differences:
                amendment.take_over(held, inquiry.ledger, read_runs(inquiry.api.runs()))
    except CiscoVMError as error:
        return found or Holdings(asked=False, problem=str(error))
    return found


def lacking_assets(inquiry: Inquiry, spool: Spool) -> list[str] | None:
    """Give the assets of a load that CVM lacks something of; None where it does not tell."""
    try:
        with inquiry.once() as held:
            held.mark_changed(_changes(spool, LOADED))
            return [asset for (asset,) in held.connection.execute(ASSETS_LACKING)]
    except CiscoVMError:
        return None


def _changes(spool: Spool, statement: str) -> Iterator[Changed]:
    return map(Changed._make, spool.execute(statement))
