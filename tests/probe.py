"""Ask two real accounts what no public source settles: `python -m tests.probe`, never run in CI.

Qualys is only read. In CVM a scratch Data Importer connector is loaded with two made-up assets and
emptied again; nothing is done without `--scratch-connector ID`, which must be a connector made for
this and used for nothing else. The settings are those of the plugins, from the environment or
`.env`. Answers are printed one by one; none of them holds a secret.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tap_qualyswas.errors import QualysError
from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.apply.preflight import connect
from target_ciscovm.errors import CiscoVMError
from target_ciscovm.settings.values import read_settings
from target_ciscovm.target import TargetCiscoVM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_ciscovm.cvm.client import CiscoVMClient

SCANNER: Final = "QualysWASProbe"
URLS: Final = ("https://probe-1.example.test", "https://probe-2.example.test")
MOST_ROWS: Final = 1000
TOLD: Final = {"webapps": ("os", "attributes"), "scans": ("endScanDate", "summary")}
Answer = tuple[str, str]


def main() -> int:
    """Ask what can be asked and print the answers; give 0, or 1 when a side refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.probe", description=__doc__)
    parser.add_argument("--qualys", action="store_true", help="ask Qualys (it is only read)")
    parser.add_argument("--scratch-connector", type=int, metavar="ID", help="load this connector")
    options = parser.parse_args()
    asked: list[Callable[[], Iterator[Answer]]] = []
    if options.qualys:
        asked.append(ask_qualys)
    if options.scratch_connector:
        asked.append(lambda: ask_ciscovm(options.scratch_connector))
    if not asked:
        parser.error("say what to ask: --qualys, --scratch-connector ID, or both")
    return max([print_answers(ask) for ask in asked])


def print_answers(ask: Callable[[], Iterator[Answer]]) -> int:
    """Print answers as they come; give 1 when the other side refused."""
    try:
        for question, answer in ask():
            sys.stderr.write(f"{question}: {answer}\n")
    except (QualysError, CiscoVMError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def ask_qualys() -> Iterator[Answer]:
    """Look at one page of each search."""
    tap = TapQualysWAS(parse_env_config=True)
    yield ("time at Qualys", f"{tap.run.client.started_at():%Y-%m-%dT%H:%M:%SZ}")
    records: dict[str, list[dict[str, Any]]] = {}
    for name in ("webapps", "scans"):
        rows: list[dict[str, Any]] = []
        for row in tap.streams[name].get_records(None):
            rows.append(dict(row) if isinstance(row, dict) else dict(row[0]))
            if len(rows) >= MOST_ROWS:
                break
        records[name] = rows
    ids = [row["id"] for row in records["webapps"]]
    yield ("rows ascend by id", str(ids == sorted(ids)))
    for stream, fields in TOLD.items():
        for name in fields:
            told = sum(row.get(name) not in (None, [], {}) for row in records[stream])
            yield (f"{stream}: rows that tell {name}", f"{told} of {len(records[stream])}")


def ask_ciscovm(connector_id: int) -> Iterator[Answer]:
    """Load a scratch connector and see what becomes of it."""
    config = dict(TargetCiscoVM(parse_env_config=True).config) | {"connector_id": connector_id}
    settings = read_settings(config)
    if settings.login is None:
        return
    api = connect(settings.login, settings.retry_policy)
    found = api.connector()
    yield ("connector", f"{found.id} ({found.name})")
    if api.open_count():
        yield ("not touched", "it has open vulnerabilities, so it is no scratch connector")
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        both = [document(home, 0, [0]), document(home, 0, [1])]
        yield ("one asset in two files of a run, one vulnerability in each", counters(api, both))
        yield ("open after it (1: auto-close looks at a file, 2: at the run)", opened(api))
        other = [document(home, 1, [2])]
        yield ("a file with another asset alone", counters(api, other))
        yield ("open after it (one more: assets that a load lacks are left alone)", opened(api))
        yield ("a file with a bad date", counters(api, [document(home, 0, [0], date="never")]))
        yield ("both assets empty", counters(api, [document(home, n, []) for n in (0, 1)]))
        yield ("open after it (0: all is closed again)", opened(api))


def opened(api: CiscoVMClient) -> str:
    """Tell how many vulnerabilities are open."""
    return str(api.open_count())


def document(home: Path, asset: int, vulns: list[int], *, date: str = "") -> Path:
    """Write a KDI file with one made-up asset."""
    seen = date or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    names = [f"Probe {number}" for number in vulns]
    body = {
        "version": 2,
        "skip_autoclose": False,
        "reset_tags": False,
        "assets": [
            {
                "url": URLS[asset],
                "vulns": [
                    {
                        "scanner_type": SCANNER,
                        "scanner_identifier": f"probe-{number}",
                        "vuln_def_name": name,
                        "status": "open",
                        "last_seen_at": seen,
                    }
                    for number, name in zip(vulns, names, strict=True)
                ],
            }
        ],
        "vuln_defs": [{"scanner_type": SCANNER, "name": name} for name in names],
    }
    path = home / f"probe-{len(list(home.iterdir()))}.json"
    path.write_text(json.dumps(body))
    return path


def say(line: str) -> None:
    """Tell that a wait goes on."""
    sys.stderr.write(f"{line}\n")


def counters(api: CiscoVMClient, files: list[Path]) -> str:
    """Upload and run files, and give the run's counters that are not 0."""
    try:
        numbers = [api.upload(path) for path in files]
        before = [run.id for run in api.runs()]
        run = api.wait(api.run(numbers, runs_before=before), 3600, say)
    except CiscoVMError as error:
        return f"refused: {error}"
    told = {name: value for name, value in vars(run).items() if name.endswith("_count") and value}
    return json.dumps(told)


if __name__ == "__main__":
    sys.exit(main())
