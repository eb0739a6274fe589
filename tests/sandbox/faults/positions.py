"""The positions of each switch: all of them, or those that are worth trying."""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import Final

from tests.sandbox.faults.switches import TOLD, Switches

TRIED: Final[dict[str, tuple[object, ...]]] = {
    "verbose_limit": (1000, 7),
    "kb_max_ids": (1000, 250, 5),
    "concurrent_runs": (1, 2),
    "locator_order": ((), ("external_id",), ("application",), ("fqdn",)),
    "max_file_bytes": (0, 15_000),
    "run_seconds": (0, 0.3),
    "rate_limit": (0, 50),
    "search_delay": (0, 3600),
    "licensed_assets": (0, 3),
    "export_seconds": (0, 0.3),
    "refused_criteria": ((), ("wasscan.resultsStatus", "finding.ignoredDate")),
    "concurrency_wait": (0, 1, None),
}
"""Positions of what is neither yes or no nor an enumeration."""


KINDS: Final = typing.get_type_hints(Switches)


def positions(name: str) -> tuple[object, ...]:
    """Give all positions of a switch, or those that are to be tried."""
    kind = KINDS[name]
    return TRIED.get(name) or ((False, True) if kind is bool else typing.get_args(kind))


def met(name: str) -> tuple[object, ...]:
    """Give the positions that the plugins are to be right in."""
    return tuple(one for one in positions(name) if one not in TOLD.get(name, ()))


MET: Final = {one.name: met(one.name) for one in fields(Switches)}
"""Of each switch, the positions that the plugins are to be right in."""
