"""Whether what a run has closed was known to be gone: fixed, moved, left out, or not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sandbox.oracle.sight import finding_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.scene import Scene


FEW: Final = 20
"""So few findings may be gone all at once: nobody could tell it from a fault of Qualys."""


def wrongly_closed(scene: Scene) -> Iterator[str]:
    """Return findings of which an entry was closed that had to stay open."""
    closed = [entry for key, entry in scene.was.items() if _is_closed(scene, key)]
    if scene.run.emptied and scene.coverage.proves and len(closed) <= FEW:
        return
    for entry in closed:
        if not is_right(scene, entry):
            yield finding_of(entry)


def _is_closed(scene: Scene, key: str) -> bool:
    """Tell whether the run has closed an entry: no person, and no other loader."""
    before, after = scene.was[key], scene.now.get(key)
    if after is None or not before.is_open or after.is_open:
        return False
    return after.closed_by != "manual" and key not in scene.by_others


def is_right(scene: Scene, entry: Held) -> bool:
    """Tell whether the run may have closed an entry, whatever the target thinks of it."""
    uid = finding_of(entry)
    shown = scene.shown(uid)
    if any(not one.open for one in shown) or _stays_open(scene, uid) or scene.was_gone(uid):
        return True
    known = shown[-1] if shown else scene.memory.last.get(uid)
    if known is None:
        return False  # of another account, or nobody's that we know of
    if any(not one.visible for one in shown):
        return scene.coverage.reads(known) or scene.was_left_out(uid)
    if len(shown) == 2:
        return _is_in_between(scene, entry)
    if known.app_id not in scene.after.apps:
        return _may_close_deleted(scene, known.app_id)
    return scene.coverage.misses(known)


def _stays_open(scene: Scene, uid: str) -> bool:
    """Tell whether the finding is still open where it lies, or as a person has judged it.

    What is gone by now lies where a load of some earlier time has read it.
    """
    entries, shown = scene.open_ones(uid), scene.shown(uid) or scene.read_then(uid)
    if scene.run.garbled:
        return bool(entries)
    return scene.is_judged(uid) or any(scene.is_at(one, *shown) for one in entries)


def _is_in_between(scene: Scene, entry: Held) -> bool:
    """Tell whether a finding has moved, and CVM has not taken its new place, as nobody foresaw."""
    uid, run = finding_of(entry), scene.run
    moved = not scene.is_at(entry, *scene.shown(uid))
    if moved and not run.was_over and not (run.succeeded and run.calm):
        scene.memory.pending.add(uid)
        return True
    return False


def _may_close_deleted(scene: Scene, app_id: int) -> bool:
    is_gone = scene.memory.is_long_gone(app_id, scene.before.at)
    return scene.rules.closes_deleted_apps and scene.coverage.proves and is_gone
