"""The servers of the target's tests, for the cases."""

from __future__ import annotations

from tests.target.conftest import cvm, stage
from tests.target.cvm.conftest import server

__all__ = ["cvm", "server", "stage"]
