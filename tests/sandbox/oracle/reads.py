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
    if any(_goes_on(log, endpoint, first) for endpoint, first in _firsts(world)):
        return False
    searches = [asked for asked in _searches(log) if not _bounded(asked)]
    return all(any(_from_the_start(asked, world, kind) for asked in searches) for kind in kinds)


def kinds_read(log: Iterable[Logged], world: World) -> frozenset[str]:
    """Return the types of findings whose walk began at the first id, whatever bound of date it had.

    A sync that goes on where an interrupted one stopped leaves out types that were walked then.
    """
    searches = list(_searches(log))
    return frozenset(
        kind
        for kind in FINDING_TYPES
        if any(_from_the_start(asked, world, kind) for asked in searches)
    )


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


def _firsts(world: World) -> Iterable[tuple[str, int]]:
    """Return the least ids of what is read beside findings, by the searches that read it."""
    yield "search/was/webapp", min(world.apps, default=0)
    yield "search/was/wasscan", min((scan.id for scan in world.scans), default=0)


def _goes_on(log: Iterable[Logged], endpoint: str, first: int) -> bool:
    """Tell whether something was walked without a lower date, and not from its first id on."""
    lows = [
        int(asked.get(("id", "GREATER"), "-1"))
        for asked in _asked(log, endpoint)
        if not _bounded(asked) and not _named(asked)
    ]
    return bool(lows) and min(lows) >= first > 0


def _bounded(asked: Asked) -> bool:
    return any(field.endswith("Date") for field, _ in asked)


def _named(asked: Asked) -> bool:
    return any(("id", operator) in asked for operator in ("IN", "EQUALS"))


def _from_the_start(asked: Asked, world: World, kind: str) -> bool:
    if asked.get(("type", "EQUALS"), kind) != kind:
        return False
    if _named(asked):
        return False
    rows = world.findings[kind]
    return not rows or int(asked.get(("id", "GREATER"), "-1")) < rows[0].id
