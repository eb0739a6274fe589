"""Each file in `deploy/` and `.github/` is right by the checker made for its kind."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.project import DEPLOY, Project
from tests.support import processes
from tests.support.processes import BIN, ROOT, ForkServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GITHUB: Final = ROOT / ".github"
WORKFLOWS: Final = (DEPLOY / "github-actions.yml", *sorted((GITHUB / "workflows").glob("*.yml")))

CHECKS: Final[dict[str, Sequence[str | Path]]] = {
    "image": ("hadolint", DEPLOY / "Dockerfile"),
    "compose": (
        *("check-jsonschema", "--builtin-schema", "vendor.compose-spec"),
        DEPLOY / "compose.yaml",
    ),
    "kubernetes": ("kubernetes-validate", "--strict", DEPLOY / "kubernetes.yaml"),
    "workflows": ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS),
    "dependabot": (
        *("check-jsonschema", "--builtin-schema", "vendor.dependabot"),
        GITHUB / "dependabot.yml",
    ),
    "forms for issues": (
        *("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms"),
        *(file for file in sorted((GITHUB / "ISSUE_TEMPLATE").iterdir()) if file.stem != "config"),
    ),
    "project": (
        *("check-jsonschema", "--builtin-schema", "vendor.meltano"),
        ROOT / "meltano.yml",
    ),
    "security of workflows": (
        "zizmor",
        "--offline",
        "--quiet",
        GITHUB,
        DEPLOY / "github-actions.yml",
    ),
}


SCHEMA_CHECKER: Final = "check-jsonschema"
IMPORTED: Final = ForkServer("check_jsonschema")
"""The parent of the checkers by a schema: all but a tenth of a second is their start."""


def checked(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


@pytest.mark.parametrize("name", CHECKS)
def test_a_checker_finds_nothing(name: str) -> None:
    program, *arguments = CHECKS[name]
    command = [str(BIN / program), *map(str, arguments)]

    if program == SCHEMA_CHECKER:
        done = processes.run(command, timeout=120, server=IMPORTED, cwd=ROOT)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()
        assert done.stdout == b"ok -- validation done\n"
    else:
        ended = checked(command)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not there")
def test_systemd_would_take_the_units(project: Project, tmp_path: Path) -> None:
    units = []
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        copy = tmp_path / unit.name
        copy.write_text(project.here(unit.read_text("utf-8")))
        units.append(copy)

    done = checked(["systemd-analyze", "verify", *units])

    assert len(units) == 2
    assert (done.returncode, done.stderr) == (0, "")
