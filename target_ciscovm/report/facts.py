"""What the stages of a load have found, for its ending and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from target_ciscovm.plan.plan import Tenant
from target_ciscovm.report.changes import NONE, Written

if TYPE_CHECKING:
    from pathlib import Path

    from target_ciscovm.apply.delivery import Delivered
    from target_ciscovm.apply.preflight import Opening
    from target_ciscovm.intake.counts import Counts
    from target_ciscovm.kdi.files import Part
    from target_ciscovm.mapping.records import Sync
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.output.timing import Stages
    from target_ciscovm.plan.plan import Plan
    from target_ciscovm.report.holdings import Holdings
    from target_ciscovm.report.planned import Planned
    from target_ciscovm.settings.values import Settings


class Facts(msgspec.Struct, frozen=True):
    """What the stages of a load have found, as far as it has come.

    Attributes:
        changes: the list of changes that was written.
        parts: files that were written.
        planned: what the plan means for CVM, as the report tells it.
        uploaded: files with their ids in CVM.
        run_asked: whether CVM was asked for a run.
        run_number: of the run in CVM, as soon as it is known.
        delivered: what came of it, whatever its end.
        verification: what CVM holds after the load; None where it was not to be asked.
        failed_assets: a sentence with the assets whose payloads CVM fails again and again.
        warnings: sentences for the report.
    """

    settings: Settings
    counts: Counts
    stages: Stages
    folder: RunFolder | None = None
    opening: Opening | None = None
    tenant: Tenant = msgspec.field(default_factory=Tenant)
    api_url: str = ""
    sync: Sync | None = None
    plan: Plan | None = None
    planned: Planned | None = None
    changes: Written = NONE
    parts: tuple[Part, ...] = ()
    uploaded: tuple[tuple[Part, int], ...] = ()
    run_asked: bool = False
    run_number: int | None = None
    delivered: Delivered | None = None
    verification: Holdings | None = None
    failed_assets: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def runs_before(self) -> frozenset[int]:
        """Give the runs that the connector had before this load."""
        return self.opening.runs if self.opening else frozenset()

    @property
    def shown_folder(self) -> Path | None:
        """Give the folder of the run."""
        return None if self.folder is None else self.folder.path
