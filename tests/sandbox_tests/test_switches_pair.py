"""Both plugins are right in every position of what is only inferred about the two systems."""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.together import Pair, open_sandbox
from tests.sandbox.faults.switches import UNMET, Switches

if TYPE_CHECKING:
    from pathlib import Path

MORE: Final[dict[str, tuple[object, ...]]] = {
    "verbose_limit": (1000, 7),
    "kb_max_ids": (1000, 250, 5),
    "refused_criteria": ((), ("wasscan.resultsStatus", "finding.ignoredDate")),
    "concurrency_wait": (0, 1, None),
    "concurrent_runs": (1, 2),
    "locator_order": ((), ("external_id",), ("application",), ("fqdn",)),
    "max_file_bytes": (0, 15_000),
    "run_seconds": (0, 0.3),
    "rate_limit": (0, 50),
    "search_delay": (0, 3600),
    "licensed_assets": (0, 3),
    "export_seconds": (0, 0.3),
}
"""Positions of what is neither yes or no nor an enumeration."""


def positions(name: str) -> tuple[object, ...]:
    """Give all positions of a switch, or those that are to be tried."""
    kind = typing.get_type_hints(Switches)[name]
    return MORE.get(name) or ((False, True) if kind is bool else typing.get_args(kind))


def met(name: str) -> tuple[object, ...]:
    """Give the positions that the plugins are to be right in."""
    return tuple(one for one in positions(name) if one not in UNMET.get(name, ()))


EVERY: Final = {one.name: met(one.name) for one in fields(Switches)}
MIXES: Final = [
    {name: every[(place + turn) % len(every)] for place, (name, every) in enumerate(EVERY.items())}
    for turn in range(4)
]
"""Switches that stand as differently as can be: each of their positions is in one of these."""


def test_each_position_is_tried() -> None:
    for name, every in EVERY.items():
        assert len(positions(name)) >= 2, f"{name} has no other position to try"
        assert {mix[name] for mix in MIXES} == set(every)


def test_each_unmet_position_is_one_of_its_switch_but_not_its_default() -> None:
    for name, unmet in UNMET.items():
        assert unmet <= set(positions(name)) - {getattr(Switches(), name)}


@pytest.mark.parametrize("mix", MIXES)
def test_the_tenant_is_as_the_world_is(mix: dict[str, Any], tmp_path: Path) -> None:
    settings: dict[str, Any] = {"max_close_percent": 100}
    with open_sandbox(apps=4, findings=24, **mix) as sandbox:
        settings["tenant_locator_order"] = list(sandbox.tenant.order)
        pair = Pair(sandbox, tmp_path, settings=settings)
        synced = [pair.sync()]
        for full in (False, True):
            sandbox.next_day(turbulent=True)
            synced.append(pair.sync(full_sync=full))

    assert [(one.tap_exit, one.exit_code) for one in synced] == [(0, 0)] * 3
    assert [vars(one.found) for one in synced if not one.found.equal] == []
    assert synced[-1].proven
