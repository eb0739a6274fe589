"""When failures of single calls are about all of them."""

from __future__ import annotations

from typing import Final

ABOUT_ALL: Final = 5
"""So many failures, one after the other, are about all calls of their kind."""


class InARow:
    """Counts failures that follow one another.

    Attributes:
        failures: since the last call that went well.
    """

    def __init__(self) -> None:
        self.failures = 0

    def is_about_all(self) -> bool:
        """Note a failure that may be about all calls; tell whether it must be."""
        self.failures += 1
        return self.failures >= ABOUT_ALL

    def end(self) -> None:
        """Note a call that went well, or a failure that says something about that call alone."""
        self.failures = 0
