"""Weeks of trouble: nothing closed that is open, nothing lost, and the next run heals."""

from __future__ import annotations

from tests.pair.weeks import EXAMPLES, Weeks

TestWeeks = Weeks.TestCase
TestWeeks.settings = EXAMPLES
