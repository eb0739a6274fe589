"""A run whose end was not seen is looked up by its number when the next load begins."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.ledger.ledger import Ledger

LOGGER: Final = logging.getLogger(__name__)

GOING_ON: Final = "Connector run {} of the last load is still going on."
UNTOLD: Final = (
    "Connector run {} of the last load has ended, and CVM does not say yet whether it went well: "
    "what it was sent counts as perhaps open."
)


def look_up(ledger: Ledger, runs: Iterable[ConnectorRun]) -> bool:
    """Bring the ledger up to how the last run ended, if that was not seen.

    Args:
        ledger: of the connector.
        runs: of the connector, as CVM lists them now.

    Returns:
        Whether the ledger has changed.

    Raises:
        LedgerUnusable: when it cannot be written.
    """
    pending = ledger.pending
    if pending is None:
        return False
    run = next((run for run in runs if run.id == pending.run), None)
    if run is None:
        LOGGER.info("The end of the last load is not known: what it sent counts as perhaps open.")
        ledger.doubt()
    elif run.end_time is None or run.success is None:
        LOGGER.info("%s", UNTOLD.format(run.id) if run.end_time else GOING_ON.format(run.id))
        ledger.doubt(keep=True)
    elif run.success and not run.failed_payload_count:
        _settle(ledger, run)
    else:
        LOGGER.info(
            "Connector run %d of the last load failed, all or in part: what it sent counts as "
            "perhaps open.",
            run.id,
        )
        ledger.doubt(in_part=run.is_done_in_part)
    return True


def _settle(ledger: Ledger, run: ConnectorRun) -> None:
    """Settle a run that has ended well, unless CVM counts fewer entries than it was given.

    Nobody can read back any more which those are: others may have run since.
    """
    done, sent = run.processed_scanner_vuln_count, ledger.put_down_count
    if done is None and run.processed_payload_count == 0:
        done = 0
    if done is None or done >= sent:
        LOGGER.info("Connector run %d of the last load has ended well.", run.id)
        ledger.settle()
    else:
        LOGGER.info(
            "Connector run %d processed %d of %d entries: what it was sent counts as perhaps open.",
            *(run.id, done, sent),
        )
        ledger.doubt()
