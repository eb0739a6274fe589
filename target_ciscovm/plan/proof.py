"""What the row of `syncs` proves of a load. Pure.

A target sees only the end of its input, and a tap that died ends it too. So nothing but the tap's
own last word, held against what arrived, counts as a proof; a part of it that is missing means
"not proven", never "everything".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from qualyswas_ciscovm.dates import to_utc
from qualyswas_ciscovm.wording import counted
from target_ciscovm.intake.counts import FINDINGS, WEBAPPS
from target_ciscovm.ledger.accounts import account_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_ciscovm.mapping.records import Sync, SyncStream

NEEDED: Final = (WEBAPPS, FINDINGS)
SYNCS: Final = "syncs"
FULL: Final = "full"
INCREMENTAL: Final = "incremental"
CONTRACT: Final = 1
"""Least number of the form of `syncs` that tells what a sync covers."""


class Arrived(msgspec.Struct, frozen=True):
    """What the row of `syncs` is held against.

    Attributes:
        received: RECORD lines by stream, before any stream map of the target.
        digests: fingerprint of each stream that has one.
        proof_is_last: whether no record came after the row.
        renamed: names that a stream map of the target has given to a stream of ours, by stream.
        clocks_apart: why the beginning of the sync is not believed, None where it is.
    """

    received: Mapping[str, int] = msgspec.field(default_factory=dict)
    digests: Mapping[str, str] = msgspec.field(default_factory=dict)
    proof_is_last: bool = True
    renamed: Mapping[str, str] = msgspec.field(default_factory=dict)
    clocks_apart: str | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What a load proves.

    Attributes:
        valid: the row of `syncs` is there, complete, and fits what arrived.
        proven: it is, and the sync was a full one: what it covers and lacks is gone.
        reasons: why it is not proven, each a sentence without a full stop.
        losses: rows known to be lost or altered between Qualys and here, likewise.
        unaltered: whether the rows are known to be as the tap took them from Qualys.
    """

    valid: bool
    proven: bool
    reasons: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    unaltered: bool = False


NO_ROW: Final = (
    "the input has no syncs record; the tap did not finish, or the stream syncs is not selected"
)
NOT_READ: Final = "the syncs record was rejected (see rejected.jsonl), or dropped by a stream map"


def judge(sync: Sync | None, arrived: Arrived) -> Verdict:
    """Tell what a load proves."""
    if sync is None:
        came = bool(arrived.received.get(SYNCS))
        return Verdict(valid=False, proven=False, reasons=(NOT_READ if came else NO_ROW,))
    losses = tuple(_losses(sync, arrived))
    flaws = (*_flaws(sync, arrived), *losses)
    limits = ("an incremental sync shows only what changed",) if sync.mode != FULL else ()
    return Verdict(
        valid=not flaws,
        proven=not flaws and not limits,
        reasons=(*flaws, *limits),
        losses=losses,
        unaltered=not losses and not any(_missing_parts(sync)),
    )


def _flaws(sync: Sync, arrived: Arrived) -> Iterator[str]:
    if not sync.complete or sync.incomplete_reasons:
        why = f" ({'; '.join(sync.incomplete_reasons)})" if sync.incomplete_reasons else ""
        yield f"the tap says that its sync is not complete{why}"
    if not arrived.proof_is_last:
        yield "records came after the syncs record"
    told = {stream.stream for stream in sync.streams}
    missing = [name for name in NEEDED if name not in told]
    if missing:
        yield f"the sync did not read {' and '.join(missing)}"
    untold = [name for name, count in arrived.received.items() if count and name not in told]
    if untold := [name for name in untold if name != SYNCS]:
        yield f"the syncs record says nothing of {', '.join(untold)}"
    if sync.mode == FULL:
        for bound in sorted(_bounds(sync)):
            yield f"the sync read only what is later than {bound}"
    yield from _contradiction(sync)
    if to_utc(sync.started_at) is None:
        yield arrived.clocks_apart or "the syncs record does not say when the sync began"
    yield from _missing_parts(sync)


def _contradiction(sync: Sync) -> Iterator[str]:
    """Say that fewer web applications were read to their end than have rows."""
    apps = sync.coverage.web_apps if sync.coverage else None
    rows = next((one.read for one in sync.streams if one.stream == WEBAPPS), None)
    if apps and apps.read is not None and rows is not None and apps.read < rows:
        yield f"of {counted(rows, 'web application')} the sync read {apps.read:,} to the end"


def _bounds(sync: Sync) -> set[str]:
    """Give the moments that a sync has read nothing before, by any part of the row."""
    told = [stream.window_start for stream in sync.streams if stream.stream in NEEDED]
    told.append(sync.coverage.since if sync.coverage else None)
    start_date = (sync.filters or {}).get("start_date")
    return {str(bound) for bound in (*told, start_date) if bound is not None}


def _missing_parts(sync: Sync) -> Iterator[str]:
    """Name what an older tap, or another one, does not tell."""
    if sync.contract is None or sync.contract < CONTRACT:
        version = f" ({sync.tap_version})" if sync.tap_version else ""
        yield f"the tap{version} does not say what its sync covers: update tap-qualyswas"
        return
    coverage = sync.coverage
    apps = coverage.web_apps if coverage else None
    parts = {
        "coverage": coverage,
        "coverage.source": (coverage and (coverage.source or "").strip()) or None,
        "coverage.findingTypes": coverage and coverage.finding_types,
        "coverage.wholeAccount": None if coverage is None else coverage.whole_account,
        "coverage.webApps.notProven": None if apps is None else apps.not_proven,
        "coverage.webApps.changed": None if apps is None else apps.changed,
        "filters": sync.filters,
        "apiUrl": account_of(sync),
    }
    lacking = [name for name, value in parts.items() if value is None]
    for stream in sync.streams:
        if stream.stream in NEEDED:
            told = {"read": stream.read, "digest": stream.digest}
            lacking += [f"{stream.stream}.{name}" for name, value in told.items() if value is None]
    if lacking:
        yield f"the syncs record lacks {', '.join(lacking)}"


def _losses(sync: Sync, arrived: Arrived) -> Iterator[str]:
    for told in sync.streams:
        yield from _loss(told, arrived)
    for stream, name in arrived.renamed.items():
        yield f"a stream map of the target makes {name} of {stream}"


def _loss(stream: SyncStream, arrived: Arrived) -> Iterator[str]:
    name, came = stream.stream, arrived.received.get(stream.stream, 0)
    told = stream.emitted if stream.read is None else stream.read
    if told is None:
        return
    if told != came:
        yield f"{came:,} {name} arrived of {told:,} that the tap read"
        return
    digest = arrived.digests.get(name)
    if stream.digest is not None and digest is not None and stream.digest != digest:
        yield f"{name} were altered between the tap and here"
