"""A folder of reports of a made-up world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.world.clock import Clock
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World
from tests.tap.exports import Exports

if TYPE_CHECKING:
    from pathlib import Path

SIZE: Final = WorldSize(apps=4, findings=60, qids=20, scans=6)


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(World(SIZE, Clock()), tmp_path / "reports")
