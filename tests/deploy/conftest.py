"""A project as the files in `deploy/` expect it, with a sandbox in place of the real systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.project import Project
from tests.pair.commands import run
from tests.sandbox.sandbox import Sandbox
from tests.support.processes import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package, and give the folder with its wheel and its source."""
    folder = tmp_path_factory.mktemp("dist")
    built = run([str(BIN / "uv"), "build", "--out-dir", str(folder)], {})
    assert built.exit_code == 0, built.output
    return folder


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve a small world."""
    with Sandbox(apps=6, findings=60, qids=10, scans=6) as made:
        yield made


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """Make a project whose `.env` holds the sandbox's variables."""
    return Project.make(tmp_path / "project", sandbox.env)
