"""The times of a run's stages, and its progress lines: not too rare, not too many."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta, Struct

from qualyswas_ciscovm.progress import LOOKOUT, duration, progress_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

LOGGER: Final = logging.getLogger(__name__)

Seconds = Annotated[float, Meta(ge=0)]

QUIET_SECONDS: Final = 10.0
"""Longest time without a line."""
SOON: Final = 0.8
"""Share of it after which a ticker logs, ahead of the heartbeat, which knows less."""
BETWEEN: Final = 0.1
"""Share of it after which the heartbeat looks again where it finds no stage running."""


class Phase(Struct, kw_only=True, forbid_unknown_fields=True):
    """One phase of the run."""

    name: str
    seconds: Seconds = 0.0


class Stages:
    """Measures the stages of a run, and lets the log tell of them, while its `with` block runs.

    Attributes:
        phases: the stages so far, with their seconds.

    Args:
        quiet_seconds: longest time without a line.
    """

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        self.phases: list[Phase] = []
        self._heartbeat = Heartbeat(quiet_seconds)
        self._begun = Heartbeat.last_said = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to tell of stages that take long."""
        self._heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._heartbeat.__exit__()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure one stage, also if it ends with an error."""
        begun = time.monotonic()
        self._heartbeat.stage = Stage(name, begun)
        try:
            yield
        finally:
            self._heartbeat.stage = None
            self.phases.append(Phase(name=name, seconds=round(time.monotonic() - begun, 3)))

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return round(time.monotonic() - self._begun, 3)


class Stage(NamedTuple):
    """A stage that is running, and when it began."""

    name: str
    begun: float


class Heartbeat:
    """Logs that a stage is still running, while its `with` block runs and no ticker logs more.

    Some steps, such as an index over a million rows, are a single call without progress.

    Attributes:
        stage: what is running; None between two stages.

    Args:
        seconds: of silence before a line.
    """

    last_said: ClassVar[float] = 0
    """When a heartbeat or ticker last logged, by `time.monotonic`. There is one log for all."""

    def __init__(self, seconds: float) -> None:
        self.stage: Stage | None = None
        self._seconds = seconds

    def __enter__(self) -> Self:
        """Begin."""
        LOOKOUT.begin(self._look, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        LOOKOUT.end(self._look)

    def _look(self) -> float:
        """Log what is running, if nothing was said for long; give the seconds to the next look."""
        now, stage = time.monotonic(), self.stage
        due = Heartbeat.last_said + self._seconds
        if now < due:
            return due - now
        if stage is None:
            return self._seconds * BETWEEN
        Heartbeat.last_said = now
        name = stage.name[:1].upper() + stage.name[1:]
        LOGGER.info("%s is still running, for %s so far.", name, duration(now - stage.begun))
        return self._seconds


class Ticker:
    """Logs how far something is, a little more often than every ten seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def tick(self, text: str, *values: object) -> None:
        """Log the line if the last one is long enough ago."""
        if self.is_due:
            self._said = Heartbeat.last_said = time.monotonic()
            LOGGER.info(text, *values)

    @property
    def is_due(self) -> bool:
        """Whether the last line is long enough ago."""
        return time.monotonic() - self._said >= QUIET_SECONDS * SOON


class Progress:
    """Logs how much of a known total is done and how long the rest takes, see `Ticker`.

    Args:
        what: is being done, such as `building`.
        total: in any unit.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._begun = time.monotonic()
        self._ticker = Ticker()

    def add(self, part: int) -> None:
        """Add a part that is done."""
        self._done += part
        if self._done > 0 and self._ticker.is_due:
            seconds = time.monotonic() - self._begun
            self._ticker.tick("%s", progress_line(self._what, self._done, self._total, seconds))
