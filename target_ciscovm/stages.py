"""Times of a run's stages, and progress lines that are neither silent nor chatty."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from target_ciscovm.report_model import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGER: Final = logging.getLogger(__name__)

QUIET_SECONDS: Final = 10.0


class Stages:
    """Measures the stages of a run.

    Attributes:
        phases: those that have begun, with their seconds.
    """

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self._begun = time.monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage, also when it ends by an error."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.phases.append(Phase(name=name, seconds=round(time.monotonic() - begun, 3)))

    @property
    def seconds(self) -> float:
        """Give the seconds since the beginning."""
        return round(time.monotonic() - self._begun, 3)


class Ticker:
    """Logs how far something is, at most every ten seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def tick(self, text: str, *values: object) -> None:
        """Log the line if the last one is long enough ago."""
        now = time.monotonic()
        if now - self._said >= QUIET_SECONDS:
            self._said = now
            LOGGER.info(text, *values)
