"""`--audit` and `--rebuild-ledger`: CVM is asked without a load."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.dates import to_text
from qualyswas_ciscovm.wording import one_line
from target_ciscovm.apply import pending
from target_ciscovm.apply.preflight import connect, look
from target_ciscovm.audit import amendment, document, findings
from target_ciscovm.audit.asking import Inquiry
from target_ciscovm.audit.catching_up import catch_up
from target_ciscovm.audit.document import Audit
from target_ciscovm.audit.runs import read_runs
from target_ciscovm.errors import CiscoVMError, LedgerMissing, SettingsError
from target_ciscovm.ledger.file import put_in_place
from target_ciscovm.ledger.ledger import Ledger, home_of
from target_ciscovm.ledger.soundness import blaming
from target_ciscovm.output.folders import passing_folder
from target_ciscovm.output.lock import connector_lock
from target_ciscovm.report.holdings import sentences
from target_ciscovm.report.model import ConnectorInfo
from target_ciscovm.watching.index import write_index
from target_ciscovm.watching.kept_runs import remove_old
from target_ciscovm.watching.notices import announce_audit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_ciscovm.apply.preflight import Opening
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.settings.values import Settings

LOGGER: Final = logging.getLogger(__name__)

KEPT: Final = "before"
"""Ends the name of a ledger that another one has taken the place of."""


@dataclass(frozen=True)
class _Desk:
    """What a command works with."""

    inquiry: Inquiry
    opening: Opening
    folder: RunFolder
    path: Path


def audit(settings: Settings) -> Audit:
    """Hold what CVM has against the ledger; only the ledger is changed, by what differs.

    Raises:
        LedgerMissing: there is nothing to hold it against.
        HoldingsUnavailable: CVM does not tell what it holds.
    """
    with _opened(settings) as desk, desk.inquiry.ledger as ledger, blaming(desk.path):
        inquiry, opening = desk.inquiry, desk.opening
        if not ledger.exists:
            raise LedgerMissing(desk.path)
        inquiry.api.wait_until_idle(settings.run_timeout_seconds, LOGGER.info)
        runs = inquiry.api.runs()
        pending.look_up(ledger, runs)
        with inquiry.until_agreed() as held:
            found = findings.told(held, ledger)
            document.write_drift(held, desk.folder)
            amendment.take_over(held, ledger, read_runs(runs))
        connector = ConnectorInfo(
            id=opening.connector.id,
            name=opening.connector.name,
            api_url=inquiry.api.api_url,
        )
        told = "; ".join(sentences(found))
        agreed = f"CVM holds exactly these {found.in_ledger:,}"
        done = Audit(
            run_id=desk.folder.run_id,
            message="; ".join(filter(None, [agreed if found.agrees else "", told])) + ".",
            exit_code=0 if found.agrees else 1,
            asked_at=to_text(opening.now) if opening.now else None,
            ledger=str(desk.path),
            connector=connector,
            holdings=found,
        )
        document.write(done, desk.folder)
        for line in document.lines(done):
            LOGGER.info("%s", line)
        LOGGER.info("The audit is %s", desk.folder.file("audit.html").resolve())
        remove_old(settings)
    write_index(settings.output_path)
    announce_audit(
        desk.folder.path,
        connector,
        done.message,
        settings.notices,
        agrees=not done.exit_code,
    )
    return done


def rebuild(settings: Settings) -> None:
    """Make the ledger anew from CVM; the one before is kept beside it.

    Raises:
        HoldingsUnavailable: CVM does not tell what it holds; the ledger is as it was.
    """
    with _opened(settings) as desk:
        desk.inquiry.api.wait_until_idle(settings.run_timeout_seconds, LOGGER.info)
        made = desk.path.with_name(f".{desk.path.name}.rebuilt")
        made.unlink(missing_ok=True)
        with Ledger(made, home_of(settings)) as ledger:
            ledger.require_writable()
            told = catch_up(replace(desk.inquiry, ledger=ledger))
            if identity := _identity(desk.inquiry.ledger):
                ledger.remember("identity", value=identity)
        if desk.path.exists():
            desk.path.replace(desk.path.with_name(f"{desk.path.name}.{KEPT}"))
        put_in_place(made, desk.path)
        LOGGER.info("The ledger %s was made anew from CVM: %s.", desk.path, one_line(told))


@contextmanager
def _opened(settings: Settings) -> Iterator[_Desk]:
    login, path = settings.login, settings.ledger_path
    if login is None or path is None:
        msg = "CVM cannot be asked: set api_key and connector_id."
        raise SettingsError(msg)
    with (
        passing_folder(settings.output_path) as folder,
        connector_lock(path.parent, str(login.connector_id)),
    ):
        api = connect(login, settings.retry_policy)
        opening = look(api)
        ledger = Ledger(path, home_of(settings))
        yield _Desk(Inquiry(api, settings, ledger, folder.spool), opening, folder, path)


def _identity(ledger: Ledger) -> dict[str, str] | None:
    """Give the settings that the ledger before knew, if it can still be read."""
    try:
        with ledger:
            return ledger.identity
    except CiscoVMError as error:
        LOGGER.info("The ledger before cannot be read: %s", one_line(str(error)))
        return None
