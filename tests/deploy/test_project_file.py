"""The project file `meltano.yml`: its demo environment, and its blocks for targets of others."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tests.pair.commands import MELTANO, MELTANO_RUN, Ended, clean_environment, run_in_sandbox
from tests.support.json_lines import json_lines
from tests.support.processes import BIN, ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

ROWS: Final = {"webapps": 6, "findings": 60}
SIZES: Final = ("--apps", "6", "--findings", "60", "--qids", "10", "--scans", "6")
REAL: Final = {
    "TAP_QUALYSWAS_API_URL": "https://qualysapi.example.test",
    "TAP_QUALYSWAS_USERNAME": "someone",
    "TAP_QUALYSWAS_PASSWORD": "nobodys-word",
    "TARGET_CISCOVM_API_URL": "https://api.example.test",
    "TARGET_CISCOVM_API_KEY": "nobodys-key",
    "TARGET_CISCOVM_CONNECTOR_ID": "3",
    "HTTPS_PROXY": "http://proxy.example.test:3128",
    "https_proxy": "http://proxy.example.test:3128",
    "no_proxy": "*",
}


@pytest.mark.parametrize("command", ["tap-qualyswas:test", "target-ciscovm:verify"])
def test_the_demo_calls_nobody_whatever_the_settings_say(command: str, tmp_path: Path) -> None:
    environment = clean_environment() | REAL | {"MELTANO_SYS_DIR_ROOT": str(tmp_path)}

    done = run(
        [str(BIN / "meltano"), "invoke", command],
        server=MELTANO,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=ROOT,
        timeout=120,
    )

    assert done.returncode != 0
    assert b"The environment demo reaches this machine only. Use --environment=prod." in done.stdout


def load(target: str, variables: dict[str, str], home: Path) -> Ended:
    command = [*MELTANO_RUN[:2], "tap-qualyswas", target]
    return run_in_sandbox(["--home", str(home), *SIZES], command, variables, MELTANO)


def test_the_block_of_target_jsonl_loads_each_row(tmp_path: Path) -> None:
    out = tmp_path / "out"

    ended = load("target-jsonl", {"TARGET_JSONL_DESTINATION_PATH": str(out)}, tmp_path / "home")

    assert ended.exit_code == 0, ended.output
    files = {name: next(out.glob(f"{name}-*.jsonl")) for name in ROWS}
    assert {name: len(json_lines(file.read_bytes())) for name, file in files.items()} == ROWS


COUNT: Final = """
import sys, duckdb
with duckdb.connect(sys.argv[1]) as database:
    for name in sys.argv[2:]:
        print(name, database.execute(f"select count(*) from qualyswas.{name}").fetchone()[0])
"""


def test_the_block_of_target_duckdb_loads_each_row(tmp_path: Path) -> None:
    file, home = tmp_path / "out.duckdb", tmp_path / "home"

    ended = load("target-duckdb", {"TARGET_DUCKDB_PATH": str(file)}, home)

    assert ended.exit_code == 0, ended.output
    python = home / "meltano" / "loaders" / "target-duckdb" / "venv" / "bin" / "python"
    told = subprocess.check_output([python, "-c", COUNT, str(file), *ROWS], text=True)
    rows = Counter({name: int(count) for name, count in map(str.split, told.splitlines())})
    assert rows == ROWS
