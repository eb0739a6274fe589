"""The whole way by the commands of the README: real meltano, real processes, over HTTP.

The first command is started as a person starts it; after that the sandbox runs in this process,
and meltano is forked.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.commands import MELTANO, MELTANO_RUN, Ended, run, run_in_sandbox
from tests.support.processes import BIN, PLUGINS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SIZES: Final = ("--apps", "8", "--findings", "120", "--qids", "20", "--scans", "10")
WRONG_LOGINS: Final = {
    "TAP_QUALYSWAS_PASSWORD": ("Qualys refused the login", "nobodys-word"),
    "TARGET_CISCOVM_API_KEY": ("does not accept the API key", "nobodys-key"),
    "TARGET_CISCOVM_CONNECTOR_ID": ("There is no connector 999999", "999999"),
}

THROUGH_MELTANO: Final = ("TAP_QUALYSWAS_PASSWORD", "TARGET_CISCOVM_API_KEY")
"""One of each plugin: what Meltano sees of a plugin is that it ends, and its log."""


def started(home: Path, options: Sequence[str]) -> Ended:
    """Run both plugins in a sandbox of its own, as a person does."""
    whole = ("--home", str(home), *SIZES, *options)
    return run([sys.executable, "-m", "tests.sandbox", *whole, "--", *MELTANO_RUN], {})


def forked(
    home: Path,
    command: Sequence[str],
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command in a sandbox of its own."""
    server = MELTANO if command[0] == MELTANO_RUN[0] else PLUGINS
    whole = ["--home", str(home), *SIZES, *options]
    return run_in_sandbox(whole, command, environment, server)


def days_of(report: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(report.read_text())["days"]
    return found


@dataclass(frozen=True)
class ThreeDays:
    """A first command that a person calls, and a second call that lives two days more.

    Attributes:
        home: of the sandbox.
        first: how the first command ended.
        second: how the second call ended.
        days: of the reports of both.
    """

    home: Path
    first: Ended
    second: Ended
    days: list[dict[str, Any]]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> ThreeDays:
    folder = tmp_path_factory.mktemp("three-days")
    home, reports = folder / "home", [folder / "1.json", folder / "2.json"]
    first = started(home, ["--turbulent", "--report", str(reports[0])])
    options = ["--turbulent", "--report", str(reports[1]), "--days", "2"]
    second = forked(home, MELTANO_RUN, options)
    return ThreeDays(home, first, second, [day for report in reports for day in days_of(report)])


def test_three_turbulent_days_leave_the_tenant_as_the_world_is(three_days: ThreeDays) -> None:
    days = three_days.days

    assert [(day["exit_code"], day["equal"], day["wrongly_closed"]) for day in days] == [
        (0, True, 0)
    ] * 3
    assert days[0]["tenant"]["open"] > 0


def test_the_first_command_shows_the_table_and_the_second_call_is_incremental(
    three_days: ThreeDays,
) -> None:
    first, second = three_days.first, three_days.second

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "Qualys counts" in first.output
    assert "report.html" in first.output
    assert "can be read by other users" not in first.output
    metrics = re.findall(r"METRIC (\w*) +metric_name=record_count metric_value=\d", first.output)
    assert metrics == ["webapps", "scans", "findings", "knowledge_base", "syncs"]
    assert "Full sync: there is no earlier sync." in first.output
    assert len(re.findall("proof +incremental", second.output)) == 2
    for folder in (three_days.home / "output").glob("*Z-*"):
        report = json.loads((folder / "report.json").read_text())
        assert report["outcome"] == "succeeded"


@pytest.mark.parametrize("variable", THROUGH_MELTANO)
def test_a_wrong_login_is_one_clear_line_and_changes_nothing(variable: str, tmp_path: Path) -> None:
    sentence, value = WRONG_LOGINS[variable]
    report = tmp_path / "r.json"

    ended = forked(tmp_path / "home", MELTANO_RUN, ["--report", str(report)], {variable: value})

    (day,) = days_of(report)
    assert ended.exit_code == 1
    assert day["tenant"] == {"assets": 0, "open": 0, "closed": 0, "tags": 0}
    assert day["ciscovm_requests"].get("data_file", 0) == 0
    assert any(sentence in line for line in ended.output.splitlines()), ended.output
    assert "Traceback" not in ended.output
    assert "BrokenPipe" not in ended.output
    assert "nobodys" not in ended.output


@pytest.mark.parametrize("variable", WRONG_LOGINS)
def test_the_plugin_itself_ends_with_2_for_a_wrong_login(variable: str, tmp_path: Path) -> None:
    sentence, value = WRONG_LOGINS[variable]
    plugin = "tap-qualyswas" if variable.startswith("TAP") else "target-ciscovm"

    command = [str(BIN / plugin), "--config=ENV"]
    ended = forked(tmp_path / "home", command, environment={variable: value})

    assert ended.exit_code == 2, ended.output
    assert sum(sentence in line for line in ended.output.splitlines()) == 1, ended.output
    assert "Traceback" not in ended.output


def test_a_login_that_fails_the_test_of_meltano_is_told_in_words(tmp_path: Path) -> None:
    command = [str(BIN / "meltano"), "config", "test", "tap-qualyswas"]

    ended = forked(tmp_path / "home", command, environment={"TAP_QUALYSWAS_PASSWORD": "no"})

    assert ended.exit_code == 1
    assert any(line.startswith("Qualys refused the login") for line in ended.output.splitlines())


def test_meltano_can_verify_both_sides(tmp_path: Path) -> None:
    meltano = str(BIN / "meltano")

    tap = forked(tmp_path / "home", [meltano, "config", "test", "tap-qualyswas"])
    target = forked(tmp_path / "home", [meltano, "invoke", "target-ciscovm:verify"])

    assert tap.exit_code == 0, tap.output
    assert target.exit_code == 0, target.output
    assert "a load can be sent" in target.output
