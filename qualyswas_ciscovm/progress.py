"""How far a long step is, as people read it, and a look at those that are silent."""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LOGGER: Final = logging.getLogger(__name__)

MINUTE: Final = 60
HOUR: Final = 3600
SHORT_SECONDS: Final = 10


class Lookout:
    """Looks now and then at what may be silent for too long, in one thread for all of it.

    The thread stays, and sleeps: most steps end long before anybody has to look at them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Callable[[], float], float] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def begin(self, look: Callable[[], float], seconds: float) -> None:
        """Call `look` in so many seconds, and again each time that it asks for.

        Args:
            look: gives the seconds until it is called again.
            seconds: until it is called first.
        """
        with self._changed:
            due = self._due[look] = time.monotonic() + seconds
            if self._thread is None:
                thread = threading.Thread(target=self._watch, name="lookout", daemon=True)
                with suppress(RuntimeError):  # where none can be started, nobody looks
                    thread.start()
                    self._thread = thread
            elif due < self._wakes_at:
                self._changed.notify()

    @property
    def steps(self) -> int:
        """How many steps are looked at now."""
        return len(self._due)

    def end(self, look: Callable[[], float]) -> None:
        """Call it no more; a call that is being made is waited for."""
        with self._changed:
            del self._due[look]

    def _watch(self) -> None:
        with self._changed:
            while True:
                for look, due in list(self._due.items()):
                    if due <= time.monotonic():
                        self._due[look] = time.monotonic() + _next(look)
                self._wakes_at = min(self._due.values(), default=math.inf)
                wait = self._wakes_at - time.monotonic()
                self._changed.wait(None if wait == math.inf else wait)


def _next(look: Callable[[], float]) -> float:
    """Give the seconds until the next look; one that fails is the last, and silences no other."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
        LOGGER.debug("A look at a silent step failed: %s", error)
        return math.inf


LOOKOUT: Final = Lookout()


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
