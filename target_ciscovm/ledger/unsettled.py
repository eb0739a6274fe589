"""What was handed to CVM in a run whose good end was not seen.

A process that is killed, a run that goes on beyond our patience, payloads that fail: CVM may then
hold findings open that the ledger does not know, and that nothing would ever close. So what a run
is about to open is written beside the ledger first, as a ledger of its own, `{ledger}.pending`.
Until a later run has succeeded, both are read as one.

To take something for open that is not costs nothing: to close it once more changes nothing.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from target_ciscovm.ledger.ledger import Entry, Ledger, LedgerIdentity, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from target_ciscovm.ledger.ledger import LedgerAsset

SUFFIX: Final = ".pending"


def pending_path(ledger: Ledger) -> Path | None:
    """Give the path of what is unsettled; None when nothing is remembered at all."""
    return ledger.path and ledger.path.with_name(ledger.path.name + SUFFIX)


@contextmanager
def read_as_one(ledger: Ledger, folder: Path) -> Iterator[Ledger]:
    """Give the ledger with what is unsettled in it: itself, or a copy in the folder.

    Raises:
        LedgerDamaged: when one of the two files cannot be trusted.
    """
    with Ledger(pending_path(ledger)) as pending:
        if ledger.path is None or not pending.exists:
            yield ledger
            return
        path = folder / "known.db"
        if ledger.exists:
            shutil.copyfile(ledger.path, path)
        with Ledger(path) as known:
            known.settle(_settlement(ledger, pending))
            yield known


def note(
    ledger: Ledger,
    identity: LedgerIdentity,
    run_id: str,
    opened: Iterable[Entry],
    assets: Iterable[LedgerAsset],
) -> None:
    """Write down what a run is about to open.

    Raises:
        LedgerUnusable: when it cannot be written; nothing has been run then.
    """
    with Ledger(pending_path(ledger)) as pending:
        pending.settle(Settlement(identity, run_id, opened=opened, assets=assets))


def adopt(ledger: Ledger) -> None:
    """Bring what is unsettled into the ledger: a run that names or lacks it has succeeded.

    Raises:
        LedgerUnusable: when it cannot be written.
    """
    with Ledger(pending_path(ledger)) as pending:
        if pending.exists:
            ledger.settle(_settlement(ledger, pending))


def forget(ledger: Ledger) -> None:
    """Remove what was unsettled."""
    path = pending_path(ledger)
    if path is not None:
        path.unlink(missing_ok=True)


def _settlement(ledger: Ledger, pending: Ledger) -> Settlement:
    identity = ledger.identity or pending.identity
    if identity is None:
        message = "nothing is unsettled"
        raise ValueError(message)
    return Settlement(
        identity,
        ledger.last_run_id or pending.last_run_id or "",
        # A file that is only just made has no table to look into.
        opened=_unknown(ledger, pending) if ledger.exists else _entries(pending),
        assets=pending.assets(),
    )


def _unknown(ledger: Ledger, pending: Ledger) -> Iterator[Entry]:
    return (entry for entry in _entries(pending) if not ledger.is_open(entry.identifier))


def _entries(pending: Ledger) -> Iterator[Entry]:
    for asset in pending.assets():
        yield from pending.entries_of(asset.key)
