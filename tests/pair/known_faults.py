"""Faults of the pair that are known: rules of the weeks that would meet one stay off until then.

Each of them has a smallest example in `faults_seen`. Take a name out when the fault is mended: the
rules that bear it are on then, for good. `WEEKS_KNOWN_FAULTS` turns them on all the same: names
with commas between, or `all`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hypothesis.stateful import precondition

if TYPE_CHECKING:
    from collections.abc import Callable

KNOWN: Final = {}
"""What is wrong, by name."""

_TURNED_ON: Final = frozenset(os.environ.get("WEEKS_KNOWN_FAULTS", "").split(","))


def is_met(name: str) -> bool:
    """Tell whether the weeks may meet a fault: it is mended, or it is looked for."""
    return name not in KNOWN or bool(_TURNED_ON & {name, "all"})


def unless_known(name: str) -> Callable[..., Callable[..., object]]:
    """Return a decorator that keeps a rule off while the fault is known."""
    on = is_met(name)
    return precondition(lambda _: on)
