"""How far a long step is, and how long it takes, as people read it."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
SHORT_SECONDS: Final = 10


def progress_line(name: str, done: int, total: int | None, seconds: float) -> str:
    """Give a line such as `findings 12,000 / 48,311 · 25% · ~3 min left`.

    Args:
        name: of the stream or the step.
        done: rows so far, or any other unit.
        total: of them in all, None when it is not known.
        seconds: since the beginning.
    """
    if not total:
        return f"{name} {done:,}"
    line = f"{name} {done:,} / {total:,} · {min(done * 100 // total, 100)}%"
    if 0 < done < total:
        line += f" · ~{rough_duration(seconds / done * (total - done))} left"
    return line


def rough_duration(seconds: float) -> str:
    """Give an estimate in its largest unit: `3 min`."""
    if seconds < MINUTE:
        return f"{max(seconds, 1):.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"


def duration(seconds: float) -> str:
    """Give a measured time in its two largest units: `2 min 13 s`."""
    if seconds < SHORT_SECONDS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR:,} h {whole % HOUR // MINUTE} min"
