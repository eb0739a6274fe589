"""Faults of processes strike the plugin that they name, wherever COMMAND has started it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.command.days import run_day
from tests.sandbox.command.home import Home
from tests.sandbox.command.plugins import Command
from tests.sandbox.faults import victims
from tests.sandbox.faults.switches import Switches
from tests.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.command.days import Day

HEAD = f"""#!{sys.executable} -SE
import base64, json, os, signal, sys, urllib.request
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
def call(url, body=None, **headers):
    headers = {{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(url, body, headers)
    return urllib.request.urlopen(request, timeout=10).read()
"""
TAP = """
login = f"{os.environ['TAP_QUALYSWAS_USERNAME']}:{os.environ['TAP_QUALYSWAS_PASSWORD']}"
login = "Basic " + base64.b64encode(login.encode()).decode()
for _ in range(3):
    url = os.environ["TAP_QUALYSWAS_API_URL"] + "/qps/rest/3.0/search/was/finding/"
    call(url, b"<ServiceRequest/>", Authorization=login, Content_Type="text/xml")
"""
TARGET = """
url = os.environ["TARGET_CISCOVM_API_URL"]
url += "/connectors/" + os.environ["TARGET_CISCOVM_CONNECTOR_ID"]
key = {"X_Risk_Token": os.environ["TARGET_CISCOVM_API_KEY"]}
call(url, **key)
try:
    with open("spool", "wb") as spool:
        spool.write(bytes(100_000))
except OSError:
    sys.exit(7)
part = b'--x\\r\\nContent-Disposition: form-data; name="file"; filename="k"\\r\\n\\r\\n'
part += b'{"skip_autoclose": true, "version": 2, "assets": [], "vuln_defs": []}\\r\\n--x--\\r\\n'
form = "multipart/form-data; boundary=x"
file = json.loads(call(url + "/data_file", part, Content_Type=form, **key))["data_file"]
call(url + "/run", json.dumps({"data_files": [file]}).encode(), **key)
while json.loads(call(url + "/connector_runs", **key))[0]["end_time"] is None:
    pass
"""


class Bench:
    """A sandbox in which two stand-ins with the plugins' names can be run."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        for name, text in (("tap-qualyswas", TAP), ("target-ciscovm", TARGET)):
            script = folder / name
            script.write_text(HEAD + text)
            script.chmod(0o700)

    def day(self, line: str, *faults: str) -> Day:
        self.sandbox.faults.arm(*faults)
        shell = ["sh", "-c", f"cd {self.folder}; {line}"]
        command = Command(self.sandbox.faults)
        return run_day(self.sandbox, Home(self.folder / "home"), command, shell)

    def runs(self) -> int:
        return len(self.sandbox.tenant.runs(self.sandbox.connector_id))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Sandbox(apps=1, findings=1, scans=1, switches=Switches(rate_limit=0)) as sandbox:
        yield Bench(tmp_path, sandbox)


def test_without_a_fault_both_stand_ins_end_well(bench: Bench) -> None:
    day = bench.day("./tap-qualyswas && ./target-ciscovm")

    assert day.exit_code == 0
    assert (day.qualys_requests, bench.runs()) == ({"search/was/finding": 3}, 1)


@pytest.mark.parametrize(
    ("fault", "plugin", "exit_code", "uploads", "runs"),
    [
        ("tap-killed", "tap-qualyswas", 137, 0, 0),
        ("tap-terminated", "tap-qualyswas", 143, 0, 0),
        ("target-killed", "target-ciscovm", 137, 1, 0),
        ("target-terminated", "target-ciscovm", 143, 1, 0),
        ("target-killed-before-run", "target-ciscovm", 137, 1, 0),
        ("target-killed-in-run", "target-ciscovm", 137, 1, 1),
        ("disk-full", "target-ciscovm", 7, 0, 0),
    ],
)
def test_each_strikes_its_plugin_at_its_moment(
    bench: Bench, fault: str, plugin: str, exit_code: int, uploads: int, runs: int
) -> None:
    day = bench.day(f"./{plugin}", fault)

    assert day.exit_code == exit_code
    assert bench.sandbox.faults.struck[fault] == 1
    assert (day.ciscovm_requests.get("data_file", 0), bench.runs()) == (uploads, runs)


def test_the_day_after_a_strike_nothing_is_left_of_it(bench: Bench) -> None:
    days = [bench.day("./target-ciscovm", *faults) for faults in (("disk-full",), ())]

    assert [day.exit_code for day in days] == [7, 0]


def test_the_other_plugin_and_who_started_both_live_on(bench: Bench) -> None:
    day = bench.day("./tap-qualyswas; echo $? > tap; ./target-ciscovm", "tap-killed")

    assert (day.exit_code, bench.runs()) == (0, 1)
    assert (bench.folder / "tap").read_text() == "137\n"


def test_a_plugin_that_is_not_there_is_told(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(victims, "PATIENCE", 0.05)
    (bench.folder / "target-ciscovm").rename(bench.folder / "something-else")

    day = bench.day("./something-else target-ciscovm", "target-killed")

    assert day.exit_code == 0
    assert "target-killed: no such process below COMMAND" in capsys.readouterr().err
