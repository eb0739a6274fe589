"""A bench for each test that asks for one, on the day after its first sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox
from tests.sandbox_tests.oracle.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> Iterator[Bench]:
    switches = Switches(rate_limit=0, run_seconds=0)
    with Sandbox(apps=3, findings=30, scans=3, switches=switches) as sandbox:
        made = Bench(sandbox)
        made.load()
        assert made.settle().equal
        made.pass_day()
        yield made
