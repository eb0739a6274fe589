"""A pair on a machine that forgets everything but the state: its ledger is made anew each night."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from tests.pair.figures import FIGURES
from tests.pair.together import Pair, open_sandbox
from tests.pair.weather import PASSING

if TYPE_CHECKING:
    from pathlib import Path

NIGHTS: Final = 28
FULL_EVERY: Final = 7
OF_READING: Final = (
    "export-429",
    "export-slow",
    "export-refused",
    "export-failed",
    "export-expired",
    "export-killed",
    "export-cut",
    "export-bad-gzip",
    "export-short",
    "search-refused",
)
"""Faults of the calls by which CVM is asked what it holds."""


@pytest.mark.parametrize(("seed", "model"), [(3, "vulnerabilities"), (8, "findings")])
def test_four_weeks_without_any_ledger(seed: int, model: str, tmp_path: Path) -> None:
    with open_sandbox(apps=6, findings=60, qids=12, seed=seed) as sandbox:
        pair = Pair(sandbox, tmp_path, settings={"max_close_percent": 99, "data_model": model})
        for night in range(NIGHTS):
            for path in tmp_path.glob("ledger-*.db"):
                path.unlink()
            full = night % FULL_EVERY == FULL_EVERY - 1

            synced = pair.sync(full_sync=full)

            FIGURES.update({"days": 1, "syncs": 1})
            assert (synced.exit_code, synced.outcome) == (0, "succeeded"), (night, synced)
            assert synced.found.equal, (night, synced.found.differences)
            assert synced.proven or not full
            sandbox.next_day(turbulent=True)


def test_nights_on_a_machine_that_forgets_everything(tmp_path: Path) -> None:
    with open_sandbox(apps=4, findings=30, seed=4) as sandbox:
        pair = Pair(sandbox, tmp_path, settings={"max_close_percent": 99})
        for _ in range(5):
            for path in tmp_path.glob("ledger-*.db"):
                path.unlink()
            pair.state = {}

            synced = pair.sync()

            assert (synced.exit_code, synced.outcome) == (0, "succeeded"), synced
            assert synced.proven
            assert synced.found.equal, synced.found.differences
            sandbox.next_day(turbulent=True)


def test_weeks_in_which_the_ledger_is_lost_or_put_back_at_random(tmp_path: Path) -> None:
    live_forgetfully(tmp_path, 0, nights=21)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(1, 11))
def test_months_in_which_the_ledger_is_lost_or_put_back_at_random(
    seed: int, tmp_path: Path
) -> None:
    live_forgetfully(tmp_path, seed, nights=60)


def live_forgetfully(home: Path, seed: int, *, nights: int) -> None:
    """Let nights pass with faults, of which many begin without the ledger, or with an old one.

    Some loads are verified, and some are followed by an audit.
    """
    pick = random.Random(seed)
    with open_sandbox(apps=6, findings=60, qids=12, seed=seed + 1) as sandbox:
        pair = Pair(sandbox, home, settings={"max_close_percent": 99})
        ledger = home / f"ledger-{sandbox.connector_id}.db"
        copies: list[bytes] = []
        for night in range(nights):
            if ledger.exists():
                copies.append(ledger.read_bytes())
            what = pick.choice(["lost", "put back", "kept"])
            if what == "lost":
                ledger.unlink(missing_ok=True)
            elif what == "put back" and copies:
                ledger.write_bytes(pick.choice(copies))
            sandbox.faults.arm(f"{pick.choice(PASSING)}+{pick.randrange(5)}")
            reading = f"{pick.choice(OF_READING)}+{pick.randrange(2)}"
            sandbox.faults.arm(reading)
            pair.settings["verify_load"] = pick.choice(["never", "suspicion", "every_run"])

            synced = pair.sync(full_sync=pick.random() < 1 / 4)
            sandbox.faults.disarm()
            if pick.random() < 1 / 3 and ledger.exists():
                sandbox.faults.arm(reading)
                assert pair.audit() in {0, 1}
                sandbox.faults.disarm()

            FIGURES.update({"days": 1, "syncs": 1, "faults survived": 1})
            assert not synced.found.wrongly_closed, (night, what, synced)
            sandbox.next_day(turbulent=True)
        healed = pair.sync(full_sync=True)
        assert (healed.exit_code, healed.proven) == (0, True), healed
        assert healed.found.equal, healed.found
        assert pair.audit() == 0


def test_a_pair_that_is_verified_each_night(tmp_path: Path) -> None:
    with open_sandbox(apps=6, findings=60, qids=12, seed=5) as sandbox:
        settings = {"max_close_percent": 99, "verify_load": "every_run"}
        pair = Pair(sandbox, tmp_path, settings=settings)
        for _ in range(14):
            synced = pair.sync()

            assert (synced.exit_code, synced.outcome) == (0, "succeeded"), synced
            found = pair.report["verification"]
            held = sandbox.tenant.held(sandbox.connector_id)
            assert found["kinds"] == []
            assert found["in_ledger"] == found["in_cvm"] == sum(one.is_open for one in held)
            sandbox.next_day(turbulent=True)
