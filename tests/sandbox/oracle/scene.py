"""One run as the judge looks at it: Qualys and the tenant, before and after."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tests.sandbox.oracle.sight import finding_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.sandbox.ciscovm.tenant.state import Entry
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.oracle.coverage import Coverage, Reading, Run
    from tests.sandbox.oracle.memory import Memory
    from tests.sandbox.oracle.sight import Moment, Rules, Seen


def key_of(entry: Held | Entry) -> str:
    """Return what tells an entry from all others."""
    return f"{entry.kind} {entry.id}"


def keyed(entries: Iterable[Held]) -> dict[str, Held]:
    """Return entries by their keys."""
    return {key_of(entry): entry for entry in entries}


@dataclass(frozen=True)
class Scene:
    """What there is to judge.

    Attributes:
        before: Qualys just before the run, as `after` is just after it.
        was: what the connector had in the tenant before the run, by key, as `now` is after it.
        by_others: keys of entries that somebody else closed meanwhile.
        reading: of a load that was read at some earlier time.
    """

    run: Run
    coverage: Coverage
    rules: Rules
    memory: Memory
    before: Moment
    after: Moment
    was: Mapping[str, Held]
    now: Mapping[str, Held]
    by_others: frozenset[str]
    reading: Reading | None = None

    def shown(self, uid: str) -> list[Seen]:
        """Return the finding as it was shown before and after the run; nothing while it was not."""
        found = (moment.findings.get(uid) for moment in (self.before, self.after))
        return [one for one in found if one is not None]

    def is_stable(self, uid: str) -> bool:
        """Tell whether the finding was the same before and after."""
        return self.before.findings.get(uid) == self.after.findings.get(uid)

    @cached_property
    def entries_of(self) -> Mapping[str, list[Held]]:
        """Return what the tenant has of each finding."""
        found: dict[str, list[Held]] = defaultdict(list)
        for entry in self.now.values():
            found[finding_of(entry)].append(entry)
        return dict(found)

    def open_ones(self, uid: str) -> list[Held]:
        """Return what the tenant has open of a finding."""
        return [entry for entry in self.entries_of.get(uid, ()) if entry.is_open]

    def may_stay(self, uid: str) -> bool:
        """Tell whether a finding may be closed still, or open where it was before.

        Of a load that was altered on its way, or that has lost its proof, nobody can tell where its
        findings lie, nor whether it is an old one. What CVM never had is to be opened all the same,
        and nothing is to be opened where it never was.
        """
        is_moved = any(map(self.is_new, self.open_ones(uid)))
        return not self.run.whole and uid in self._known_before and not is_moved

    @cached_property
    def _known_before(self) -> set[str]:
        return set(map(finding_of, self.was.values()))

    def is_judged(self, uid: str) -> bool:
        """Tell whether a person says that it is a false positive or the like; loads let that be."""
        entries = self.entries_of.get(uid, ())
        return any(entry.closed_by == "manual" and not entry.is_closed for entry in entries)

    def is_closed_by_others(self, uid: str) -> bool:
        """Tell whether somebody else has closed the finding while the run was on."""
        return any(key_of(entry) in self.by_others for entry in self.entries_of.get(uid, ()))

    def is_at(self, entry: Held, *seen: Seen) -> bool:
        """Tell whether an entry lies where the finding was shown."""
        return self.rules.lies_at(entry) in {one.place for one in seen}

    def was_gone(self, uid: str) -> bool:
        """Tell whether a load of some earlier time was read when the finding was gone already.

        What is shown again stays open, unless the clock was ahead when the load was read: nobody
        can tell then that what was read since came later.
        """
        last, tested = self.memory.last.get(uid), self.memory.tested.get(uid, 0)
        if self.reading is None or last is None:
            return False
        if not self.shown(uid):
            return self.reading.misses(uid, last, tested)
        is_ahead = self.reading.moment.at > self.before.at
        return is_ahead and self.reading.seems_later(uid, last, tested)

    def read_then(self, uid: str) -> list[Seen]:
        """Return the finding as a load of some earlier time has read it; nothing if it did not."""
        then = self.reading.moment.findings.get(uid) if self.reading is not None else None
        return [] if then is None else [then]

    def was_left_out(self, uid: str) -> bool:
        """Tell whether filters left the finding out when a load of some earlier time was read."""
        return self.reading is not None and self.reading.leaves_out(uid)

    def is_new(self, entry: Held) -> bool:
        """Tell whether an entry was opened during the run."""
        known = self.was.get(key_of(entry))
        return entry.is_open and (known is None or not known.is_open)

    def settled(self) -> Iterator[tuple[str, Seen]]:
        """Return the findings that the run had a look at, and that were the same all the while."""
        for uid, seen in self.after.findings.items():
            if self.is_stable(uid) and self.coverage.reads(seen):
                yield uid, seen

    def owed(self) -> Iterator[tuple[str, Seen]]:
        """Return those of which the tenant has to hold what Qualys shows: read, or tested anew."""
        for uid, seen in self.settled():
            if self.coverage.full or self.memory.tested.get(uid) != seen.tested:
                yield uid, seen

    def untold(self) -> Iterator[str]:
        """Return the keys of what is open, as CVM has dropped its closing without a word."""
        for key, entry in self.now.items():
            if entry.is_open and (entry.asset_id, entry.scanner_identifier) in self.run.untold:
                yield key

    def keys_sent(self) -> Iterator[str]:
        """Return the keys of what the run has sent, as far as can be told."""
        yield from (key for key, entry in self.now.items() if self.is_new(entry))
        if not self.run.whole or self.run.behind:
            return
        for uid, seen in self.owed():
            there = [one for one in self.open_ones(uid) if self.is_at(one, seen)]
            # Of two entries under two names another installation may have sent one.
            if seen.open and seen.visible and len(there) == 1:
                yield key_of(there[0])
