"""When closing so much is rather a mistake. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER_STOPS: Final = 100
NEVER_STOP: Final = {"TARGET_CISCOVM_MAX_CLOSE_PERCENT": str(NEVER_STOPS)}
"""Lets a load through that the guard stops."""
FEW: Final = 20
"""So few closings, or findings of the last full sync, stop nothing."""


class Balance(NamedTuple):
    """What a load would do to what is open in CVM.

    Attributes:
        closing: entries that it closes by absence or by a filter, by cause.
        covered: of what is open, entries that the load covers.
        findings: of the load, fixed ones too; None in a load that is not a full one.
        last_findings: that the scope's last full load held as open, None before one.
        changes_file: where the list of changes lies.
    """

    closing: Mapping[str, int]
    covered: int
    findings: int | None = None
    last_findings: int | None = None
    changes_file: str = ""


def guard(balance: Balance, max_close_percent: int) -> str | None:
    """Say why a load must not be run, None when it may.

    Fixes and moves are not counted: Qualys names each of them.
    """
    if max_close_percent >= NEVER_STOPS:
        return None
    where = f" The list is in {balance.changes_file}." if balance.changes_file else ""
    way_out = (
        f"Nothing was run.{where} If this is right, run once with a higher max_close_percent (now "
        f"{max_close_percent}; 100 never stops)."
    )
    last = balance.last_findings
    if balance.findings == 0 and last is not None and last > FEW:
        return (
            f"This full load has no finding, and the last one had {last:,} open: that is more "
            f"likely a fault than a clean account. {way_out}"
        )
    closing = sum(balance.closing.values())
    if closing <= FEW or closing * 100 <= max_close_percent * balance.covered:
        return None
    causes = ", ".join(f"{cause} {count:,}" for cause, count in balance.closing.items())
    return (
        f"The load would close {closing:,} of the {balance.covered:,} open findings that it covers "
        f"({causes}). {way_out}"
    )
