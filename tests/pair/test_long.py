"""The long form of the weeks, for a nightly job: `python -m tests --only tests -- -m long`."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.pair.figures import FIGURES
from tests.pair.together import Pair, auto_closed, open_sandbox
from tests.pair.weather import PASSING
from tests.pair.weeks import Weeks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(7200)

DAYS: Final = 60
APPS: Final = 200
SHORT_DAYS: Final = 10
SHORT_APPS: Final = 20


class LongWeeks(Weeks):
    """The same machine with far more steps to an example."""


TestLongWeeks = pytest.mark.long(LongWeeks.TestCase)
TestLongWeeks.settings = settings(
    # Others each night: what fails is told with what reproduces it, beside the figures.
    max_examples=int(os.environ.get("LONG_EXAMPLES", "120")),
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def live(home: Path, *, days: int, apps: int, findings: int) -> None:
    """Let so many turbulent days pass, each with a fault, and a full sync in fine weather last."""
    pick = random.Random(days)
    with open_sandbox(apps=apps, findings=findings, qids=60, scans=apps) as sandbox:
        pair = Pair(sandbox, home, settings={"max_close_percent": 99})
        for _ in range(days):
            fault = pick.choice(PASSING)
            sandbox.faults.arm(f"{fault}+{pick.randrange(5)}")
            synced = pair.sync()
            FIGURES.update({"days": 1, "syncs": 1, "faults survived": 1})
            sandbox.faults.disarm()
            assert not synced.found.wrongly_closed, (fault, synced)
            sandbox.next_day(turbulent=True)
        healed = pair.sync(full_sync=True)
        assert (healed.exit_code, healed.proven) == (0, True)
        assert healed.found.equal, healed.found
        assert not auto_closed(sandbox)


def test_ten_days_of_faults_close_nothing_wrong_and_the_next_full_sync_heals(
    tmp_path: Path,
) -> None:
    live(tmp_path, days=SHORT_DAYS, apps=SHORT_APPS, findings=200)


@pytest.mark.long
def test_sixty_days_of_faults_close_nothing_wrong_and_the_next_full_sync_heals(
    tmp_path: Path,
) -> None:
    live(tmp_path, days=DAYS, apps=APPS, findings=4000)
