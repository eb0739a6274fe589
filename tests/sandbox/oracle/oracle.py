"""The judge: holds a tenant against the world, knowing nothing of how the connector works.

It knows what a run was told to read, and what it has asked Qualys for. From these and the world
alone it works out what the run has read to the end, and asks three things:

- Was each entry that the run has closed known to be gone? (`closings`: after every run.)
- Is each entry that it has opened open in Qualys, and there? (`openings`: after every run.)
- Does the tenant hold what it has read? (`debts`: after each run that ended well. A full sync owes
  all of it, any other one what was tested since.)

What changed while a run read is excused until the next full sync, and nothing is for longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.sandbox.oracle.closings import wrongly_closed
from tests.sandbox.oracle.coverage import Asked, Coverage, Reading
from tests.sandbox.oracle.debts import unpaid
from tests.sandbox.oracle.lessons import learn
from tests.sandbox.oracle.memory import Installation, Memory
from tests.sandbox.oracle.openings import wrongly_opened
from tests.sandbox.oracle.scene import Scene, keyed
from tests.sandbox.oracle.sight import Moment, Rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.coverage import Run
    from tests.sandbox.world.world import World


@dataclass
class Comparison:
    """Where tenant and world differ, by the findings' UUIDs.

    Attributes:
        wrongly_closed: no longer open in the tenant, though nothing showed that it was gone.
        wrongly_open: open in the tenant, fixed or gone in the world as far as a sync could see.
        missing: open in the world and never loaded.
        misplaced: open on an asset where they do not lie.
        misjudged: loaded with a severity that they do not have.
        untagged: on an asset that lacks a tag of their web app (looked at after full syncs).
    """

    wrongly_closed: list[str] = field(default_factory=list)
    wrongly_open: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    misjudged: list[str] = field(default_factory=list)
    untagged: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Return whether nothing differs."""
        return not self.differences

    @property
    def differences(self) -> dict[str, list[str]]:
        """Return what differs, without what does not."""
        return {name: uids for name, uids in vars(self).items() if uids}

    @property
    def findings(self) -> set[str]:
        """Return the findings that something is wrong about."""
        return {uid for uids in vars(self).values() for uid in uids}


class Oracle:
    """Follows one connector and one account through the syncs of a world.

    Attributes:
        rules: what settings make of the world; may change between runs.
        asked: what the tap is told to read; likewise.
        ours: the installation that runs next; another one knows other things.
        reading: of the load that runs next, if it was read at some earlier time.
        strangers: identifiers that somebody else has in the connector, which are not judged.
        memory: what it has learnt.
    """

    def __init__(self, world: World, memory: Memory | None = None) -> None:
        self.world = world
        self.rules = Rules()
        self.asked = Asked()
        self.ours = Installation()
        self.reading: Reading | None = None
        self.strangers: set[str] = set()
        self.memory = memory or Memory()
        self._before = Moment(0, {}, frozenset(), frozenset())
        self._was: dict[str, Held] = {}

    def begin(self, held: Iterable[Held]) -> None:
        """Take note of what Qualys shows and the connector has, just before a run."""
        self._before = self._look()
        self._was = self._judged(held)

    def settle(
        self, run: Run, held: Iterable[Held], by_others: Collection[tuple[int, str]] = ()
    ) -> Comparison:
        """Judge a run that has just ended, learn from it, and take note for the next one.

        Args:
            run: how it went.
            held: what the connector has now.
            by_others: assets and identifiers of what somebody else closed meanwhile.
        """
        after, now = self._look(), self._judged(held)
        others = {key for key, one in now.items() if _name(one) in by_others}
        scene = Scene(
            run=run,
            coverage=Coverage.of(self.asked, run, self._before, after),
            rules=self.rules,
            memory=self.memory,
            before=self._before,
            after=after,
            was=self._was,
            now=now,
            by_others=frozenset(others),
            reading=self.reading,
        )
        found = _compare(scene, self.ours)
        learn(scene, self.ours, found.findings)
        self._before, self._was = after, now
        return found

    def read(self, asked: Asked) -> Reading:
        """Look at what a tap is about to read, for a load that may come later."""
        return Reading(asked, self.rules.look(self.world, asked.wants))

    @property
    def wants_any(self) -> bool:
        """Return whether the tap is told to read anything that is there."""
        return any(map(self.asked.wants, self.world.apps.values()))

    def _look(self) -> Moment:
        moment = self.rules.look(self.world, self.asked.wants)
        self.memory.see(moment)
        return moment

    def _judged(self, held: Iterable[Held]) -> dict[str, Held]:
        return keyed(one for one in held if one.scanner_identifier not in self.strangers)


def _compare(scene: Scene, ours: Installation) -> Comparison:
    wrong = [("wrongly_closed", uid) for uid in wrongly_closed(scene)]
    wrong += wrongly_opened(scene)
    if scene.run.succeeded:
        wrong += unpaid(scene, ours)
    found = Comparison()
    for what, uid in sorted(set(wrong)):
        getattr(found, what).append(uid)
    return found


def _name(entry: Held) -> tuple[int, str]:
    return entry.asset_id, entry.scanner_identifier
