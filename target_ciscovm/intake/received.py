"""What an input has brought, when it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from target_ciscovm.intake.arrivals import Arrivals
    from target_ciscovm.intake.intake import Lost
    from target_ciscovm.intake.references import References
    from target_ciscovm.mapping.asset import Sources
    from target_ciscovm.mapping.records import Sync


class Received(msgspec.Struct, frozen=True):
    """What an input has brought; the records themselves are in the spool.

    Attributes:
        sync: the last `syncs` row, None when none came.
        arrivals: what arrived, before any stream map of the target.
        proof_is_last: whether no other record came after the row of `syncs`.
        lost: what rejected records may have told of.
        references: QIDs and web applications of the findings.
        sources: rows of web applications, and the latest scan of each.
        clocks_apart: why the beginning of the sync is not believed, None where it is.
    """

    sync: Sync | None
    arrivals: Arrivals
    proof_is_last: bool
    lost: Lost
    references: References
    sources: Sources
    clocks_apart: str | None = None
