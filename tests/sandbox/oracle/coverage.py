"""What a run was told to read, how it went, and what it has therefore read to the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.world.model import FINDING_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.oracle.sight import Moment, Seen
    from tests.sandbox.world.model import WebApp


@dataclass(frozen=True)
class Asked:
    """What the tap is told to read.

    Attributes:
        kinds: types of findings.
        wants: whether a web app is among those chosen.
        since: moment from which on findings were tested that are read; None for all.
    """

    kinds: frozenset[str] = frozenset(FINDING_TYPES)
    wants: Callable[[WebApp], bool] = lambda _: True
    since: int | None = None


@dataclass(frozen=True)
class Reading:
    """What Qualys showed when a load was read that came only later.

    Attributes:
        asked: what the tap was told to read then.
        moment: what there was just before it began.
        proves: whether all was read to the end, and written as it was read.
    """

    asked: Asked
    moment: Moment
    proves: bool = True

    @property
    def severities(self) -> frozenset[int]:
        """Return the severities of the findings that there were to read."""
        read = filter(self._chooses, self.moment.findings.values())
        return frozenset(one.severity for one in read)

    def misses(self, uid: str, seen: Seen, tested: int) -> bool:
        """Tell whether a finding was gone by then, or left out, and none has found it again.

        Args:
            uid: of the finding.
            seen: as it was shown last.
            tested: when it was tested, as of the last sync that has read it.
        """
        asked, moment = self.asked, self.moment
        then = moment.findings.get(uid)
        if then is None:
            is_away = self.proves and seen.tested <= moment.at
        else:
            was_away = not (then.open and then.visible)
            is_away = not seen.visible or (was_away and tested <= moment.at)
        return self._chooses(seen) and is_away and asked.since is None

    def seems_later(self, uid: str, seen: Seen, tested: int) -> bool:
        """Tell whether nothing but its clock, which was ahead, calls it later than a later sync.

        Args:
            uid: of the finding.
            seen: as it was shown last.
            tested: when it was tested, as of the last sync that has read it.
        """
        then = self.moment.findings.get(uid)
        dates_tell = then is not None and then.tested < tested
        return not dates_tell and self.misses(uid, seen, tested)

    def leaves_out(self, uid: str) -> bool:
        """Tell whether a finding was read then, and left out by filters."""
        then = self.moment.findings.get(uid)
        return then is not None and not then.visible and self._chooses(then)

    def _chooses(self, seen: Seen) -> bool:
        return seen.kind in self.asked.kinds and seen.app_id in self.moment.wanted


@dataclass(frozen=True)
class Run:
    """How a run went.

    Attributes:
        succeeded: whether it ended well, and nothing that it could not notice was hidden from it.
        full: whether all was read without a lower bound, see `reads.read_everything`.
        walked: the types of findings that it read over all ids, see `reads.kinds_read`.
        whole: whether the tap ended well, and each of its rows came to the target as it was read.
        provable: whether the account can prove anything: an evaluation cannot.
        calm: whether nothing stood in its way, so that it has to close what it may close.
        over: whether the licence was over its limit, so that CVM did not take all of it.
        was_over: whether it was so before the run, so that the run could know.
        behind: whether its clock was behind an earlier run's, so that it may count as older.
        emptied: whether Qualys told it that there is nothing, in searches and counts.
        garbled: whether URLs came with characters before them that XML does not allow.
        overtaken: whether somebody else has loaded after it began: what that may have sent counts
            as newer, until the next full sync.
        replayed: whether nothing was read, so that what was loaded is of some earlier time.
        untold: closings that CVM has dropped without a word, as without any counters, by the
            assets' ids and the scanner's identifiers.
        out_of_reach: ids of assets that CVM takes others for, by what a load can name them by.
        unclosable: what people have judged, where CVM ignores closings of such, by the assets' ids
            and the scanner's identifiers.
    """

    succeeded: bool
    full: bool = True
    walked: frozenset[str] = frozenset(FINDING_TYPES)
    whole: bool = True
    provable: bool = True
    calm: bool = True
    over: bool = False
    was_over: bool = False
    behind: bool = False
    emptied: bool = False
    garbled: bool = False
    overtaken: bool = False
    replayed: bool = False
    untold: frozenset[tuple[int, str]] = frozenset()
    out_of_reach: frozenset[int] = frozenset()
    unclosable: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True)
class Coverage:
    """What a run has read to the end; of nothing else it can tell that it is gone.

    Attributes:
        kinds: types of findings.
        apps: web apps that were there, and chosen, before and after it.
        since: moment from which on findings were tested that it has read.
        full: whether what has not changed was read too.
        proves: whether what it has not read in them is gone.
    """

    kinds: frozenset[str]
    apps: frozenset[int]
    since: int
    full: bool
    proves: bool

    @classmethod
    def of(cls, asked: Asked, run: Run, before: Moment, after: Moment) -> Coverage:
        """Work out what a run has read."""
        full = run.full and bool(asked.kinds) and asked.since is None and not run.replayed
        return cls(
            kinds=frozenset() if run.replayed else asked.kinds & run.walked,
            apps=before.wanted & after.wanted,
            since=asked.since or 0,
            full=full,
            proves=full and run.whole and run.provable,
        )

    def reads(self, seen: Seen) -> bool:
        """Tell whether the finding is among those that the run had to read."""
        is_chosen = seen.kind in self.kinds and seen.app_id in self.apps
        return is_chosen and seen.tested >= self.since

    def misses(self, seen: Seen) -> bool:
        """Tell whether the finding is gone when the run has not read it."""
        return self.proves and self.reads(seen)
