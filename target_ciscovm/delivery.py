"""The load goes to CVM: uploaded, run once, waited for, and then remembered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.accounting import FINDINGS, over_limit, rejection_problem, shown
from target_ciscovm.closing import identity_text
from target_ciscovm.errors import LimitReached, RunFailed
from target_ciscovm.ledger import Entry, LedgerAsset, LedgerIdentity, Settlement
from target_ciscovm.send import TOO_LARGE, upload_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.api import CiscoVMAPI
    from target_ciscovm.kdi import Part
    from target_ciscovm.loading import Load

LOGGER: Final = logging.getLogger(__name__)


def upload(load: Load, api: CiscoVMAPI) -> None:
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


def _require_newest(load: Load, api: CiscoVMAPI) -> None:
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
    load.spool.execute("DELETE FROM sent WHERE asset = ?", (key,))
    load.spool.execute("DELETE FROM load_asset WHERE key = ?", (key,))


def run(load: Load, api: CiscoVMAPI) -> None:
    """Run all files as one, and wait for the end.

    Raises:
        RunFailed: when it ended without success.
        LimitReached: when more of CVM's payloads failed than the settings allow.
        StillRunning: when it did not end in time.
    """
    settings = load.settings
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


def settle(load: Load) -> None:
    """Remember what is open in CVM now.

    What comes from another Qualys account than the ledger's is not remembered: nothing that the
    ledger's own account says could ever prove it gone.

    Raises:
        LedgerUnusable: when it cannot be written; it has its last content then.
    """
    before = load.ledger.identity
    known = before.account if before else None
    if known and load.account and known != load.account:
        return
    spool, settings = load.spool, load.settings
    proven = load.verdict.proven
    whole = spool.execute("SELECT key FROM load_asset WHERE whole = 1") if proven else ()
    load.ledger.settle(
        Settlement(
            identity=LedgerIdentity(
                known or load.account, identity_text(settings.identity, settings.data_model)
            ),
            run_id=load.folder.run_id,
            opened=_opened(load),
            closed=_closed(load),
            assets=_assets(load),
            whole=(row[0] for row in whole),
            full_open=load.open_in_load if proven else None,
        )
    )


def _opened(load: Load) -> Iterator[Entry]:
    # Of a load whose account is not told, no web application counts: ids are an account's own.
    column = "webapp" if load.account else "NULL"
    for row in load.spool.execute(
        f"SELECT identifier, asset, name, {column} FROM sent WHERE is_open = 1"  # noqa: S608 - ours
    ):
        yield Entry(*row)


def _closed(load: Load) -> Iterator[str]:
    for (identifier,) in load.spool.execute("SELECT identifier FROM sent WHERE is_open = 0"):
        yield identifier
    # What moved and is not sent again from its new place, being filtered, is closed as well.
    for (identifier,) in load.spool.execute(
        "SELECT identifier FROM moved WHERE identifier NOT IN (SELECT identifier FROM sent)"
    ):
        yield identifier


def _assets(load: Load) -> Iterator[LedgerAsset]:
    decode = msgspec.json.Decoder(dict[str, str]).decode
    numbers = msgspec.json.Decoder(tuple[int, ...]).decode
    for key, locators, application, webapps in load.spool.execute(
        "SELECT key, locators, application, webapps FROM load_asset"
    ):
        known = numbers(webapps) if load.account else ()
        yield LedgerAsset(key, decode(locators), application, known)
