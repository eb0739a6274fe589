"""A state machine that drives a world, two plugins and a tenant through weeks of trouble."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.pair.weeks_people import PeopleAtCVM, PeopleAtQualys
from tests.pair.weeks_places import MorePlaces
from tests.pair.weeks_reading import ChangingReading
from tests.pair.weeks_settings import ChangingSettings
from tests.pair.weeks_strangers import Strangers
from tests.pair.weeks_trouble import Trouble

EXAMPLES: Final = settings(
    max_examples=int(os.environ.get("WEEKS_EXAMPLES", "100")),
    stateful_step_count=8,
    # The same examples each time: the everyday suite tells of a change, the long form searches.
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Each step is real HTTP: a failure is shown as it came, shrinking it would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


class Weeks(
    PeopleAtQualys, PeopleAtCVM, ChangingSettings, ChangingReading, MorePlaces, Strangers, Trouble
):
    """Weeks of one world, each sync of which is held against it."""

    @rule(turbulent=st.booleans(), days=st.integers(1, 3))
    def days_pass(self, turbulent: bool, days: int) -> None:
        for _ in range(days):
            self.pass_day(turbulent=turbulent)

    @rule()
    def a_sync(self) -> None:
        self.check(self.pair.sync(), fine=True)

    @rule()
    def a_full_sync(self) -> None:
        self.check(self.pair.sync(full_sync=True), fine=True)
