"""What the judge learns from a run, for those that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.sandbox.oracle.memory import Installation, Memory
    from tests.sandbox.oracle.scene import Scene
    from tests.sandbox.oracle.sight import Moment


def learn(scene: Scene, ours: Installation, wrong: Collection[str]) -> None:
    """Take over what a run has made of the tenant; what is wrong stays owed."""
    run, memory = scene.run, scene.memory
    memory.held.update(scene.entries_of)
    # The ledger has what it closed for closed; only reading back could show it otherwise.
    ours.knows.difference_update(scene.untold())
    if run.succeeded:
        right = {uid: seen.tested for uid, seen in scene.settled() if uid not in wrong}
        memory.tested.update(right)
        ours.knows.update(scene.keys_sent())
        memory.pending = {uid for uid in memory.pending if not scene.open_ones(uid)}
        heals = scene.coverage.full and run.calm
        memory.excused = (memory.excused and not heals) or run.over
        if scene.coverage.proves and run.calm and scene.after.wanted == scene.after.apps:
            _compare_apps(memory, scene.after)
    ours.resumes = not run.succeeded or (run.replayed and ours.resumes)


def _compare_apps(memory: Memory, now: Moment) -> None:
    """Note which web apps a sync that has read all has missed."""
    for app_id in memory.shown - now.apps:
        memory.absent.setdefault(app_id, now.at)
    for app_id in now.apps:
        memory.absent.pop(app_id, None)
    memory.shown |= now.apps
