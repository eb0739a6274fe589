"""The image's steps without a container: its environment, started as a user without an account."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.project import DEPLOY, report_in
from tests.sandbox.sandbox import Sandbox
from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(os.getuid() != 0, reason="only root may start a process as another user"),
]

STAGES: Final = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ").split("\nFROM ")[1:]
SOURCES: Final = (
    *("qualyswas_ciscovm", "tap_qualyswas", "target_ciscovm"),
    *("meltano.yml", "pyproject.toml", "uv.lock", "README.md", "LICENSE"),
)
USER: Final = 12345


@dataclass(frozen=True)
class Image:
    """What the image holds: `app`, an empty volume `data`, and its variables."""

    app: Path
    data: Path
    environment: Mapping[str, str]

    def start(self, settings: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start Meltano as the first process of a name space, as a user without an account."""
        user = [f"--reuid={USER}", "--regid=0", "--clear-groups", "--no-new-privs"]
        space = ["unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
        meltano = [f"{self.app}/.venv/bin/meltano", "run", "tap-qualyswas", "target-ciscovm"]
        return subprocess.Popen(
            [*space, "setpriv", *user, *meltano],
            cwd=self.app,
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def steps(stage: str, word: str) -> list[str]:
    """Give the arguments of each instruction of one kind."""
    return [line.partition(" ")[2] for line in stage.splitlines() if line.startswith(f"{word} ")]


def variables(stage: str, known: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that a stage sets."""
    words = [word for line in steps(stage, "ENV") for word in shlex.split(line)]
    pairs = dict(word.split("=", 1) for word in words)
    return {name: value.replace("$PATH", known["PATH"]) for name, value in pairs.items()}


@pytest.fixture
def image() -> Iterator[Image]:
    """Carry out the steps of the Dockerfile in a folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    folder.chmod(0o755)
    try:
        yield built(folder)
    finally:
        shutil.rmtree(folder)


def built(folder: Path) -> Image:
    source, app, data = (folder / name for name in ("source", "app", "data"))
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    first, second = (
        stage.replace("/app", str(app)).replace("/data", str(data)) for stage in STAGES
    )
    path = {"PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin"}
    environment = {**os.environ, **path, "STATE": "postgres", **variables(first, path)}
    # Another user must be able to read the interpreter: that of Debian.
    environment["UV_PYTHON"] = "/usr/bin/python3"
    for step in (*steps(first, "RUN")[1:], *steps(second, "RUN")):
        subprocess.run(["/bin/sh", "-ec", step], cwd=source, env=environment, check=True)
    shutil.copy(source / "meltano.yml", app)
    return Image(app, data, variables(second, {"PATH": "/usr/bin:/bin"}))


def test_it_loads_as_any_user_who_may_write_to_the_volume_only(image: Image) -> None:
    with Sandbox(apps=6, findings=60, qids=10, scans=6) as sandbox:
        process = image.start(sandbox.env)
        output, _ = process.communicate(timeout=240)

    assert process.returncode == 0, output
    assert report_in(image.data / "output")["outcome"] == "succeeded"
    assert {path.stat().st_uid for path in image.app.rglob("*")} == {0}


def test_a_signal_to_its_first_process_reaches_both_plugins(image: Image) -> None:
    with Sandbox(apps=40, findings=4000, qids=10, scans=6, latency_ms=3000) as sandbox:
        process = image.start(sandbox.env)
        while not (sandbox.qualys_requests and sandbox.ciscovm_requests):  # both have begun
            assert process.poll() is None
            time.sleep(0.2)
        (first,) = children_of(process.pid)
        os.kill(first, signal.SIGTERM)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGTERM, output
    assert output.count("topped by signal 15") == len(("tap", "target")), output


def children_of(process: int) -> list[int]:
    """Give the ids of a process's children."""
    return [
        int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]
