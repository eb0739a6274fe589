"""`python -m tests.sandbox`: days, exit codes, what is kept, and the report to the letter."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests

from tests.sandbox.__main__ import main
from tests.sandbox.command.home import Home
from tests.sandbox.sandbox import BUNDLES

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = "127.0.0.1"
ROOT: Final = Path(__file__).resolve().parents[2]
SMALL: Final = ("--apps", "2", "--findings", "6", "--qids", "3", "--scans", "2")
VARIABLES: Final = (
    "TAP_QUALYSWAS_API_URL",
    "TAP_QUALYSWAS_USERNAME",
    "TAP_QUALYSWAS_PASSWORD",
    "TARGET_CISCOVM_API_URL",
    "TARGET_CISCOVM_API_KEY",
    "TARGET_CISCOVM_CONNECTOR_ID",
)
DAY: Final = {
    "exit_code": int,
    "qualys_requests": dict,
    "ciscovm_requests": dict,
    "world": dict,
    "tenant": dict,
    "equal": bool,
    "wrongly_closed": int,
    "wrongly_open": int,
    "seconds": float,
}
POST: Final = """
import json, os, requests
vuln = {"scanner_type": "S", "scanner_identifier": "1", "vuln_def_name": "D", "status": "open",
        "last_seen_at": "2026-03-01T00:00:00Z"}
load = {"skip_autoclose": True, "version": 2,
        "assets": [{"url": "https://a.example.test/", "tags": ["t"], "vulns": [vuln]}],
        "vuln_defs": [{"scanner_type": "S", "name": "D"}]}
requests.post(
    f"{os.environ['TARGET_CISCOVM_API_URL']}/connectors/"
    f"{os.environ['TARGET_CISCOVM_CONNECTOR_ID']}/data_file",
    headers={"X-Risk-Token": os.environ["TARGET_CISCOVM_API_KEY"]},
    files={"file": json.dumps(load)}, data={"run": "true"}, timeout=10,
).raise_for_status()
"""


class Line:
    """A command line with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.home, self.report = folder / "home", folder / "r.json"

    def arguments(self, options: Sequence[str], command: Sequence[str]) -> list[str]:
        own = ["--home", str(self.home), "--report", str(self.report)]
        return [*own, *SMALL, *options, "--", *command]

    def __call__(self, *command: str, options: Sequence[str] = ()) -> int:
        return main(self.arguments(options, command))

    def days(self) -> list[dict[str, Any]]:
        (key, days), *others = json.loads(self.report.read_text()).items()
        assert (key, others) == ("days", [])
        found: list[dict[str, Any]] = days
        return found


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def shell(text: str) -> tuple[str, ...]:
    return ("sh", "-c", text)


def test_the_report_has_exactly_these_fields_of_these_types_for_each_day(line: Line) -> None:
    assert line("true", options=["--days", "3"]) == 0

    days = line.days()
    assert len(days) == 3
    for day in days:
        assert {name: type(value) for name, value in day.items()} == DAY
        assert set(day["world"]) == {"open", "fixed"}
        assert set(day["tenant"]) == {"assets", "open", "closed", "tags"}


def test_the_report_counts_what_a_command_asked_and_changed(line: Line) -> None:
    assert line(sys.executable, "-c", POST) == 0

    (day,) = line.days()
    assert day["tenant"] == {"assets": 1, "open": 1, "closed": 0, "tags": 1}
    assert (day["ciscovm_requests"], day["qualys_requests"]) == ({"data_file": 1}, {})
    assert not day["equal"]


def test_the_six_variables_and_the_plugins_scripts_reach_the_command(
    line: Line, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    line(*shell(f"env > {told}"))

    names = {text.partition("=")[0] for text in told.read_text().splitlines()}
    assert names.issuperset(VARIABLES)
    assert f"PATH={Path(sys.executable).parent}{os.pathsep}" in told.read_text()


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        ("exit 0", 0),
        ("exit 3", 3),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
    ],
)
def test_the_exit_code_is_the_commands_whatever_ended_it(
    line: Line, command: str, exit_code: int
) -> None:
    assert line(*shell(command)) == exit_code
    assert line.days()[0]["exit_code"] == exit_code


def test_a_bad_day_does_not_end_the_days_but_shows_in_the_exit_code(line: Line) -> None:
    flag = line.home / "flag"
    code = line(*shell(f"test -e {flag} || {{ touch {flag}; exit 4; }}"), options=["--days", "3"])

    assert (code, [day["exit_code"] for day in line.days()]) == (4, [4, 0, 0])


def test_a_command_that_is_not_there_is_told(
    line: Line, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert line("no-such-command") == 127
    assert line(str(tmp_path)) == 126
    assert "cannot run 'no-such-command': No such file" in capsys.readouterr().err


def test_a_second_call_is_the_next_day_of_the_same_world(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    line(sys.executable, "-c", POST)
    line("true")

    assert line.days()[0]["tenant"]["open"] == 1
    assert "day 2 of the world" in capsys.readouterr().err


def test_fresh_forgets_the_world_the_tenant_and_all_of_meltano(line: Line) -> None:
    keep = 'mkdir -p "$MELTANO_SYS_DIR_ROOT" && touch "$MELTANO_SYS_DIR_ROOT/meltano.db"'
    state = 'touch "${MELTANO_STATE_BACKEND_URI#file://}/state.json"'
    line(*shell(f"{keep} && {state}"))
    home = Home(line.home)
    assert (home.state / "state.json").exists()
    assert line(*shell('test -e "$MELTANO_SYS_DIR_ROOT/meltano.db"')) == 0

    assert line(*shell('test -e "$MELTANO_SYS_DIR_ROOT/meltano.db"'), options=["--fresh"]) == 1
    assert not (home.state / "state.json").exists()
    assert line.days()[0]["tenant"]["assets"] == 0


@pytest.mark.parametrize(("fault", "left"), [("state-lost@3", "3"), ("state-old@3", "1 3")])
def test_faults_of_the_state_strike_before_their_day(line: Line, fault: str, left: str) -> None:
    state = '"${MELTANO_STATE_BACKEND_URI#file://}/state"'
    script = f"day=$(($(cat {line.home}/day || echo 0) + 1)); echo $day > {line.home}/day; "
    script += f'test -e {state} && before="$(cat {state}) "; printf %s "$before$day" > {state}'

    assert line(*shell(script), options=["--days", "3", "--fault", fault]) == 0
    assert (Home(line.home).state / "state").read_text() == left


def test_other_sizes_than_the_kept_ones_begin_a_new_world(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    line("true")
    line("true", options=["--findings", "9"])

    assert "has other sizes: a new one begins" in capsys.readouterr().err
    assert sum(line.days()[0]["world"].values()) == 9


def test_a_damaged_home_is_told_and_left_alone(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    line("true")
    (line.home / "tenant.json").write_text("{")

    assert line("true") == 2
    assert "start anew with --fresh" in capsys.readouterr().err
    assert line("true", options=["--fresh"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a COMMAND is missing"),
        (["--serve", "--", "true"], "--serve takes no COMMAND"),
        (["--fault", "no-such", "--", "true"], "unknown fault 'no-such'"),
        (["--days", "0", "--", "true"], "0 is not at least 1"),
        (["--latency-ms", "-1", "--", "true"], "-1 is negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_latency_is_added_to_every_answer(line: Line) -> None:
    line(sys.executable, "-c", POST, options=["--latency-ms", "300"])

    assert line.days()[0]["seconds"] > 0.3


def start(line: Line, options: Sequence[str], *command: str) -> subprocess.Popen[str]:
    arguments = line.arguments(options, command) if command else ["--home", str(line.home)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.sandbox", *([] if command else options), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_the_variables_and_serves_until_it_is_told_to_end(
    line: Line, number: signal.Signals
) -> None:
    with start(line, ["--serve"]) as process:
        assert process.stdout
        names = set[str]()
        while not names.issuperset(VARIABLES):
            names.add(process.stdout.readline().removeprefix("export ").partition("=")[0])
        process.send_signal(number)
        assert process.wait(20) == 0

    assert Home(line.home).exists()


def free_ports() -> int:
    """Give a port that is free, as is the next one."""
    while True:
        with socket.create_server((HERE, 0)) as first, suppress(OSError):
            port: int = first.getsockname()[1]
            socket.create_server((HERE, port + 1)).close()
            return port


def test_serve_with_tls_on_ports_that_stay(line: Line) -> None:
    port = free_ports()
    with start(line, ["--serve", "--tls", "--port", str(port)]) as process:
        assert process.stdout
        told = dict[str, str]()
        while not told.keys() >= {*VARIABLES, *BUNDLES}:
            name, _, value = process.stdout.readline().removeprefix("export ").partition("=")
            told[name] = shlex.split(value)[0]
        login = (told["TAP_QUALYSWAS_USERNAME"], told["TAP_QUALYSWAS_PASSWORD"])
        url = told["TAP_QUALYSWAS_API_URL"]
        answer = requests.get(
            f"{url}/qps/rest/3.0/count/was/webapp",
            auth=login,
            verify=told["REQUESTS_CA_BUNDLE"],
            timeout=20,
        )
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=20)
        process.terminate()
        assert process.wait(20) == 0
    assert "<responseCode>SUCCESS" in answer.text
    assert url == f"https://127.0.0.1:{port}"
    assert told["TARGET_CISCOVM_API_URL"] == f"https://127.0.0.1:{port + 1}"


def test_a_port_that_is_taken_is_named(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
        assert line("true", options=["--port", str(port)]) == 2
    assert f"port {port} or the next one cannot be had" in capsys.readouterr().err


def test_a_sandbox_that_is_told_to_end_takes_its_command_along(line: Line) -> None:
    with start(line, ["--days", "5"], *shell("echo up; exec sleep 60")) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        began = time.monotonic()
        process.terminate()
        assert process.wait(20) == 143

    assert time.monotonic() - began < 10
    assert [day["exit_code"] for day in line.days()] == [143]


def test_a_sandbox_can_be_told_to_end_from_the_first_moment_on(line: Line) -> None:
    with start(line, [], *shell("kill -TERM $PPID; exec sleep 60")) as process:
        assert process.wait(20) == 143
