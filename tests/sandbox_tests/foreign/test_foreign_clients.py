"""Public clients, each in an environment of its own, read from the sandbox what its world holds.

`qualysetl` is not one of them: it does not run as root or without swap, and it only accepts API
hosts whose names contain `qualysapi.`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.faults.switches import Switches
from tests.sandbox.http.authority import Authority
from tests.sandbox.sandbox import Sandbox
from tests.support.processes import BIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sandbox.world.world import World

pytestmark = pytest.mark.outside

HERE: Final = Path(__file__).parent
# One of them takes evidence that bears the mark for an object.
SWITCHES: Final = Switches(marked_evidence=False)
CLIENTS: Final = {
    "qualysapi": ("qualysapi==8.1.0", "lxml"),
    "qualysdk": ("qualysdk==0.3.17",),
    "qualys_cli": ("qualys-cli==0.2.0",),
}


def python_with(folder: Path, packages: tuple[str, ...]) -> Path:
    """Make an environment that holds these packages, and give its Python."""
    python = folder / "bin" / "python"
    for line in (
        ["venv", "--python", sys.executable, str(folder)],
        ["pip", "install", "--python", str(python), *packages],
    ):
        done = subprocess.run([BIN / "uv", *line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return python


def held(world: World) -> dict[str, list[str]]:
    """Give what the platform shows, by kind."""
    seen = list(world.all_findings())
    entries = {one.qid.qid for one in seen if one.qid.entry is not None}
    return {
        "webapps": [str(number) for number in world.apps],
        "scans": [str(scan.id) for scan in world.scans],
        "findings": [world.unique_id(one) for one in seen],
        "detailed": [world.unique_id(one) for one in world.findings["VULNERABILITY"]],
        "entries": [str(qid) for qid in entries],
        "tags": [str(tag.id) for tag in world.tags],
    }


def without_sensitive_content(world: World) -> dict[str, list[str]]:
    """Give the same for a client that cannot read one of the types."""
    seen = [one for one in world.all_findings() if one.type != "SENSITIVE_CONTENT"]
    entries = {one.qid.qid for one in seen if one.qid.entry is not None}
    return held(world) | {
        "findings": [world.unique_id(one) for one in seen],
        "entries": [str(qid) for qid in entries],
    }


def read(name: str, folder: Path, variables: Mapping[str, str]) -> dict[str, list[str]]:
    """Give what a client has read."""
    python = python_with(folder / "environment", CLIENTS[name])
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    line = [str(python), str(HERE / f"read_{name}.py")]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.version_info < (3, 11), reason="qualys-cli needs Python 3.11")
@pytest.mark.parametrize("name", CLIENTS)
def test_a_public_client_reads_what_the_world_holds(name: str, tmp_path: Path) -> None:
    tls = Authority.new(tmp_path)
    with Sandbox(apps=6, findings=90, scans=8, switches=SWITCHES, tls=tls) as sandbox:
        found = read(name, tmp_path, sandbox.env)
        world = sandbox.world
        wanted = without_sensitive_content(world) if name == "qualysdk" else held(world)
    assert {kind: sorted(rows) for kind, rows in found.items()} == {
        kind: sorted(wanted[kind]) for kind in found
    }
    assert sandbox.violations() == []
