"""Where decisions are tried."""

from __future__ import annotations

import pytest

from tests.target.plan.deciding import Desk


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("decisions"))
