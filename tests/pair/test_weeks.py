"""Weeks of trouble: nothing closed that is open, nothing lost, and the next run heals."""

from __future__ import annotations

import pytest

from tests.pair.weeks import EXAMPLES, Weeks

pytestmark = pytest.mark.timeout(1200)

TestWeeks = Weeks.TestCase
TestWeeks.settings = EXAMPLES
