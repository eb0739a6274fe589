"""CVM's time, as the `Date` headers of its good answers tell it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Final

AGREEMENT: Final = timedelta(minutes=10)
"""So far may two answers be apart in time."""
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=timezone.utc)
"""This program is younger; clocks that were never set name 1970 or 2000."""


class ServerTime:
    """The time of the first good answer, believed once another one agrees.

    Proxies and single nodes have clocks of their own, so one header alone may be wrong.

    Attributes:
        first: when the first good answer came; None until another one agrees.
    """

    def __init__(self) -> None:
        self.first: datetime | None = None
        self._began_at = time.monotonic()
        self._told: list[datetime] = []

    def note(self, date: datetime | None) -> None:
        """Take the date of a good answer."""
        at = time.monotonic()
        if not self._told:
            self._began_at = at
        if self.first is not None or date is None or date < EARLIEST:
            return
        began = date - timedelta(seconds=at - self._began_at)
        self.first = next((told for told in self._told if abs(told - began) <= AGREEMENT), None)
        self._told.append(began)
