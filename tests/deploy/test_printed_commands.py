"""What the README and the tutorial print is run, in its order, by somebody who has nothing yet.

So is what the page for servers prints. `printed` names what is not run, and why.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.printed import ELSEWHERE, PAGES, blocks, cron_job, filling_in, script, text_of
from tests.deploy.project import report_in
from tests.pair.commands import clean_environment
from tests.sandbox.sandbox import Sandbox
from tests.support.listener import Listener
from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is nothing to clone"),
]

ADDRESS: Final = "https://github.com/example/qualyswas-ciscovm"
NOTICES: Final = "TARGET_CISCOVM_NOTIFY_URL"
SERVER: Final = "deploy/README.md"


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


def shell(text: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as the newcomer."""
    return subprocess.run(
        ["bash", "-c", text],
        cwd=home,
        env=newcomer(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2300,
        check=False,
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_newcomer_gets_from_nothing_to_a_load(page: str, tmp_path: Path) -> None:
    with Sandbox(apps=6, findings=60, qids=10, scans=6) as sandbox, Listener() as listener:
        done = shell(script(page, sandbox.env | {NOTICES: listener.hook}), tmp_path)
        held = sandbox.tenant.summary(sandbox.connector_id)
        open_in_world = sandbox.world.counts()["open"]

        assert done.returncode == 0, done.stdout[-20_000:]
        assert "scan_results is selected" not in done.stdout
        assert report_in(tmp_path / "my-findings" / "output")["outcome"] == "succeeded"
        assert held["open"] == open_in_world > 0
        for crontab in (block.text for block in blocks(page) if block.kind == "cron"):
            sandbox.faults.arm("ciscovm-key*0")
            told = shell(cron_job(crontab), tmp_path)
            assert told.returncode == 1
            assert "api_key" in told.stdout  # which cron mails
            assert ["refused" in text for text in listener.texts] == [True]


def test_a_server_is_set_up_by_what_its_page_prints(tmp_path: Path) -> None:
    found = re.findall(r"\n\n((?: {4}.*\n)+)", text_of(SERVER))
    setup, check = [
        dedent(text)
        .replace("/srv/", f"{tmp_path}/srv/")
        .replace("/opt/", f"{tmp_path}/opt/")
        .replace("sudo -u qualyswas ", "")
        for text in found
    ]
    lines = [line for line in setup.splitlines() if line.split()[0] not in ELSEWHERE]
    uv = f'export PATH="{BIN}:$PATH"'

    with Sandbox(apps=6, findings=60, qids=10, scans=6) as sandbox:
        filled = filling_in(sandbox.env)
        done = shell("\n".join(["set -eux", uv, *lines, *filled, check]), tmp_path)

    assert len(lines) == len(setup.splitlines()) - 2
    assert done.returncode == 0, done.stdout[-20_000:]
    assert "findings" in done.stdout
    assert (tmp_path / "srv" / "qualyswas-ciscovm" / ".env").stat().st_mode & 0o777 == 0o600
