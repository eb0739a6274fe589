"""Weeks of trouble: nothing closed that is open, nothing lost, and the next run heals."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

from tests.pair.weeks import Weeks

TestWeeks = Weeks.TestCase
TestWeeks.settings = settings(
    max_examples=20,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Each step is real HTTP: a failure is shown as it came, shrinking it would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
