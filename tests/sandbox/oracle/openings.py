"""Whether what a run has opened is open in Qualys, and lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sandbox.oracle.sight import finding_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.oracle.scene import Scene


def wrongly_opened(scene: Scene) -> Iterator[tuple[str, str]]:
    """Return what is wrong about entries that were opened, each with its finding."""
    for entry in scene.now.values():
        uid = finding_of(entry)
        if not scene.is_new(entry) or _may_be_of_before(scene, uid):
            continue
        shown = [one for one in scene.shown(uid) if one.open and one.visible]
        if not shown:
            yield "wrongly_open", uid
        elif scene.run.whole and not scene.run.garbled and not scene.is_at(entry, *shown):
            yield "misplaced", uid


def _may_be_of_before(scene: Scene, uid: str) -> bool:
    """Tell whether an entry may come back as it was once, until the next full sync.

    An old load brings back what was, and where a new place was refused the old one opens again.
    """
    is_told_late = scene.run.replayed or uid in scene.memory.pending
    return is_told_late and uid in scene.memory.opened
