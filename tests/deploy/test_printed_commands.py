"""What the README and the tutorial print is run, in its order, by somebody who has nothing yet."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.project import report_in
from tests.pair.commands import clean_environment
from tests.sandbox.sandbox import Sandbox
from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = [
    pytest.mark.outside,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is nothing to clone"),
]

ADDRESS: Final = "https://github.com/example/qualyswas-ciscovm"
BLOCK: Final = re.compile(r"^ *```(?P<kind>sh|ini)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE)
LOGIN: Final = {
    "TAP_QUALYSWAS_REGION",
    "TAP_QUALYSWAS_USERNAME",
    "TAP_QUALYSWAS_PASSWORD",
    "TARGET_CISCOVM_API_URL",
    "TARGET_CISCOVM_API_KEY",
    "TARGET_CISCOVM_CONNECTOR_ID",
}


@dataclass(frozen=True)
class Block:
    """Commands, or lines for `.env`."""

    kind: str
    text: str


def blocks(page: str) -> list[Block]:
    """Give what a page prints for a reader to copy, in its order."""
    text = (ROOT / page).read_text("utf-8")
    return [Block(found["kind"], dedent(found["text"])) for found in BLOCK.finditer(text)]


def script(page: str, settings: Mapping[str, str]) -> str:
    """Give a page as a script; in place of the login that it prints stands the sandbox's."""
    lines = ["set -euxo pipefail"]
    for block in blocks(page):
        if block.kind == "sh":
            lines.append(block.text)
        elif {line.partition("=")[0] for line in block.text.splitlines()} == LOGIN:
            given = [f"{name}='{value}'" for name, value in settings.items()]
            lines += [f"echo {shlex.quote(line)} >> .env" for line in given]
    return "\n".join(lines)


def newcomer(home: Path) -> dict[str, str]:
    """Give the environment of somebody with Git and Python, whose packages are cached."""
    subprocess.run([sys.executable, "-m", "venv", str(home / "python")], check=True)
    cache = subprocess.check_output([str(BIN / "uv"), "cache", "dir"], text=True).strip()
    path = [str(home / "python" / "bin"), str(home / ".local" / "bin"), "/usr/bin", "/bin"]
    kept = {
        name: value
        for name, value in clean_environment().items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    return kept | {
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        "UV_CACHE_DIR": cache,
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        # The address that the pages name leads to this checkout.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_a_newcomer_gets_from_nothing_to_a_load(page: str, tmp_path: Path) -> None:
    with Sandbox(apps=6, findings=60, qids=10, scans=6) as sandbox:
        done = subprocess.run(
            ["bash", "-c", script(page, sandbox.env)],
            cwd=tmp_path,
            env=newcomer(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2300,
            check=False,
        )
        held = sandbox.tenant.summary(sandbox.connector_id)
        open_in_world = sandbox.world.counts()["open"]

    assert done.returncode == 0, done.stdout[-20_000:]
    assert report_in(tmp_path / "my-findings" / "output")["outcome"] == "succeeded"
    assert held["open"] == open_in_world > 0
