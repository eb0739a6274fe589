"""The tap's output loads into targets that nobody here wrote, row for row."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tests.pair.commands import clean_environment
from tests.pair.together import Pair, open_sandbox
from tests.support.json_lines import json_lines
from tests.support.processes import BIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

STREAMS: Final = ("webapps", "scans", "findings", "knowledge_base", "syncs")
KEYS: Final = {
    "webapps": "id",
    "scans": "id",
    "findings": "uniqueId",
    "knowledge_base": "qid",
    "syncs": "syncId",
}
SECONDS: Final = 300
CSV: Final = ("--from", "meltanolabs-target-csv", "target-csv")


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what the tap writes in one full sync."""
    folder = tmp_path_factory.mktemp("tap")
    lines = folder / "out.jsonl"
    with open_sandbox(apps=12, findings=400, qids=30, scans=20) as sandbox:
        pair = Pair(sandbox, folder)
        assert pair.read() == 0
    lines.write_bytes(pair.written)
    return lines


def rows_of(lines: Path) -> Counter[str]:
    messages = json_lines(lines.read_bytes())
    return Counter(row["stream"] for row in messages if row["type"] == "RECORD")


def keys_of(lines: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in STREAMS}
    for row in json_lines(lines.read_bytes()):
        if row["type"] == "RECORD":
            found[row["stream"]].add(str(row["record"][KEYS[row["stream"]]]))
    return found


def tool(*arguments: str) -> list[str]:
    """Give the command that installs a tool apart from this project, and runs it."""
    return [str(BIN / "uv"), "tool", "run", "--python", sys.executable, *arguments]


def load(target: Sequence[str], config: Mapping[str, object], lines: Path, home: Path) -> None:
    """Feed a target of others."""
    settings = home / "config.json"
    settings.write_text(json.dumps(config))
    with lines.open("rb") as stdin:
        done = subprocess.run(
            tool(*target, "--config", str(settings)),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            cwd=home,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]


def from_jsonl(lines: Path, home: Path) -> dict[str, set[str]]:
    out = home / "out"
    out.mkdir()
    load(["target-jsonl"], {"destination_path": str(out)}, lines, home)
    found: dict[str, set[str]] = {}
    for name in STREAMS:
        (file,) = out.glob(f"{name}*.jsonl")
        rows = json_lines(file.read_bytes())
        found[name] = {str(row[KEYS[name]]) for row in rows}
        assert len(found[name]) == len(rows)
    return found


def from_csv(lines: Path, home: Path) -> dict[str, set[str]]:
    out = home / "out"
    out.mkdir()
    csv.field_size_limit(10**8)
    load(CSV, {"output_path": str(out)}, lines, home)
    found: dict[str, set[str]] = {}
    for name in STREAMS:
        (file,) = out.glob(f"{name}*.csv")
        with file.open(newline="", encoding="utf-8") as text:
            rows = list(csv.DictReader(text))
        found[name] = {row[KEYS[name]] for row in rows}
        assert len(found[name]) == len(rows)
    return found


def from_singer_files(lines: Path, home: Path) -> dict[str, set[str]]:
    out = home / "out"
    config = {"destination": "local", "local": {"folder": str(out), "recursive": False}}
    load(["target-singer-jsonl"], config, lines, home)
    found: dict[str, set[str]] = {}
    for name in STREAMS:
        (file,) = (out / name).iterdir()
        messages = json_lines(gzip.decompress(file.read_bytes()))
        rows = [message["record"] for message in messages if message["type"] == "RECORD"]
        found[name] = {str(row[KEYS[name]]) for row in rows}
        assert len(found[name]) == len(rows)
    return found


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("read_back", [from_jsonl, from_csv, from_singer_files])
def test_a_target_of_others_holds_each_row_of_the_tap(
    read_back: Callable[[Path, Path], dict[str, set[str]]], output: Path, tmp_path: Path
) -> None:
    assert rows_of(output)["findings"] == 400

    assert read_back(output, tmp_path) == keys_of(output)
