"""The state of the world: its objects by id, which events change."""

from __future__ import annotations

import pickle
from bisect import bisect_left
from dataclasses import dataclass
from operator import attrgetter
from random import Random
from typing import TYPE_CHECKING, Final
from uuid import UUID

from tests.sandbox.world.catalog import make_catalog
from tests.sandbox.world.model import (
    FINDING_TYPES,
    VULNERABILITY,
    Finding,
    Qid,
    Scan,
    Tag,
    WebApp,
    seconds,
    unique_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

    from tests.sandbox.world.clock import Clock
    from tests.sandbox.world.size import WorldSize

VERSION: Final = 5
"""Raised when older saved worlds can no longer be read."""

_BASES: Final = (16_592_712, 4_294_967_200, 12_499_746)
"""Where ids of vulnerabilities begin: two ordinary places, and one across 32 bits."""
_HUGE: Final = 9_007_199_254_740_900
"""Just below the largest integer that a double holds exactly."""
_APART: Final = 1_000_000_000
"""Between the ranges of the types."""
_ALIKE: Final = 3
"""Ids of each type that vulnerabilities have too: nobody may take an id alone for a key."""

by_id = attrgetter("id")


class StaleWorldError(Exception):
    """A saved world that this sandbox can no longer read."""


@dataclass(slots=True)
class Ids:
    """Ids in ascending order, with gaps: other customers take from the same sequence.

    Attributes:
        first: taken before those of the sequence.
    """

    next: int
    step: int = 1
    first: tuple[int, ...] = ()

    def take(self) -> int:
        """Return the next id. Every eighth leaves a gap behind it."""
        if self.first:
            taken, *left = self.first
            self.first = tuple(left)
            return taken
        taken = self.next
        self.next += self.step * (3 if taken // self.step % 8 == 0 else 1)
        return taken


def _finding_ids(random: Random, size: WorldSize) -> dict[str, Ids]:
    """Return the sequences of ids, vulnerabilities' in steps of two, as seen."""
    base = random.choice(_BASES)
    base = _HUGE if size.huge_ids else base
    if size.id_sequences == "shared":
        return dict.fromkeys(FINDING_TYPES, Ids(base))
    found = {kind: Ids(base, 2 if kind == VULNERABILITY else 1) for kind in FINDING_TYPES}
    if size.id_sequences == "separate":
        ahead = Ids(base, 2)
        for place, kind in enumerate(FINDING_TYPES[1:], start=1):
            alike = tuple(ahead.take() for _ in range(_ALIKE))
            found[kind] = Ids(base + place * _APART, first=alike)
    return found


def _seeded(seed: int | str) -> Random:
    return Random(seed)


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


class Population:
    """The apps, scans and visible findings of one subscription.

    Attributes:
        findings: of each type, in ascending order of id; only what Qualys would show.
        day: how many days have passed since the world began.
        subscription: the subscription's id, which stays the same as long as the seed does.
    """

    def __init__(self, size: WorldSize, clock: Clock) -> None:
        self.size = size
        self.clock = clock
        self.random = _seeded(size.seed)
        self.day = 0
        self.subscription = _uuid(_seeded(f"{size.seed}/subscription"))
        self.user = _uuid(_seeded(f"{size.seed}/user"))
        self.app_ids = Ids(self.random.choice((238_483_924, 4_294_967_290)))
        self.scan_ids = Ids(2_380_495)
        self.tag_ids = Ids(77_439_203)
        self.finding_ids = _finding_ids(self.random, size)
        self.tags: list[Tag] = []
        self.apps: dict[int, WebApp] = {}
        self.scans: list[Scan] = []
        self.findings: dict[str, list[Finding]] = {kind: [] for kind in FINDING_TYPES}
        self.of_app: dict[int, list[Finding]] = {}
        self.qids: list[Qid] = make_catalog(self.random, size.qids, self.moment())

    def moment(self) -> int:
        """Return the world's moment in whole seconds since 1970."""
        return seconds(self.clock.now())

    def publish(self, finding: Finding) -> None:
        """Give the finding its id and show it from now on."""
        finding.id = self.finding_ids[finding.type].take()
        self.findings[finding.type].append(finding)
        self.of_app.setdefault(finding.app.id, []).append(finding)

    def withdraw(self, finding: Finding) -> None:
        """Remove the finding without a trace."""
        rows = self.findings[finding.type]
        place = bisect_left(rows, finding.id, key=by_id)
        if place == len(rows) or rows[place] is not finding:
            msg = f"finding {finding.id} of type {finding.type} is not in the world"
            raise KeyError(msg)
        del rows[place]
        self.of_app[finding.app.id].remove(finding)

    def new_scan(self, app: WebApp, launched: int, mode: str) -> Scan:
        """List a scan of `app`, launched just now or in the past, still to be carried out."""
        scan_id = self.scan_ids.take()
        scan = Scan(
            id=scan_id,
            name=f"{app.name} - vulnerability scan {scan_id}",
            reference=f"was/{launched}000.{scan_id}",
            app=app,
            launched=launched,
            mode=mode,
        )
        self.scans.append(scan)
        if app.last_scan is None or app.last_scan.launched <= launched:
            app.last_scan = scan
        return scan

    def all_findings(self) -> Iterator[Finding]:
        """Yield every finding that Qualys would show now, type by type."""
        for rows in self.findings.values():
            yield from rows

    def findings_of(self, app: WebApp) -> list[Finding]:
        """Return the findings that Qualys would show of one web app."""
        return list(self.of_app.get(app.id, ()))

    def qids_by_type(self) -> dict[str, list[Qid]]:
        """Return the QIDs of each type; a type may have none in a very small world."""
        return {kind: [one for one in self.qids if one.type == kind] for kind in FINDING_TYPES}

    def unique_id(self, finding: Finding) -> str:
        """Return the finding's UUID."""
        return unique_id(self.size.seed, finding)

    def counts(self) -> dict[str, int]:
        """Return how many of the shown findings are open, and how many fixed."""
        opened = sum(finding.open for finding in self.all_findings())
        total = sum(len(rows) for rows in self.findings.values())
        return {"open": opened, "fixed": total - opened}

    def save(self, path: Path) -> None:
        """Keep the whole world in a file, without its clock."""
        kept = {name: value for name, value in vars(self).items() if name != "clock"}
        path.write_bytes(pickle.dumps((VERSION, kept), protocol=pickle.HIGHEST_PROTOCOL))

    @classmethod
    def load(cls, path: Path, clock: Clock) -> Self:
        """Load a saved world, with a clock that is already set.

        Raises:
            StaleWorldError: when the file is damaged or of another version.
        """
        try:
            version, kept = pickle.loads(path.read_bytes())  # noqa: S301 - our own file
        except Exception as error:
            msg = f"the world kept in {path} cannot be read"
            raise StaleWorldError(msg) from error
        if version != VERSION:
            msg = f"the world kept in {path} is of version {version}, not {VERSION}"
            raise StaleWorldError(msg)
        world = cls.__new__(cls)
        vars(world).update(kept, clock=clock)
        return world
