"""Each promised fault, once, on the real plugins in real processes: nothing wrong, and it heals.

The two commands are joined by a shell as Meltano joins them, which is quicker than Meltano: the
state goes from the target's output to the tap's next start. Where a fault strikes one of the two,
they are joined in the same way by `piping`.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.commands import run, run_in_sandbox

if TYPE_CHECKING:
    from pathlib import Path

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

QUICK: Final = {"TARGET_CISCOVM_POLL_SECONDS": "1"}
FORKED_PIPE: Final = (sys.executable, "-m", "tests.sandbox_tests.piping")


@dataclass(frozen=True)
class Lived:
    """What some days left behind.

    Attributes:
        days: of the report.
        log: of the sandbox and of all that it ran.
    """

    days: list[dict[str, Any]]
    log: str

    @property
    def ended(self) -> list[str]:
        """Give how the two commands ended on each day."""
        told = [line for line in self.log.splitlines() if line.startswith("ENDED ")]
        return [line.removeprefix("ENDED ") for line in told]


def read(report: Path, log: str) -> Lived:
    """Look at what is true of all days."""
    assert report.exists(), log
    assert "Traceback" not in log, log
    return Lived(json.loads(report.read_text())["days"], log)


def options(home: Path, report: Path, number: int, *faults: str) -> list[str]:
    places = ["--home", str(home), "--report", str(report)]
    named = [word for fault in faults for word in ("--fault", fault)]
    return [*places, *SIZES, "--days", str(number), *named]


def started(home: Path, line: str) -> Lived:
    """Live a day with a line of a shell, by the commands that a person calls."""
    report = home.with_suffix(".json")
    command = [sys.executable, "-m", "tests.sandbox", *options(home, report, 1)]
    return read(report, run([*command, "--", "bash", "-c", line], QUICK).output)


def days(home: Path, number: int, *faults: str) -> Lived:
    """Live some days with faults."""
    report = home.with_suffix(".json")
    ended = run_in_sandbox(options(home, report, number, *faults), FORKED_PIPE, QUICK)
    return read(report, ended.output)


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home with one good day behind it."""
    home = tmp_path_factory.mktemp("table") / "home"
    lived = started(home, PIPE)
    assert ([day["equal"] for day in lived.days], lived.ended) == ([True], ["0 0"])
    return home


@pytest.mark.parametrize("fault", TABLE)
def test_a_fault_does_no_harm_and_later_days_heal(
    fault: str, first_day: Path, tmp_path: Path
) -> None:
    way = TABLE[fault]
    home = tmp_path / "home"
    shutil.copytree(first_day, home)

    lived = days(home, 1 + way.heals_on, f"{fault}@1")

    found = lived.days
    assert lived.ended == [way.ended, *["0 0"] * way.heals_on]
    assert held(found[0]) == (max(map(int, way.ended.split())), way.loaded)
    assert [day["wrongly_closed"] for day in found] == [0] * len(found)
    assert found[-1]["equal"]


def held(day: dict[str, Any]) -> tuple[int, bool]:
    """Give the exit code, and whether as much is open in the tenant as in the world."""
    return day["exit_code"], day["tenant"]["open"] == day["world"]["open"]


def test_faults_day_after_day_do_no_harm(tmp_path: Path) -> None:
    faults = [f"{fault}@{day}" for day, fault in enumerate(IN_A_ROW, start=2)]
    ways = [Way("0 0", loaded=True), *IN_A_ROW.values()]

    lived = days(tmp_path / "home", len(ways), *faults)

    found = lived.days
    assert lived.ended == [way.ended for way in ways]
    loaded = [(max(map(int, way.ended.split())), way.loaded) for way in ways]
    assert [held(day) for day in found] == loaded
    assert [day["wrongly_closed"] for day in found] == [0] * len(found)
    assert [day["equal"] for day in found if day["exit_code"] == 0] == [True] * 8


def test_of_two_loads_at_once_one_is_refused_and_has_sent_nothing(tmp_path: Path) -> None:
    lived = started(tmp_path / "home", AT_ONCE)

    (day,) = lived.days
    assert "ENDED 0 1" in lived.log
    assert "is being loaded by process" in lived.log
    assert (day["exit_code"], day["equal"]) == (0, True)
    assert day["ciscovm_requests"]["run"] == 1
