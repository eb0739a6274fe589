"""The made-up world: a subscription of Qualys through time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.world import evolution
from tests.sandbox.world.events import WorldEvents
from tests.sandbox.world.generation import populate

if TYPE_CHECKING:
    from tests.sandbox.world.clock import Clock
    from tests.sandbox.world.size import WorldSize


class World(WorldEvents):
    """A subscription with everything in it, which goes on day by day."""

    def __init__(self, size: WorldSize, clock: Clock) -> None:
        super().__init__(size, clock)
        populate(self)

    def next_day(self, *, turbulent: bool = False) -> None:
        """Let happen what happens between the morning before and the clock's moment."""
        self.day += 1
        evolution.pass_day(self, turbulent=turbulent)
