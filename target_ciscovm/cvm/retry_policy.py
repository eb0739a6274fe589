"""How often and how long a call to CVM is tried again, and how fast calls may follow."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from target_ciscovm.errors import RateLimited, TemporaryError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

LOGGER: Final = logging.getLogger(__name__)

GROWTH: Final = 2.0
LONGEST: Final = 30.0
"""No wait of our own is longer than this many first waits, a minute by default."""
JITTER: Final = 0.25
FIRST_CONTACT_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class RetryPolicy:
    """Limits of waiting, in seconds.

    Attributes:
        max_wait_seconds: all waits of one call together.
        max_attempts: tries of one call; a refusal for too many requests (HTTP 429) does not count.
        poll_seconds: longest wait between two checks of a run or a connector.
        first_wait_seconds: first wait after a failure; the next ones grow.
        pace_seconds: shortest time from one request to the next. CVM allows five a second for each
            IP address; four leave room for others.
        connect_seconds: for a connection to be made, and for each block of an upload to be sent.
        read_seconds: for an answer to begin.
        show_seconds: waits before CVM is asked again for what it does not show: a load may take
            some minutes to be seen.
    """

    max_wait_seconds: float = 3600
    max_attempts: int = 8
    poll_seconds: float = 20
    first_wait_seconds: float = 2
    pace_seconds: float = 0.25
    connect_seconds: float = 30
    read_seconds: float = 300
    show_seconds: tuple[float, ...] = (60, 300)

    def waits(self, longest: float | None = None) -> Iterator[float]:
        """Give endless growing waits, each with a random part, so that clients spread."""
        limit = self.first_wait_seconds * LONGEST if longest is None else longest
        wait = min(self.first_wait_seconds, limit)
        while True:
            yield wait * (1 + random.random() * JITTER)  # noqa: S311 - no secret depends on it
            wait = min(wait * GROWTH, limit)


def persist(
    attempt: Callable[[], T],
    policy: RetryPolicy,
    *,
    attempts: int | None = None,
    first_contact: bool = False,
) -> T:
    """Call `attempt` until it succeeds or the policy allows no further try.

    Args:
        attempt: raises a `TemporaryError` when it is worth trying again.
        policy: the limits.
        attempts: fewer tries than `max_attempts`.
        first_contact: CVM has not answered yet in this run. If it cannot be reached, the address
            is probably wrong, so a few tries are enough.

    Raises:
        TemporaryError: the last one, with the number of tries in its message.
    """
    limit = attempts or policy.max_attempts
    failures = 0
    waited = 0.0
    for own in policy.waits():
        result = _try(attempt)
        if not isinstance(result, TemporaryError):
            return result
        failures += not isinstance(result, RateLimited)
        if first_contact and isinstance(result, Unreachable):
            limit = min(limit, FIRST_CONTACT_ATTEMPTS)
        wait = own if result.wait_seconds is None else result.wait_seconds + own / 10
        if failures >= limit or waited + wait > policy.max_wait_seconds:
            raise given_up(result, failures, waited) from result
        LOGGER.warning("%s Trying again in %.0f s.", result, wait)
        time.sleep(wait)
        waited += wait
    raise AssertionError  # `waits` has no end


def _try(attempt: Callable[[], T]) -> T | TemporaryError:
    try:
        return attempt()
    except TemporaryError as error:
        return error


def capped(wait: float, deadline: float) -> float:
    """Give `wait`, or what is left until `deadline` (of `time.monotonic`) when that is less."""
    return max(0.0, min(wait, deadline - time.monotonic()))


def given_up(error: TemporaryError, failures: int, waited: float) -> TemporaryError:
    """Give the final error: the last one, and how often and how long the call was tried."""
    named = error.wait_seconds
    if named is not None and failures <= 1:
        text = f"{error} It asks for a wait of {named:,.0f} s, longer than max_wait_seconds allows."
    else:
        times = "once" if failures <= 1 else f"{failures} times"
        text = f"{error} Tried {times} within {waited:,.0f} s. Try again later."
    return type(error)(text)
