"""The load goes to CVM: uploaded, run once, and waited for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from target_ciscovm.apply import remembering
from target_ciscovm.apply.uploads import TOO_LARGE, upload_all
from target_ciscovm.cvm.connector import RunFailed
from target_ciscovm.errors import LimitReached
from target_ciscovm.intake.counts import FINDINGS, over_limit, rejection_problem, shown
from target_ciscovm.plan import joins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_ciscovm.apply.loading import Load
    from target_ciscovm.cvm.client import CiscoVMClient
    from target_ciscovm.kdi.files import Part

LOGGER: Final = logging.getLogger(__name__)


def upload(load: Load, api: CiscoVMClient) -> None:
    """Wait for the connector to be idle, then upload all files.

    Raises:
        LimitReached: when another load was run meanwhile, or too much is too large for CVM.
        CiscoVMError: when the connector stays busy, or a file is not taken.
    """
    api.wait_until_idle(load.settings.run_timeout_seconds, LOGGER.info)
    _require_newest(load, api)
    if load.files is None:
        return
    done = upload_all(api, load.files, load.parts, lambda part: _keys(load, part))
    for key in done.refused:
        _reject_asset(load, key)
    load.uploaded = done.parts
    load.parts = [part for part, _ in done.parts]
    if problem := rejection_problem(load.counts, load.settings.max_failed_percent):
        raise LimitReached(problem)


def _require_newest(load: Load, api: CiscoVMClient) -> None:
    """Refuse a load that may close things when a newer one came in between."""
    before = load.opening.runs if load.opening else frozenset()
    others = [run.id for run in api.runs() if run.id not in before]
    if others and load.verdict.proven:
        msg = (
            f"Connector run {others[0]} was started by somebody else while this load was "
            "prepared, so this load may be older than what CVM holds. Nothing has been run; run "
            "again."
        )
        raise LimitReached(msg)


def _keys(load: Load, part: Part) -> Sequence[str]:
    if part.keys:
        return part.keys
    rows = load.spool.execute(
        "SELECT key FROM load_asset WHERE part = ? ORDER BY position", (part.path.name,)
    )
    return [row[0] for row in rows]


def _reject_asset(load: Load, key: str) -> None:
    rows = load.spool.execute("SELECT identifier FROM sent WHERE asset = ?", (key,)).fetchall()
    for (identifier,) in rows:
        load.rejections.write(0, FINDINGS, identifier, TOO_LARGE)
    if rows:
        load.counts.reject_late(FINDINGS, TOO_LARGE, count=len(rows))
        load.counts.mapped -= len(rows)
    joins.refuse(load.spool, key)


def run(load: Load, api: CiscoVMClient) -> None:
    """Run all files as one, and wait for the end.

    Raises:
        RunFailed: when it ended without success.
        LimitReached: when more of CVM's payloads failed than the settings allow.
        StillRunning: when it did not end in time.
    """
    settings = load.settings
    remembering.note(load)
    before = {run.id for run in api.runs()}
    load.run_id = api.run(
        [number for _, number in load.uploaded],
        runs_before=before,
        timeout_seconds=settings.run_timeout_seconds,
        progress=LOGGER.info,
    )
    LOGGER.info("Connector run %d has begun in CVM.", load.run_id)
    try:
        load.run = api.wait(load.run_id, settings.run_timeout_seconds, LOGGER.info)
    except RunFailed as error:
        load.run = error.run
        raise
    failed, total = load.run.failed_payload_count, load.run.total_payload_count
    if over_limit(failed, total, settings.max_failed_percent):
        msg = (
            f"CVM failed {failed:,} of {total:,} payloads of connector run {load.run.id}, more "
            f"than the {shown(settings.max_failed_percent)}% that max_failed_percent allows. The "
            "connector's page in CVM has the reason; the next run sends all of it again."
        )
        raise LimitReached(msg)
    if failed:
        load.warnings.append(
            f"CVM failed {failed:,} of {total:,} payloads, within max_failed_percent: the state "
            "is not passed on, so the next run sends the same again."
        )


def has_failed_payloads(load: Load) -> bool:
    """Tell whether CVM failed some of the load."""
    return load.run is not None and load.run.failed_payload_count > 0
