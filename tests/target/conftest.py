"""A CVM for each test that asks for one, all of them behind one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.http.server import Server
from tests.target.loads import CVM, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("beginnings"))
    with Server(stage) as server:
        stage.url = server.url
        yield stage


@pytest.fixture
def cvm(stage: Stage, tmp_path: Path) -> CVM:
    return CVM(stage, tmp_path)
