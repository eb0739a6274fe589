"""A ledger that was lost, or that does not know some runs, is brought up to what CVM holds."""

from __future__ import annotations

import logging
import time
from itertools import islice
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.progress import duration
from qualyswas_ciscovm.wording import counted, cut
from target_ciscovm.audit import amendment, drift
from target_ciscovm.audit.runs import read_runs
from target_ciscovm.errors import HoldingsUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_ciscovm.audit.asking import Inquiry
    from target_ciscovm.audit.held import Held
    from target_ciscovm.audit.runs import Runs
    from target_ciscovm.ledger.ledger import Ledger

LOGGER: Final = logging.getLogger(__name__)

NAMED: Final = 3
"""Entries left alone that a message names; an audit lists all of them."""
LONGEST_NAME: Final = 40

UNTIL_THEN: Final = (
    "Until it is, nothing is closed as gone, and fixes only if they are younger than the "
    "connector's first run. Put back a copy of the ledger, or run target-ciscovm:rebuild-ledger "
    "with a key that may read CVM's vulnerabilities."
)
ONLY_OWN: Final = "What that run has opened stays open until then."


def caught_up(inquiry: Inquiry, reason: str) -> str:
    """Bring the ledger up to what CVM holds, and say what a person should know.

    Args:
        inquiry: what CVM is asked with.
        reason: why the ledger may lack something.
    """
    ledger = inquiry.ledger
    lost = not ledger.exists or not ledger.is_whole
    what = "made anew" if lost else "brought up to date"
    try:
        done = catch_up(inquiry)
    except HoldingsUnavailable as error:
        return f"{reason}. It could not be {what}: {error} {UNTIL_THEN if lost else ONLY_OWN}"
    keep = " Keep the ledger between runs if you can." if lost else ""
    return f"{reason}. It was {what} from CVM: {done}.{keep}"


def why(ledger: Ledger, runs: Collection[int]) -> str | None:
    """Say why the ledger may not have all that is open, None where it has."""
    if not runs or ledger.path is None:
        return None
    if not ledger.exists:
        return f"There is no ledger at {ledger.path}, and this connector has had runs in CVM"
    if not ledger.is_whole:
        return f"The ledger {ledger.path} was lost once, and has not been made anew since"
    others = ledger.known_runs.others(runs)
    if not others:
        return None
    return (
        f"The ledger {ledger.path} does not know connector run {others[-1]}, which another "
        "installation has started, or this one with another copy of the ledger"
    )


def catch_up(inquiry: Inquiry) -> str:
    """Bring the ledger up to what CVM holds, and say what that came to.

    Raises:
        HoldingsUnavailable: when CVM does not tell it.
    """
    runs = read_runs(inquiry.api.runs())
    _let_it_be_seen(inquiry, runs)
    with inquiry.once() as held:
        amendment.catch_up(held, inquiry.ledger, runs)
        foreign = _foreign(held)
    return f"{counted(inquiry.ledger.open_count(), 'entry', 'entries')} open{foreign}"


def _foreign(held: Held) -> str:
    """Name the first entries that are left alone."""
    count = drift.foreign(held)
    if not count:
        return ""
    first = [cut(row.identifier, LONGEST_NAME) for row in islice(drift.foreign_rows(held), NAMED)]
    more = ", …" if count > NAMED else ""
    what = counted(count, "entry", "entries")
    return f", {what} left alone ({', '.join(first)}{more})"


def _let_it_be_seen(inquiry: Inquiry, runs: Runs) -> None:
    """Wait where the last run has ended so shortly ago that CVM may not show all of it."""
    now = inquiry.api.server_now
    if now is None or runs.last_ended is None:
        return
    longest = max(inquiry.settings.retry_policy.show_seconds, default=0)
    wait = longest - (now - runs.last_ended).total_seconds()
    if 0 < wait <= longest:
        LOGGER.info("Waiting %s until CVM shows what its last run did.", duration(wait))
        time.sleep(wait)
