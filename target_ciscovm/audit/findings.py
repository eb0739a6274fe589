"""What an inquiry has shown, as a report has it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from target_ciscovm.audit import drift
from target_ciscovm.report.holdings import DriftEntry, Holdings, KindCount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.audit.held import Held
    from target_ciscovm.ledger.ledger import Ledger
    from target_ciscovm.report.holdings import Kind

SHOWN: Final = 200
"""Entries that a report names."""


def told(held: Held, ledger: Ledger, *, not_visible: int = 0) -> Holdings:
    """Give what CVM holds, held against the ledger."""
    by_kind = drift.counts(held)
    return Holdings(
        in_ledger=drift.open_in_ledger(held, ledger),
        in_cvm=drift.open_in_cvm(held),
        kinds=[
            KindCount(kind=kind, count=by_kind[kind])
            for kind in (drift.BY_PEOPLE, *drift.LACKS, *drift.HAS)
            if kind in by_kind
        ],
        not_visible=not_visible,
        shared=by_kind.get(drift.SHARED, 0),
        foreign=drift.foreign(held),
        entries=list(islice(entries(held), SHOWN)),
    )


def entries(held: Held) -> Iterator[DriftEntry]:
    """Give all that differs."""
    for row in drift.rows(held):
        if row.kind not in {drift.INSTEAD, drift.SHARED}:
            yield _entry(row)


def foreign_entries(held: Held) -> Iterator[DriftEntry]:
    """Give the entries that are left alone."""
    return map(_entry, drift.foreign_rows(held))


def _entry(row: drift.DriftRow) -> DriftEntry:
    return DriftEntry(
        kind=cast("Kind", row.kind),
        asset=row.asset,
        identifier=row.identifier,
        model=row.model,
    )
