"""Both plugins are right in every position of what is only inferred about the two systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.together import Pair, open_sandbox
from tests.sandbox.faults.positions import MET, positions
from tests.sandbox.faults.switches import TOLD, Switches
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.pair.together import Synced

NO_GUESSES: Final = {"export_seconds", "password", "rate_limit", "run_seconds"}
"""Switches for what is known to differ between accounts and days."""

MIXES: Final = [
    {name: every[(place + turn) % len(every)] for place, (name, every) in enumerate(MET.items())}
    for turn in range(4)
]
"""Switches that stand as differently as can be: each of their positions is in one of these."""


def test_each_position_is_tried() -> None:
    for name, every in MET.items():
        assert len(positions(name)) >= 2, f"{name} has no other position to try"
        assert {mix[name] for mix in MIXES} == set(every)


def test_what_stands_apart_is_a_position_of_its_switch_but_not_its_default() -> None:
    for name, found in TOLD.items():
        assert found <= set(positions(name)) - {getattr(Switches(), name)}


def life(folder: Path, mix: Mapping[str, Any], **settings: object) -> Iterator[Synced]:
    """Give the syncs of three days."""
    with open_sandbox(apps=4, findings=24, **mix) as sandbox:
        told = {"max_close_percent": 100, "tenant_locator_order": list(sandbox.tenant.order)}
        pair = Pair(sandbox, folder, settings={**told, **settings})
        yield pair.sync()
        for full in (False, True):
            sandbox.next_day(turbulent=True)
            yield pair.sync(full_sync=full)


def test_each_guess_stands_in_the_docs() -> None:
    told = (ROOT / "docs" / "limits.md").read_text()
    assert [name for name in MET if name not in NO_GUESSES and f"`{name}`" not in told] == []


@pytest.mark.parametrize("mix", MIXES)
def test_the_tenant_is_as_the_world_is(mix: dict[str, Any], tmp_path: Path) -> None:
    synced = list(life(tmp_path, mix))

    assert [(one.tap_exit, one.exit_code) for one in synced] == [(0, 0)] * 3
    assert [vars(one.found) for one in synced if not one.found.equal] == []
    assert synced[-1].proven


@pytest.mark.parametrize(
    "mix", [{name: one} for name, every in TOLD.items() for one in every], ids=str
)
def test_where_nobody_can_be_right_the_load_that_did_it_says_so(
    mix: dict[str, Any], tmp_path: Path
) -> None:
    known: set[str] = set()
    says = []
    for synced in life(tmp_path, mix, part_max_bytes=2000):
        says.append(synced.exit_code == 1 or "are in Cisco" not in synced.message)
        assert says[-1] or synced.found.findings <= known, synced
        known |= synced.found.findings

    assert any(says)
