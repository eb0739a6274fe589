"""The server's time, as the `Date` headers of its good answers tell it.

One header may be wrong, as proxies and single nodes have clocks of their own. So a time is believed
when two answers agree.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Final

from qualyswas_ciscovm.dates import from_header

AGREEMENT: Final = timedelta(minutes=10)
"""So far may two answers be apart in time."""
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=timezone.utc)
"""This program is younger; clocks that were never set name 1970 or 2000."""


class ServerClock:
    """Tell the time of the first good answer. Safe to use from several threads.

    Attributes:
        is_local: whether the time is that of the local clock.

    Args:
        local_stands_in: whether the local clock does where a header is missing or unreadable; else
            such an answer tells nothing.
    """

    def __init__(self, *, local_stands_in: bool) -> None:
        self._local_stands_in = local_stands_in
        self._lock = threading.Lock()
        self._began_at = 0.0
        self._starts: list[tuple[datetime, bool]] = []
        self._believed: datetime | None = None
        self.is_local = False

    @property
    def first(self) -> datetime | None:
        """The time of the first good answer; None until a second one agrees."""
        return self._believed

    def since_first(self) -> timedelta:
        """Give the time that has passed since the first good answer."""
        return timedelta(seconds=time.monotonic() - self._began_at)

    def note(self, date_header: str | None) -> None:
        """Note the time of a good answer."""
        with self._lock:
            if self._believed is not None:
                return
            at = time.monotonic()
            if not self._starts:
                self._began_at = at
            told = _read(date_header)
            if told is None and not self._local_stands_in:
                return
            moment = datetime.now(timezone.utc) if told is None else told
            start = moment - timedelta(seconds=at - self._began_at)
            for other, is_local in self._starts:
                if abs(other - start) <= AGREEMENT:
                    self._believed, self.is_local = other, is_local and told is None
                    return
            self._starts.append((start, told is None))

    def believe_local(self) -> datetime:
        """Take the local clock's time, as no two answers agree."""
        with self._lock:
            if self._believed is None:
                self._believed = datetime.now(timezone.utc) - self.since_first()
                self.is_local = True
            return self._believed


def _read(date_header: str | None) -> datetime | None:
    told = from_header(date_header)
    return told if told is not None and told >= EARLIEST else None
