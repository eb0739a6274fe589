"""How long calls take under Qualys's limits: computed, not slept."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

HOUR: Final = 3600.0
CALLS_AN_HOUR: Final = 300
"""Calls in any 3,600 seconds (Qualys API limits, standard service level)."""
AT_ONCE: Final = 2
"""Calls that may be under way together (the same)."""
LATENCY: Final = 1.0
"""Seconds from a request to the end of its answer; an assumption, the same for every pattern."""


def wall_seconds(calls: int, latency: float = LATENCY) -> float:
    """Give the least time that so many calls take: two at once, never more than 300 an hour."""
    recent: deque[float] = deque(maxlen=CALLS_AN_HOUR)
    lanes = [0.0] * AT_ONCE
    for _ in range(calls):
        lane = lanes.index(min(lanes))
        start = lanes[lane]
        if len(recent) == CALLS_AN_HOUR:
            start = max(start, recent[0] + HOUR)
        recent.append(start)
        lanes[lane] = start + latency
    return max(lanes)


class Call(NamedTuple):
    """When a call began and ended, in seconds on one clock."""

    began: float
    ended: float


def seconds_in_order(calls: Iterable[Call], latency: float = LATENCY) -> float:
    """Give how long recorded calls take in their order, each as long as any other.

    A call begins when all those have ended that had ended before it in the record: it may need what
    they brought. So what ran side by side does so here, and nothing else does.
    """
    placed: list[tuple[float, float]] = []
    for call in sorted(calls):
        start = max((end for ended, end in placed if ended <= call.began), default=0.0)
        placed.append((call.ended, start + latency))
    return max((end for _, end in placed), default=0.0)


def most_at_once(calls: Iterable[Call]) -> int:
    """Give how many of recorded calls were under way together at most."""
    listed = list(calls)
    return max(
        (sum(other.began <= call.began < other.ended for other in listed) for call in listed),
        default=0,
    )


def in_words(seconds: float) -> str:
    """Give a time for people: `12 s`, `3.4 min`, `5.0 h`, `139 days`."""
    for unit, size in (("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
