"""The server's time, as the `Date` headers of its answers tell it."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone

from qualyswas_ciscovm.dates import from_header


class ServerClock:
    """Remember the time of the first answer. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: datetime | None = None
        self._first_at = 0.0

    @property
    def first(self) -> datetime | None:
        """The time of the first answer; None before it."""
        return self._first

    def since_first(self) -> timedelta:
        """Give the time that has passed since the first answer."""
        return timedelta(seconds=time.monotonic() - self._first_at)

    def note(self, date_header: str | None) -> None:
        """Note the time of an answer; the local time stands in where it cannot be read."""
        with self._lock:
            if self._first is None:
                self._first_at = time.monotonic()
                self._first = from_header(date_header) or datetime.now(timezone.utc)
