"""What a run that ended well owes: that the tenant holds what it has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.oracle.scene import key_of
from tests.sandbox.oracle.sight import finding_of, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.memory import Installation
    from tests.sandbox.oracle.scene import Scene
    from tests.sandbox.oracle.sight import Seen

Wrong = tuple[str, str]
"""What is wrong, and of which finding."""


def unpaid(scene: Scene, ours: Installation) -> Iterator[Wrong]:
    """Return what a run that ended well should have made right and did not."""
    run, may_lag = scene.run, scene.memory.excused and not scene.coverage.full
    if run.over or run.behind or run.overtaken or may_lag:
        return
    for uid, seen in scene.owed():
        if seen.open and seen.visible:
            yield from ((what, uid) for what in _of_an_open_one(scene, ours, uid, seen))
        elif seen.visible and _is_left(scene, ours, scene.open_ones(uid)):
            yield "wrongly_open", uid
    if scene.coverage.proves and scene.run.calm:
        yield from (("wrongly_open", uid) for uid in _left_behind(scene, ours))
    if scene.run.calm:
        yield from (("wrongly_closed", uid) for uid in _still_pending(scene))


def _of_an_open_one(scene: Scene, ours: Installation, uid: str, seen: Seen) -> Iterator[str]:
    entries = scene.open_ones(uid)
    there = entries if scene.run.garbled else [one for one in entries if scene.is_at(one, seen)]
    if not there and scene.may_stay(uid):
        return
    if not entries:
        if not scene.is_judged(uid) and not scene.is_closed_by_others(uid):
            yield "wrongly_closed" if uid in scene.memory.held else "missing"
        return
    if not there:
        yield "misplaced"
        return
    if not any(_severity_is_right(one, seen.severity) for one in there):
        yield "misjudged"
    told = scene.coverage.full and scene.run.whole  # the tags come with the web apps' rows
    named = [one for one in there if one.asset_id not in scene.run.out_of_reach]
    if told and not all(_has_tags(one, seen.tags) for one in named):
        yield "untagged"
    # Under another name another installation may have it open, too.
    own = [one for one in there if key_of(one) in ours.knows] or there
    others = [one for one in entries if one is not own[0]]
    if scene.coverage.proves and scene.run.calm and _is_left(scene, ours, others):
        yield "misplaced"


def _left_behind(scene: Scene, ours: Installation) -> Iterator[str]:
    """Return what is open though a full sync has shown that it is gone, or left out."""
    for entry in scene.now.values():
        uid = finding_of(entry)
        shown = scene.shown(uid)
        known = shown[-1] if shown else scene.memory.last.get(uid)
        if known is None or not entry.is_open or not _is_left(scene, ours, [entry]):
            continue
        if shown:
            is_gone = scene.is_stable(uid) and not known.visible and scene.coverage.reads(known)
        elif known.app_id in scene.after.apps:
            is_gone = scene.coverage.misses(known)
        else:
            gone_for_long = scene.memory.is_long_gone(known.app_id, scene.before.at)
            is_gone = scene.rules.closes_deleted_apps and gone_for_long
        if is_gone:
            yield uid


def _still_pending(scene: Scene) -> Iterator[str]:
    """Return what an earlier run closed at its old place, and no later one has opened again."""
    for uid in sorted(scene.memory.pending):
        shown = scene.shown(uid)
        is_shown = len(shown) == 2 and all(one.open and one.visible for one in shown)
        if is_shown and scene.is_stable(uid) and not scene.open_ones(uid):
            yield uid


def _is_left(scene: Scene, ours: Installation, entries: list[Held]) -> bool:
    """Tell whether something is open that this installation could know of, and could close."""
    run = scene.run
    return any(
        key_of(one) in ours.knows
        and one.asset_id not in run.out_of_reach
        and (one.asset_id, one.scanner_identifier) not in run.unclosable
        for one in entries
    )


def _has_tags(entry: Held, tags: frozenset[str]) -> bool:
    return tags <= {plain(tag) for tag in entry.tags}


def _severity_is_right(entry: Held, severity: int) -> bool:
    scale = 1 if entry.kind == "vuln" else 2
    return entry.score in {None, severity * scale}
