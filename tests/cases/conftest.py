"""The CVM of the target's tests, for the cases."""

from __future__ import annotations

from tests.target.conftest import cvm, stage

__all__ = ["cvm", "stage"]
