"""Progress lines: `findings 12,000 / 48,311 · 25% · ~3 min left`, and never a long silence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.progress import LOOKOUT, progress_line

if TYPE_CHECKING:
    import logging

    from typing_extensions import Self

INTERVAL_SECONDS: Final = 10.0
SOON: Final = 0.8
"""Share of the interval after which a page gets a line: pages come before silences."""
WAITING: Final = " · waiting for Qualys"


class Progress:
    """Log how far a stream is, at most every ten seconds, and at its end.

    Within its `with` block it does so too when no page has come for as long.

    Args:
        name: of the stream.
        total: rows in all, None when they were not counted.
        logger: gets the lines.
        interval: seconds from one line to the next.
    """

    def __init__(
        self,
        name: str,
        total: int | None,
        logger: logging.Logger,
        interval: float = INTERVAL_SECONDS,
    ) -> None:
        self._name = name
        self._logger = logger
        self._began = self._logged_at = time.monotonic()
        self._interval = interval
        self._done = 0
        self.total = total

    def __enter__(self) -> Self:
        """Start to log silences."""
        LOOKOUT.begin(self._look, self._interval)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        LOOKOUT.end(self._look)

    def update(self, done: int, *, ended: bool = False) -> None:
        """Note that `done` rows have been read."""
        self._done = done
        if ended or time.monotonic() - self._logged_at >= self._interval * SOON:
            self._log()

    def _log(self, more: str = "") -> None:
        now = self._logged_at = time.monotonic()
        line = progress_line(self._name, self._done, self.total, now - self._began)
        self._logger.info("%s%s", line, more, extra={"rows": self._done, "total": self.total})

    def _look(self) -> float:
        """Log a silence, and give the seconds until the next one would be too long."""
        if time.monotonic() - self._logged_at >= self._interval:
            self._log(WAITING)
        return self._logged_at + self._interval - time.monotonic()
