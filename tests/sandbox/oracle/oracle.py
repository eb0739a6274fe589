"""The judge: holds a tenant against the world, knowing nothing of how the connector works.

It only knows what a sync can see. A full sync sees all that Qualys shows. Any other one sees what
appeared or was tested since the last sync; deletions, severity edits and moves to another page
wait for the next full one. Where a sync failed, or the rows changed under it, both the state
before and the state after are right. A sync that follows a failed one may go on where that one
stopped: types of findings that it does not read from their first id wait for the next sync.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.sandbox.oracle.expectations import (
    GARBLED,
    NOWHERE_TOLD,
    Expected,
    Outcome,
    Seen,
    as_ever,
    shown_now,
    vanished,
)
from tests.sandbox.world.model import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.world.model import Finding
    from tests.sandbox.world.world import World


@dataclass
class Comparison:
    """Where tenant and world differ, by the findings' UUIDs.

    Attributes:
        wrongly_closed: open in the world, once in the tenant, and no longer open there.
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
        return not any(vars(self).values())


@dataclass
class Memory:
    """What an oracle has learnt of the syncs so far."""

    expected: dict[str, Expected]
    known: set[str]
    interrupted: bool = False


class Oracle:
    """Follows one connector through the syncs of a world.

    Attributes:
        is_open: what counts as open; FIXED alone is closed unless settings say otherwise.
        visible: which findings the connector's settings let through.
        place: what tells assets apart: by default the finding's URL up to `?` and `#`.
        tenant_place: the same of what the tenant holds.
        closes_deleted_apps: whether what deleted web apps had open is to be closed.
        ledger_lost: to be set when the connector has lost what it knew. Until its next proven full
            sync it cannot know what deleted apps had on pages that they share with other apps,
            nor where findings that have moved lay before.
        may_resume: whether the next sync may go on where an earlier one stopped. To be set when an
            older state comes back, which may be that of an interrupted sync.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_open: Callable[[Finding], bool] = lambda finding: finding.open
        self.visible: Callable[[Finding], bool] = lambda _: True
        self.place: Callable[[Finding], str] = place_by_url
        self.tenant_place: Callable[[Held], str] = lambda entry: entry.locators.get("url", "")
        self.closes_deleted_apps = False
        self.ledger_lost = False
        self.expected: dict[str, Expected] = {}
        self.known: set[str] = set()
        self._before: dict[str, Seen] = {}
        self._tags_settled = False
        self.may_resume = False

    def begin(self) -> None:
        """Remember what Qualys shows just before a sync starts."""
        self._before = self._look()

    def settle(
        self,
        *,
        succeeded: bool,
        full: bool,
        proven: bool | None = True,
        read: Collection[str] = FINDING_TYPES,
        garbled: bool = False,
        replayed: bool = False,
    ) -> None:
        """Work out what the tenant has to hold after a sync.

        Args:
            succeeded: whether it ended with exit code 0.
            full: whether it read everything from the beginning, see `reading.read_everything`.
            proven: whether a full sync could prove that it had everything, so that what is gone
                had to be closed; None when both are right, as after a fault that it outlived.
            read: the types of findings that it read from the first id on, see `reading.kinds_read`.
            garbled: whether URLs came with characters before them that XML does not allow: another
                place then, until a sync reads them as they are.
            replayed: whether nothing was read, so that what was loaded is of some earlier time.
        """
        after = self._look()
        seen = frozenset(read if self.may_resume else FINDING_TYPES)
        sure = proven if succeeded else None
        if replayed:
            seen = frozenset()
        outcome = Outcome(succeeded, full, sure, seen, self.ledger_lost, garbled)
        self.may_resume = not succeeded or (replayed and self.may_resume)
        hidden = self._hidden()
        for uid in {*self.expected, *after, *self._before}:
            old = self.expected.get(uid) or Expected()
            shown = [one for one in (self._before.get(uid), after.get(uid)) if one]
            if shown:
                self.expected[uid] = shown_now(old, shown, outcome)
            else:
                gone = self._gone(old, outcome, hidden=uid in hidden)
                # What was never loaded, and is not there any more, cannot be missed now.
                never = set() if uid in self.known else {False}
                self.expected[uid] = replace(gone, open={*gone.open, *never})
            if replayed:
                self.expected[uid] = as_ever(self.expected[uid])
        if succeeded:
            self._note(hidden)
        self.ledger_lost &= not (succeeded and full and proven)
        self._tags_settled = succeeded and full
        self._before = after

    def _hidden(self) -> dict[str, Finding]:
        every = self.world.all_findings()
        return {self.world.unique_id(one): one for one in every if not self.visible(one)}

    def _note(self, hidden: Mapping[str, Finding]) -> None:
        """Remember when what the filters hide was tested: an edit alone brings no row of it."""
        for uid, finding in hidden.items():
            old = self.expected.get(uid) or Expected(app_id=finding.app.id)
            self.expected[uid] = replace(old, tested=finding.tested)

    def _gone(self, old: Expected, outcome: Outcome, *, hidden: bool) -> Expected:
        # Nobody tells its tags any more: another app on its page may have others.
        told = replace(old, tags=frozenset())
        if hidden and not (outcome.full and outcome.proven):
            # Closing what the filters leave out is right, and owed by a proven full sync only.
            return replace(told, open={*told.open, False})
        if old.app_id in self.world.apps or self.closes_deleted_apps:
            return vanished(told, outcome)
        return replace(told, open={*told.open, False}) if self.ledger_lost else told

    def compare(self, held: Iterable[Held]) -> Comparison:
        """Hold what the connector has in the tenant against what it has to have there."""
        rows: dict[str, list[Held]] = {}
        for entry in held:
            rows.setdefault(entry.scanner_identifier, []).append(entry)
        known = self.known | rows.keys()
        found = Comparison()
        for uid in sorted(known | self.expected.keys()):
            self._judge(uid, rows.get(uid, ()), found, known=uid in known)
        self.known = known
        return found

    def forget_places(self) -> None:
        """Forget where everything lies, as `place` tells assets apart otherwise from now on.

        Of what no sync shows any more, nobody can tell in the new way where it lay.
        """
        for uid, old in self.expected.items():
            been = NOWHERE_TOLD if old.been else frozenset()
            self.expected[uid] = replace(old, places=set(), strays=frozenset(), been=been)

    def memory(self) -> Memory:
        """Return what a later oracle of the same world has to know."""
        return Memory(self.expected, self.known, self.may_resume)

    def remember(self, memory: Memory) -> None:
        """Take over what an earlier oracle knew."""
        self.expected, self.known = memory.expected, memory.known
        self.may_resume = memory.interrupted

    def _look(self) -> dict[str, Seen]:
        return {
            self.world.unique_id(finding): Seen(
                kind=finding.type,
                open=self.is_open(finding),
                place=self.place(finding),
                severity=finding.severity,
                app_id=finding.app.id,
                tested=finding.tested,
                tags=frozenset(
                    _plain(name) for name in (finding.app.name, *_names(finding)) if _plain(name)
                ),
            )
            for finding in self.world.all_findings()
            if self.visible(finding)
        }

    def _lies_at(self, entry: Held) -> str:
        place = self.tenant_place(entry)
        # What has characters before its scheme is no URL, so its capitals stay as they are.
        return cut(place) if place.startswith(GARBLED) else place

    def _judge(self, uid: str, held: Sequence[Held], found: Comparison, *, known: bool) -> None:
        expected = self.expected.get(uid) or Expected()
        opened = [
            entry for entry in held if entry.is_open and self._lies_at(entry) not in expected.strays
        ]
        if not opened:
            somewhere = expected.astray and any(entry.is_open for entry in held)
            judged = any(map(_judged_by_hand, held))
            if expected.open == {True} and not somewhere and not judged:
                (found.wrongly_closed if known else found.missing).append(uid)
        elif expected.open == {False}:
            found.wrongly_open.append(uid)
        else:
            places = {self._lies_at(entry) for entry in opened}
            if expected.places and not places <= expected.places:
                found.misplaced.append(uid)
            if not all(_severity_is_right(entry, expected.severities) for entry in opened):
                found.misjudged.append(uid)
            if self._tags_settled and not all(_tagged(entry, expected.tags) for entry in opened):
                found.untagged.append(uid)


def place_by_url(finding: Finding) -> str:
    """Return the asset that a finding lies on: its page, or its web app's for information items.

    The query and the fragment do not count, nor do capitals in scheme and host.
    """
    url = finding.url or finding.app.url
    return cut(url)


def cut(url: str) -> str:
    """Return a URL without query and fragment, scheme and host in lower case."""
    bare = url.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]
    scheme, separator, rest = bare.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{separator}{host.lower()}{slash}{path}"


def _names(finding: Finding) -> Iterable[str]:
    return (tag.name for tag in finding.app.tags)


def _plain(tag: str) -> str:
    """Return a tag as far as it can be compared: double quotes may come as single ones."""
    return tag.strip().replace('"', "'")


def _tagged(entry: Held, tags: frozenset[str]) -> bool:
    return tags <= {_plain(tag) for tag in entry.tags}


def _judged_by_hand(entry: Held) -> bool:
    """Tell whether a person says that it is a false positive or the like, which a load lets be."""
    return entry.closed_by == "manual" and not entry.is_closed


def _severity_is_right(entry: Held, severities: set[int]) -> bool:
    scale = 1 if entry.kind == "vuln" else 2
    return entry.score is None or entry.score in {one * scale for one in severities}
