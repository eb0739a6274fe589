"""How long calls take under Qualys's limits: computed, not slept."""

from __future__ import annotations

from collections import deque
from typing import Final

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


def in_words(seconds: float) -> str:
    """Give a time for people: `12 s`, `3.4 min`, `5.0 h`, `139 days`."""
    for unit, size in (("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.0f} s"
