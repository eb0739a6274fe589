"""After CVM's run has succeeded: what is open there now, as the ledger will have it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.ledger import unsettled
from target_ciscovm.ledger.ledger import Entry, LedgerAsset, LedgerIdentity, Settlement
from target_ciscovm.output.timing import Progress
from target_ciscovm.plan import joins
from target_ciscovm.plan.closing import identity_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from target_ciscovm.apply.loading import Load
    from target_ciscovm.intake.spool import Spool


OPEN: Final = "FROM sent WHERE is_open = 1"
NEW: Final = OPEN + " AND identifier NOT IN (SELECT identifier FROM ledger.entry)"  # noqa: S608 - ours


def settle(load: Load) -> None:
    """Remember what is open in CVM now.

    What comes from another Qualys account than the ledger's is not remembered: nothing that the
    ledger's own account says could ever prove it gone.

    Raises:
        LedgerUnusable: when it cannot be written; it has its last content then.
    """
    if load.is_of_another_account:
        return
    spool, proven = load.spool, load.verdict.proven
    whole = spool.execute("SELECT key FROM load_asset WHERE whole = 1") if proven else ()
    others = _of_others(load)
    unsettled.adopt(load.kept)
    load.kept.settle(
        Settlement(
            identity=_identity(load),
            run_id=load.folder.run_id,
            opened=_told(_opened(load, others), _open_in(spool)),
            closed=_closed(load),
            assets=_assets(load, others),
            whole=(row[0] for row in whole),
            full_open=_open_in(spool) if proven else None,
        )
    )
    unsettled.forget(load.kept)


def note(load: Load) -> None:
    """Write down what a run is about to open, for the case that its end is not seen.

    Raises:
        LedgerUnusable: when it cannot be written; nothing has been run then.
    """
    new = load.spool.number(f"SELECT COUNT(*) {NEW}")
    if load.is_of_another_account or not new:
        return
    others = _of_others(load)
    unsettled.note(
        load.kept,
        _identity(load),
        load.folder.run_id,
        _told(_opened(load, others, NEW), new),
        _assets(load, others, f"WHERE key IN (SELECT asset {NEW})"),
    )


def _identity(load: Load) -> LedgerIdentity:
    before, settings = load.ledger.identity, load.settings
    account = before.account if before else None
    return LedgerIdentity(
        account or load.account, identity_text(settings.identity, settings.data_model)
    )


def _of_others(load: Load) -> frozenset[int]:
    """Find web applications that cannot be the ledger's, in a load that names no account.

    A tap that died before its last word does not name it, and what it brought is as good as ever.
    But ids are an account's own: one that the ledger knows under another name is somebody else's,
    unless it has findings that the ledger knows to be its own. Then it was renamed.
    """
    if load.account:
        return frozenset()
    names: dict[int, set[str | None]] = defaultdict(set)
    for asset in load.ledger.assets():
        if len(asset.webapp_ids) == 1:
            names[asset.webapp_ids[0]].add(asset.application)
    strange = {
        asset.webapp_ids[0]
        for asset in _assets(load, ())
        if len(asset.webapp_ids) == 1
        and asset.application not in names.get(asset.webapp_ids[0], {asset.application})
    }
    return frozenset(strange - joins.webapps_known_by_findings(load.spool) if strange else ())


def _open_in(spool: Spool) -> int:
    return spool.number(f"SELECT COUNT(*) {OPEN}")


def _opened(load: Load, others: Collection[int], which: str = OPEN) -> Iterator[Entry]:
    for identifier, asset, name, webapp, seen in load.spool.execute(
        "SELECT identifier, asset, (SELECT name FROM definition WHERE number = sent.definition), "  # noqa: S608 - ours
        f"webapp, seen {which}"
    ):
        yield Entry(identifier, asset, name, None if webapp in others else webapp, seen)


def _told(entries: Iterable[Entry], total: int) -> Iterator[Entry]:
    progress = Progress("remembering", total)
    for entry in entries:
        yield entry
        progress.add(1)


def _closed(load: Load) -> Iterator[str]:
    for (identifier,) in load.spool.execute("SELECT identifier FROM sent WHERE is_open = 0"):
        yield identifier
    # What moved and is not sent again from its new place, being filtered, is closed as well, and
    # what is gone from where an asset cannot be closed by absence.
    for (identifier,) in load.spool.execute(
        "SELECT identifier FROM leaving WHERE identifier NOT IN (SELECT identifier FROM sent)"
    ):
        yield identifier


def _assets(load: Load, others: Collection[int], which: str = "") -> Iterator[LedgerAsset]:
    decode = msgspec.json.Decoder(dict[str, str]).decode
    numbers = msgspec.json.Decoder(tuple[int, ...]).decode
    for key, locators, application, webapps in load.spool.execute(
        f"SELECT key, locators, application, webapps FROM load_asset {which}"  # noqa: S608 - ours
    ):
        found = numbers(webapps)
        if any(number in others for number in found):
            before = joins.sent_asset(load.spool, key)
            found = tuple(before.webapps) if before else ()
        yield LedgerAsset(key, decode(locators), application, found)
