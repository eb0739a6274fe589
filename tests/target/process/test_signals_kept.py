"""No signal that asks for the end is lost: nothing runs in a load that drops what is raised."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from tests.support import processes
from tests.support.processes import ROOT
from tests.target.rows import entry, finding, scan, webapp
from tests.target.streams import joined, record, schema

if TYPE_CHECKING:
    from pathlib import Path

# msgspec makes a decoder of types by asking them for their hashes, and clears any error that comes
# of it. Those of `typing` are Python's own code, where handlers of signals may run.
WATCHED: Final = """
import json, sys
from tests.target.loads import load

def within_a_run(frame):
    while frame and not frame.f_code.co_filename.endswith("target_ciscovm/run.py"):
        frame = frame.f_back
    return frame is not None

def watch(frame, event, _):
    code = frame.f_code
    if event == "call" and code.co_name in ("__hash__", "__eq__"):
        if code.co_filename.endswith("typing.py") and within_a_run(frame):
            asked.append(f"{frame.f_back.f_code.co_filename}:{frame.f_back.f_lineno}")

asked, given = [], sys.stdin.buffer.read()
sys.setprofile(watch)
loaded = load(given, json.loads(sys.argv[1]))
sys.setprofile(None)
print(json.dumps([loaded.exit_code, asked]))
"""


def test_no_decoder_is_made_while_a_load_runs(tmp_path: Path) -> None:
    rows = {
        "webapps": webapp(),
        "scans": scan(),
        "findings": finding(),
        "knowledge_base": entry(),
        "syncs": {"syncId": "s"},
    }
    odd = [record("findings", finding(number, severity="3")) for number in (2, 3)]
    given = joined(
        *(schema(name) for name in rows),
        *(record(name, row) for name, row in rows.items()),
        *odd,
    )

    told = processes.run(
        [sys.executable, "-c", WATCHED, json.dumps({"output_path": str(tmp_path)})],
        cwd=ROOT,
        given=given,
        timeout=60,
    )

    assert told.returncode == 0
    assert json.loads(told.stdout.splitlines()[-1]) == [0, []]
