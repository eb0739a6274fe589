"""The state of one load: what its stages hand on to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_ciscovm.intake.counts import Counts
from target_ciscovm.output.timing import Stages
from target_ciscovm.plan.closures import Absent
from target_ciscovm.plan.proof import Verdict, account

if TYPE_CHECKING:
    from datetime import datetime

    from target_ciscovm.apply.preflight import Opening
    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.intake.rejections import Rejections
    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.kdi.files import Files, Part
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.plan.build import Plan
    from target_ciscovm.settings.values import Settings

UNPROVEN = Verdict(valid=False, proven=False)


@dataclass
class Load:
    """One load, as far as it has come.

    Attributes:
        kept: the ledger that is written at the end.
        ledger: what is read of it, with what is unsettled.
        has_ledger: whether something was settled before.
        identity_changed: whether the settings tell things apart in another way than before.
        model_changed: whether, with that, the data model is another one.
        plan: None before the input has ended and was judged.
        absent: what a proven load closes by absence.
        closed_by_name: FIXED findings that are closed one by one.
        uploaded: files with their ids in CVM.
        run: the run in CVM, as it was seen last.
        run_id: its id, as soon as it has begun.
        warnings: sentences for the report.
    """

    settings: Settings
    folder: RunFolder
    spool: Spool
    kept: Ledger
    ledger: Ledger
    rejections: Rejections
    counts: Counts = field(default_factory=Counts)
    stages: Stages = field(default_factory=Stages)
    api: CiscoVMClient | None = None
    opening: Opening | None = None
    has_ledger: bool = False
    identity_changed: bool = False
    model_changed: bool = False
    sync: Sync | None = None
    verdict: Verdict = UNPROVEN
    plan: Plan | None = None
    files: Files | None = None
    parts: list[Part] = field(default_factory=list)
    absent: Absent = field(default_factory=lambda: Absent(0, 0, {}))
    closed_by_name: int = 0
    open_in_load: int = 0
    opened: int = 0
    new_assets: int = 0
    open_before: int | None = None
    uploaded: list[tuple[Part, int]] = field(default_factory=list)
    run: ConnectorRun | None = None
    run_id: int | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def account(self) -> str | None:
        """Give the Qualys account that the load comes from."""
        return account(self.sync)

    @property
    def is_of_another_account(self) -> bool:
        """Tell whether the load is of another Qualys account than what was sent before."""
        before = self.ledger.identity
        known = before.account if before else None
        return bool(known and self.account and known != self.account)

    @property
    def now(self) -> datetime | None:
        """Give the time at CVM, None where nobody told it."""
        return self.opening.now if self.opening else None
