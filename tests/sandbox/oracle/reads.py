"""What a sync has read of Qualys, told from its requests alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.world.model import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.sandbox.qualys.face import Logged
    from tests.sandbox.world.world import World

Asked = dict[tuple[str, str], str]
"""Values by field and operator."""

OK: Final = 200


def read_everything(
    log: Iterable[Logged], world: World, kinds: Sequence[str] = FINDING_TYPES
) -> bool:
    """Return whether all was asked for without a lower bound of date or id.

    Where web apps or scans went on from where an interrupted sync stopped, it was not.
    """
    log = list(log)
    if any(_goes_on(log, endpoint, ids) for endpoint, ids in _beside_findings(world)):
        return False
    searches = [asked for asked in _searches(log) if not _bounded(asked)]
    return all(_is_walked(searches, world, kind) for kind in kinds)


def kinds_read(log: Iterable[Logged], world: World) -> frozenset[str]:
    """Return the types of findings that were walked over all ids, whatever bound of date it had.

    A sync that goes on where an interrupted one stopped leaves out types that were walked then.
    """
    searches = list(_searches(log))
    return frozenset(kind for kind in FINDING_TYPES if _is_walked(searches, world, kind))


def _searches(log: Iterable[Logged]) -> Iterable[Asked]:
    for asked in _asked(log, "search/was/finding"):
        # What was ignored lately is asked for besides, and is no walk of a type.
        if asked and ("ignoredDate", "GREATER") not in asked:
            yield asked


def _asked(log: Iterable[Logged], endpoint: str) -> Iterable[Asked]:
    for logged in log:
        # A strike that answers in Qualys's place is logged before anybody has read what was asked.
        if logged.endpoint == endpoint and logged.status == OK:
            yield {(one.field, one.operator): one.value for one in logged.criteria}


def _beside_findings(world: World) -> Iterable[tuple[str, list[int]]]:
    """Return the ids of what is read beside findings, by the searches that read it."""
    yield "search/was/webapp", [*world.apps]
    yield "search/was/wasscan", [scan.id for scan in world.scans]


def _goes_on(log: Iterable[Logged], endpoint: str, ids: Sequence[int]) -> bool:
    """Tell whether something was walked without a lower date, and not over all ids."""
    walk = [asked for asked in _asked(log, endpoint) if not _bounded(asked) and not _named(asked)]
    return bool(walk) and not _reach_both_ends(walk, ids)


def _bounded(asked: Asked) -> bool:
    return any(field.endswith("Date") for field, _ in asked)


def _named(asked: Asked) -> bool:
    return any(("id", operator) in asked for operator in ("IN", "EQUALS"))


def _is_walked(searches: Iterable[Asked], world: World, kind: str) -> bool:
    of_kind = [
        asked
        for asked in searches
        if asked.get(("type", "EQUALS"), kind) == kind and not _named(asked)
    ]
    return bool(of_kind) and _reach_both_ends(of_kind, [row.id for row in world.findings[kind]])


def _reach_both_ends(walk: Sequence[Asked], ids: Sequence[int]) -> bool:
    """Tell whether a walk that may be cut into ranges began and ended at the ends of all ids.

    Pages come by rising ids or by falling ones, so one that goes on stops short of either end.
    """
    if not ids:
        return True
    lows = [int(asked.get(("id", "GREATER"), "-1")) for asked in walk]
    highs = [int(asked[("id", "LESSER")]) for asked in walk if ("id", "LESSER") in asked]
    is_open_above = len(highs) < len(walk) or max(highs) > max(ids)
    return min(lows) < min(ids) and is_open_above
