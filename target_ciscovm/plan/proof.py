"""Is a load proven to be whole, so that what it lacks may be closed? Pure.

A target sees only the end of its input, and a tap that died ends it too. So nothing but the tap's
own last word, the row of `syncs`, held against what arrived, counts as a proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from qualyswas_ciscovm.dates import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from target_ciscovm.mapping.records import Sync

NEEDED: Final = ("webapps", "findings", "knowledge_base")
LONGEST_AGE: Final = timedelta(hours=24)
FULL: Final = "full"


@dataclass(frozen=True)
class Arrived:
    """What the row of `syncs` is held against.

    Attributes:
        received: RECORD lines by stream.
        proof_is_last: whether no record came after the row.
        lost_unknown: whether a record was rejected of which no asset is known.
        now: the time at CVM; None where nobody tells it.
        newest_run: when the connector's newest run in CVM began, None when there was none.
        ledger_account: Qualys account of what was sent before, None when nothing was.
        autoclose: whether the settings allow closing at all.
    """

    received: Mapping[str, int] = field(default_factory=dict)
    proof_is_last: bool = True
    lost_unknown: bool = False
    now: datetime | None = None
    newest_run: datetime | None = None
    ledger_account: str | None = None
    autoclose: bool = True


@dataclass(frozen=True)
class Verdict:
    """The answer.

    Attributes:
        fresh: the row of `syncs` is there and of now: nothing newer has been loaded.
        valid: the row of `syncs` is there, whole, fresh, ours, and fits what arrived.
        proven: it is, and the sync was a full one: what the load lacks may be closed.
        reasons: why it is not proven, each a sentence without a full stop.
    """

    valid: bool
    proven: bool
    reasons: tuple[str, ...] = ()
    fresh: bool = False


def judge(sync: Sync | None, arrived: Arrived) -> Verdict:
    """Tell whether what a load lacks may be closed."""
    if sync is None:
        return Verdict(
            valid=False, proven=False, reasons=("no row of syncs came: the tap did not end well",)
        )
    flaws = tuple(_flaws(sync, arrived))
    limits = tuple(_limits(sync, arrived))
    return Verdict(
        valid=not flaws,
        proven=not flaws and not limits,
        reasons=flaws + limits,
        fresh=not any(_age(sync, arrived)),
    )


def account(sync: Sync | None) -> str | None:
    """Give the Qualys account of a sync: its subscription, else the API host."""
    if sync is None:
        return None
    if sync.subscription and (subscription := sync.subscription.strip()):
        return subscription
    try:
        host = urlsplit((sync.api_url or "").strip()).hostname
    except ValueError:
        return None
    return (host or "").lower() or None


def _limits(sync: Sync, arrived: Arrived) -> Iterator[str]:
    """Say what keeps even a faultless row from closing anything."""
    if sync.mode != FULL:
        yield "an incremental sync shows only what changed"
    if arrived.lost_unknown:
        yield "a record was rejected that cannot be told to belong to any asset"
    if not arrived.autoclose:
        yield "autoclose is never"


def _flaws(sync: Sync, arrived: Arrived) -> Iterator[str]:
    if not sync.complete:
        why = f" ({'; '.join(sync.incomplete_reasons)})" if sync.incomplete_reasons else ""
        yield f"the tap says that its sync is not complete{why}"
    if not arrived.proof_is_last:
        yield "records came after the row of syncs"
    yield from _miscounts(sync, arrived.received)
    yield from _age(sync, arrived)
    ours = account(sync)
    if arrived.ledger_account and ours != arrived.ledger_account:
        yield (
            f"it comes from another Qualys account ({ours or 'unknown'}) than what this connector "
            f"holds ({arrived.ledger_account})"
        )


def _miscounts(sync: Sync, received: Mapping[str, int]) -> Iterator[str]:
    told = {stream.stream: stream.emitted for stream in sync.streams}
    missing = [name for name in NEEDED if name not in told]
    if missing:
        yield f"the sync did not read {', '.join(missing)}"
    for name, emitted in told.items():
        if emitted is None:
            yield f"the tap does not say how many {name} it wrote"
        elif emitted != received.get(name, 0):
            yield f"{received.get(name, 0):,} {name} arrived of {emitted:,} that the tap wrote"
    untold = [name for name, count in received.items() if count and name not in {*told, "syncs"}]
    if untold:
        yield f"{', '.join(untold)} arrived that the tap says nothing of"


def _age(sync: Sync, arrived: Arrived) -> Iterator[str]:
    started = parse(sync.started_at)
    if started is None:
        yield "the row of syncs does not say when it began"
        return
    if arrived.now and abs(arrived.now - started) > LONGEST_AGE:
        yield f"the sync began at {sync.started_at}, more than 24 hours from now"
    if arrived.newest_run and started <= arrived.newest_run:
        yield f"the sync began at {sync.started_at}, before this connector's newest run in CVM"
