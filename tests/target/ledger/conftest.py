"""A ledger for each test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from target_ciscovm.ledger.ledger import Ledger
from tests.target.ledger.ledgers import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "output" / "ledger-42.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path, HOME) as ledger:
        yield ledger
