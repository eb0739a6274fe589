"""Progress lines: `findings 12,000 / 48,311 · 25% · ~3 min left`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

INTERVAL_SECONDS: Final = 10.0
MINUTE: Final = 60.0
HOUR: Final = 3600.0


def progress_line(name: str, done: int, total: int | None, seconds: float) -> str:
    """Give one line.

    Args:
        name: of the stream.
        done: rows so far.
        total: rows in all, None when they were not counted.
        seconds: since the first row was asked for.
    """
    if not total:
        return f"{name} {done:,}"
    line = f"{name} {done:,} / {total:,} · {min(done * 100 // total, 100)}%"
    if 0 < done < total:
        line += f" · ~{_duration(seconds / done * (total - done))} left"
    return line


def _duration(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{max(seconds, 1):.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"


class Progress:
    """Tell how far a stream is, at most every ten seconds, and at its end.

    Args:
        name: of the stream.
        total: rows in all, None when they were not counted.
        logger: gets the lines.
        monotonic: a clock in seconds.
    """

    def __init__(
        self,
        name: str,
        total: int | None,
        logger: logging.Logger,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._logger = logger
        self._monotonic = monotonic
        self._began = self._told = monotonic()
        self.total = total

    def tell(self, done: int, *, ended: bool = False) -> None:
        """Tell that `done` rows have been read."""
        now = self._monotonic()
        if not ended and now - self._told < INTERVAL_SECONDS:
            return
        self._told = now
        line = progress_line(self._name, done, self.total, now - self._began)
        self._logger.info("%s", line, extra={"rows": done, "total": self.total})
