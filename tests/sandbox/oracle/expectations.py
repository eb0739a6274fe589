"""What the tenant may hold of one finding after a sync: what is right, and what cannot be known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

GARBLED: Final = "\ufffd\ufffd"
"""What comes in place of the two characters that `qualys-bad-characters` puts before a text."""

NOWHERE_TOLD: Final = frozenset({""})

SEVERITIES: Final = frozenset(range(1, 6))


@dataclass(frozen=True)
class Seen:
    """A finding as Qualys shows it at one moment."""

    kind: str
    open: bool
    place: str
    severity: int
    app_id: int
    tested: int
    tags: frozenset[str]


@dataclass
class Expected:
    """What the tenant may hold of a finding: every combination of these is right.

    Attributes:
        places: the assets on which it may lie; empty when nobody can tell.
        strays: where it may be left over as it was once: places of before, of which a lost ledger
            alone knew.
        astray: whether it may be open at one of these alone: it has moved back there, or an old
            load has brought it back, and no sync has read it since.
        been: where it ever was while it was open; `NOWHERE_TOLD` when that cannot be told any more.
    """

    app_id: int = 0
    open: set[bool] = field(default_factory=lambda: {False})
    places: set[str] = field(default_factory=set)
    severities: set[int] = field(default_factory=set)
    tested: int = 0
    tags: frozenset[str] = frozenset()
    strays: frozenset[str] = frozenset()
    astray: bool = False
    been: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """How a sync went, as far as it decides what is right afterwards; see `Oracle.settle`.

    Attributes:
        seen: types of findings that it read from the first id on.
        blind: whether the ledger was lost.
    """

    succeeded: bool
    full: bool
    proven: bool | None
    seen: frozenset[str]
    blind: bool
    garbled: bool


def shown_now(old: Expected, shown: Sequence[Seen], outcome: Outcome) -> Expected:
    """Return what is right for a finding that was shown before or after the sync, or both."""
    last = shown[-1]
    stable = len(shown) == 2
    walked = outcome.succeeded and last.kind in outcome.seen
    settled = walked and stable and (outcome.full or last.tested != old.tested)
    swept = settled and outcome.full and outcome.proven is True
    either = {*old.open, *(one.open for one in shown)} | (set() if stable else {False})
    # Read again where it lies now: what is left over elsewhere stays as it was loaded there once.
    left = old.places if outcome.blind and settled else set()
    places = [_places(one, outcome) for one in shown]
    return Expected(
        app_id=last.app_id,
        open={last.open} if settled else either,
        places={last.place} if swept else _places_since(old, places),
        severities={last.severity} if settled else {*old.severities, last.severity},
        tested=last.tested if walked and stable else old.tested,
        # What came or went during the sync may never have been told of, nor its web application.
        tags=last.tags if stable else frozenset(),
        strays=(old.strays | left) - (places[-1] if settled else set()),
        astray=not settled and (old.astray or last.place in old.strays),
        been=old.been.union(*(there for one, there in zip(shown, places, strict=True) if one.open)),
    )


def _places_since(old: Expected, shown: Sequence[set[str]]) -> set[str]:
    """Return where it may lie besides; where it lay is not told any more after `forget_places`."""
    is_forgotten = not old.places and bool(old.been & NOWHERE_TOLD)
    return set() if is_forgotten else old.places.union(*shown)


def as_ever(old: Expected) -> Expected:
    """Return what is right after a load of some earlier time: it may open, but never close."""
    again = {True} if old.been else set()
    return replace(
        old,
        open={*old.open, *again},
        places={*old.places, *old.been} if old.places and not old.been & NOWHERE_TOLD else set(),
        severities={*old.severities, *(SEVERITIES if old.been else ())},
        astray=True,
    )


def _places(seen: Seen, outcome: Outcome) -> set[str]:
    return {seen.place, GARBLED + seen.place} if outcome.garbled else {seen.place}


def vanished(old: Expected, outcome: Outcome) -> Expected:
    """Return what is right for a finding that is gone: only a proven full sync closes it."""
    if outcome.full and outcome.proven is not False:
        return replace(old, open={False} if outcome.proven else {*old.open, False})
    return old
