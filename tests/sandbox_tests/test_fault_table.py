"""Each promised fault, once, on the real plugins in real processes: nothing wrong, and it heals.

The two commands are joined by a shell as Meltano joins them, which is quicker than Meltano: the
state goes from the target's output to the tap's next start.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SIZES: Final = ("--apps", "4", "--findings", "40")
PIPE: Final = """
state="${MELTANO_STATE_BACKEND_URI#file://}/state.json"
known=$(test -s "$state" && echo "--state=$state")
tap-qualyswas --config=ENV $known | target-ciscovm --config=ENV > "$state.new"
ended=("${PIPESTATUS[@]}")
tail -n 1 "$state.new" > "$state.last"
test -s "$state.last" && mv "$state.last" "$state"
echo "ENDED ${ended[*]}" >&2
test "${ended[1]}" = 0 && exit "${ended[0]}"
exit "${ended[1]}"
"""

AT_ONCE: Final = """
cd "${MELTANO_STATE_BACKEND_URI#file://}/.."
tap-qualyswas --config=ENV > lines
{ cat lines; until test -e second; do sleep 0.05; done; } | target-ciscovm --config=ENV > first &
for _ in $(seq 400); do test -s output/connector-*.lock && break; sleep 0.05; done
target-ciscovm --config=ENV < lines > state-of-second 2> log-of-second
code=$?
mv state-of-second second
wait $!
echo "ENDED $? $code" >&2
cat log-of-second >&2
test ! -s second
"""
"""The second load begins and ends while the first one waits for the end of its input."""


@dataclass(frozen=True)
class Way:
    """How a day with a fault ends.

    Attributes:
        ended: exit codes of tap and target.
        loaded: whether the tenant is right at the end of that very day.
        heals_on: the day, counted from the one after it, at whose end it has to be.
    """

    ended: str
    loaded: bool
    heals_on: int = 1


TABLE: Final = {
    "tap-killed": Way("137 0", loaded=False, heals_on=2),
    "tap-terminated": Way("143 0", loaded=False, heals_on=2),
    "tap-error": Way("1 0", loaded=False, heals_on=2),
    "target-killed": Way("0 137", loaded=False),
    "target-terminated": Way("0 143", loaded=False),
    "target-killed-before-run": Way("0 137", loaded=False),
    "target-killed-in-run": Way("0 137", loaded=True),
    "disk-full": Way("0 1", loaded=False),
    "state-lost": Way("0 0", loaded=True),
    "state-old": Way("0 0", loaded=True),
}
"""Of processes, disks and files: each on the second day of a world of its own.

A run that goes on where an interrupted one stopped reads no news of what that one had read: the
one after it does.
"""

IN_A_ROW: Final = {
    "qualys-busy": Way("0 0", loaded=True),
    "qualys-cut-body": Way("0 0", loaded=True),
    "qualys-html": Way("0 0", loaded=True),
    "run-fails": Way("0 1", loaded=False),
    "qualys-empty": Way("0 0", loaded=True),
    "upload-422": Way("0 0", loaded=True),
    "payload-fails": Way("0 1", loaded=False),
    "lost-run-answer": Way("0 0", loaded=True),
    "poll-errors": Way("0 0", loaded=True),
}
"""Of the two systems: one a day, so that the day after is what heals."""

FOREIGN: Final = ("TAP_QUALYSWAS_", "TARGET_CISCOVM_", "MELTANO_")


def days(
    home: Path, number: int, *faults: str, line: str = PIPE
) -> tuple[list[dict[str, Any]], list[str]]:
    """Live some days; give the report's days, and how the two commands ended on each."""
    found, log = lived(home, number, *faults, line=line)
    told = [one for one in log.splitlines() if one.startswith("ENDED ")]
    return found, [one.removeprefix("ENDED ") for one in told]


def lived(
    home: Path, number: int, *faults: str, line: str = PIPE
) -> tuple[list[dict[str, Any]], str]:
    """Live some days; give the report's days, and all that was logged."""
    report = home.with_suffix(".json")
    options = ["--home", home, *SIZES, "--days", number, "--report", report]
    options += [word for fault in faults for word in ("--fault", fault)]
    command = [sys.executable, "-m", "tests.sandbox", *options, "--", "bash", "-c", line]
    env = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
    env["TARGET_CISCOVM_POLL_SECONDS"] = "1"
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False
    )
    assert report.exists(), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    found: list[dict[str, Any]] = json.loads(report.read_text())["days"]
    return found, done.stderr


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home with one good day behind it."""
    home = tmp_path_factory.mktemp("table") / "home"
    found, ended = days(home, 1)
    assert ([day["equal"] for day in found], ended) == ([True], ["0 0"])
    return home


@pytest.mark.parametrize("fault", TABLE)
def test_a_fault_does_no_harm_and_later_days_heal(
    fault: str, first_day: Path, tmp_path: Path
) -> None:
    way = TABLE[fault]
    home = tmp_path / "home"
    shutil.copytree(first_day, home)

    found, ended = days(home, 1 + way.heals_on, f"{fault}@1")

    assert ended == [way.ended, *["0 0"] * way.heals_on]
    assert held(found[0]) == (max(map(int, way.ended.split())), way.loaded)
    assert [day["wrongly_closed"] for day in found] == [0] * len(found)
    assert found[-1]["equal"]


def held(day: dict[str, Any]) -> tuple[int, bool]:
    """Give the exit code, and whether as much is open in the tenant as in the world."""
    return day["exit_code"], day["tenant"]["open"] == day["world"]["open"]


def test_faults_day_after_day_do_no_harm(tmp_path: Path) -> None:
    faults = [f"{fault}@{day}" for day, fault in enumerate(IN_A_ROW, start=2)]
    ways = [Way("0 0", loaded=True), *IN_A_ROW.values()]

    found, ended = days(tmp_path / "home", len(ways), *faults)

    assert ended == [way.ended for way in ways]
    loaded = [(max(map(int, way.ended.split())), way.loaded) for way in ways]
    assert [held(day) for day in found] == loaded
    assert [day["wrongly_closed"] for day in found] == [0] * len(found)
    assert [day["equal"] for day in found if day["exit_code"] == 0] == [True] * 8


def test_of_two_loads_at_once_one_is_refused_and_has_sent_nothing(tmp_path: Path) -> None:
    found, log = lived(tmp_path / "home", 1, line=AT_ONCE)

    (day,) = found
    assert "ENDED 0 1" in log
    assert "is being loaded by process" in log
    assert (day["exit_code"], day["equal"]) == (0, True)
    assert day["ciscovm_requests"]["run"] == 1
