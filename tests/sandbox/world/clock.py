"""The world's clock: the only time that the two plugins can see, through `Date` headers."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Final

START: Final = datetime(2026, 3, 2, 6, 0, tzinfo=timezone.utc)
"""A Monday morning: where a fresh world begins, whatever the machine's own clock says."""


class Clock:
    """Run with real seconds from a moment that can be set, so that days pass when told to.

    Safe to read from the threads of both servers while a test moves it.
    """

    def __init__(self, start: datetime = START) -> None:
        self._lock = threading.Lock()
        self._base = start
        self._set_at = time.monotonic()

    def now(self) -> datetime:
        """Return the world's moment, aware, in UTC."""
        with self._lock:
            return self._base + timedelta(seconds=time.monotonic() - self._set_at)

    def set(self, moment: datetime) -> None:
        """Make it `moment` (aware); the clock goes on from there."""
        with self._lock:
            self._base = moment.astimezone(timezone.utc)
            self._set_at = time.monotonic()

    def advance(self, step: timedelta) -> None:
        """Move the clock by `step`; a negative one sets it back."""
        with self._lock:
            self._base += step

    def http_date(self) -> str:
        """Return the moment as a `Date` header carries it, in whole seconds."""
        return format_datetime(self.now().replace(microsecond=0), usegmt=True)
