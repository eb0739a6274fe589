"""The faults that were asked for: which are armed today, and whether one strikes now.

A fault is written `NAME`, with any of `+AFTER` (opportunities that pass unharmed), `*STRIKES`
(how often, `*0` for always) and `@DAY` behind it: `qualys-busy*5`, `tap-killed+3@2`. DAY counts
the days of one call of the sandbox from 1. Without a day a fault is armed from the start until
its strikes are used up.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FAULTS: Final[dict[str, str]] = {name: kind.description for name, kind in KINDS.items()}
"""Every name that `--fault` takes, with its one-line description."""

_FORM: Final = re.compile(r"([a-z0-9-]+)(?:\+(\d+))?(?:\*(\d+))?(?:@(\d+))?")


class UnknownFaultError(ValueError):
    """An unknown fault, or one in another form."""


@dataclass
class _Armed:
    name: str
    day: int | None
    after: int
    strikes: int | None

    def due(self, day: int) -> bool:
        return self.day in {None, day} and self.strikes != 0

    def take(self) -> bool:
        if self.after:
            self.after -= 1
            return False
        if self.strikes is not None:
            self.strikes -= 1
        return True


def _parse(text: str) -> _Armed:
    match = _FORM.fullmatch(text)
    if match is None or match[1] not in KINDS:
        msg = f"unknown fault '{text}': NAME[+AFTER][*STRIKES][@DAY] with NAME one of "
        raise UnknownFaultError(msg + ", ".join(sorted(KINDS)))
    kind = KINDS[match[1]]
    strikes = kind.strikes if match[3] is None else (int(match[3]) or None)
    return _Armed(
        name=match[1],
        day=None if match[4] is None else int(match[4]),
        after=kind.after if match[2] is None else int(match[2]),
        strikes=strikes,
    )


class Faults:
    """The faults of one sandbox, asked by both faces from their threads.

    Attributes:
        struck: how often each fault has struck.
        carry_out: called with the name of a `process` fault at the moment it strikes; the sandbox
            sets it to what signals the process. Without it such a strike is only counted.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._armed = [_parse(name) for name in names]
        self._day = 1
        self.struck: Counter[str] = Counter()
        self.carry_out: Callable[[str], None] | None = None

    def for_day(self, day: int) -> Faults:
        """Let the faults of `day` (from 1) be the ones that can strike, and return self."""
        with self._lock:
            self._day = day
        return self

    def arm(self, *names: str) -> None:
        """Add faults while the sandbox runs."""
        added = [_parse(name) for name in names]
        with self._lock:
            self._armed += added

    def disarm(self, *names: str) -> None:
        """Take faults away by their bare names; all of them when none is named."""
        with self._lock:
            self._armed = [one for one in self._armed if names and one.name not in names]

    @property
    def any_armed(self) -> bool:
        """Return whether there is a fault that could strike some day."""
        return bool(self._armed)

    def armed(self, name: str) -> bool:
        """Return whether the fault can still strike today."""
        return any(one.due(self._day) for one in self._named(name))

    def take(self, name: str) -> bool:
        """Return whether the fault strikes at this opportunity, and count the strike."""
        if not self._armed:
            return False
        with self._lock:
            due = [one for one in self._named(name) if one.due(self._day)]
            strikes = any(one.take() for one in due)
            self.struck[name] += strikes
        if strikes and self.carry_out is not None and KINDS[name].place == "process":
            self.carry_out(name)
        return strikes

    def _named(self, name: str) -> list[_Armed]:
        if name not in KINDS:
            msg = f"no such fault in the table: '{name}'"
            raise UnknownFaultError(msg)
        return [one for one in self._armed if one.name == name]
