"""When a call is tried again, and how many calls are sent at a time."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_qualyswas.errors import DoubtfulAnswer, LoneRefusal, TemporaryError, WaitTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_CONTACT_ATTEMPTS: Final = 4
FIRST_WAIT_SECONDS: Final = 1.0
MAX_GROWN_SECONDS: Final = 300.0
"""Waits of our own grow up to here; only the server can ask for longer ones."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call is tried, and how long the waits are.

    Attributes:
        max_attempts: attempts of one call.
        max_wait_seconds: the longest single wait.
        first_wait_seconds: the first wait of our own; each further one is twice as long.
    """

    max_attempts: int = 8
    max_wait_seconds: float = 3600.0
    first_wait_seconds: float = FIRST_WAIT_SECONDS

    def attempts_for(self, error: TemporaryError, *, answered: bool) -> int:
        """Give how many attempts an error is worth.

        Args:
            error: what happened.
            answered: whether Qualys has given a good answer in this run.
        """
        if isinstance(error, LoneRefusal):
            return 2
        if isinstance(error, DoubtfulAnswer):
            return max(self.max_attempts, 2)
        if error.cuts_first_contact and not answered:
            return min(self.max_attempts, FIRST_CONTACT_ATTEMPTS)
        return self.max_attempts

    def wait_after(self, error: TemporaryError, attempt: int) -> float:
        """Give the seconds to wait after the `attempt`-th attempt, counted from 1.

        The server's wait counts where it asks for one. A random part keeps several clients, or
        several workers, from coming back at the same moment.

        Raises:
            WaitTooLong: when the server asks for a wait above the limit.
        """
        asked = error.wait_seconds
        if asked is not None:
            if asked > self.max_wait_seconds:
                raise WaitTooLong(str(error), asked)
            later = random.uniform(0, min(1.0, 0.2 * asked))  # noqa: S311 - no secret
            return min(asked + later, self.max_wait_seconds)
        longest = min(MAX_GROWN_SECONDS, self.max_wait_seconds)
        grown = min(self.first_wait_seconds * 2.0 ** (attempt - 1), longest)
        return grown * random.uniform(0.75, 1.0)  # noqa: S311 - no secret


class ConcurrencyLimit:
    """Let only so many calls be on the way at a time; fewer when the server asks for it."""

    def __init__(self, limit: int) -> None:
        self._limit = max(limit, 1)
        self._running = 0
        self._changed = threading.Condition()

    @property
    def calls(self) -> int:
        """Calls at a time."""
        return self._limit

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wait for a place and keep it while the block runs."""
        with self._changed:
            while self._running >= self._limit:
                self._changed.wait(1.0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def lower(self) -> bool:
        """Allow one call less; True when that was possible."""
        with self._changed:
            if self._limit <= 1:
                return False
            self._limit -= 1
            return True
