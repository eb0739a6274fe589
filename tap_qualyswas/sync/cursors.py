"""Cursors: where the walks of an interrupted run go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.accounts import Account, same_view
from qualyswas_ciscovm.dates import to_text, to_utc
from tap_qualyswas.search.pages import IdRange

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from tap_qualyswas.settings.values import Settings
    from tap_qualyswas.sync.bookmarks import Bookmarks
    from tap_qualyswas.sync.origin import Origin
    from tap_qualyswas.sync.scope import Scope
    from tap_qualyswas.sync.state import State

RESUME: Final = "resume"
HORIZON: Final = "horizon"
BEGAN: Final = "began"
ACCOUNT: Final = "account"
GREATEST: Final = "greatest"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a walk reads; a cursor of another frame is not used.

    Attributes:
        window_start: lower bound in time, None for everything.
        filters: the filter settings.
        scope: fingerprint of the web applications that they stand for, None for all.
        evidence: whether rows carry evidence.
        reports: whether it is noted which scans have a report.
    """

    window_start: str | None
    filters: Mapping[str, Any]
    scope: str | None = None
    evidence: bool = False
    reports: bool = False

    def as_state(self) -> dict[str, Any]:
        """Give the form in which the state keeps it."""
        return {
            "windowStart": self.window_start,
            "filters": dict(self.filters),
            "scope": self.scope,
            "evidence": self.evidence,
            "reports": self.reports,
        }


def frame_of(settings: Settings, scope: Scope, window_start: str | None) -> Frame:
    """Give the frame of a walk in a run."""
    return Frame(
        window_start, settings.filters.as_state(), scope.fingerprint(), settings.include_evidence
    )


def greatest_in(carried: Mapping[str, Any]) -> str | None:
    """Give the greatest date among the rows of an interrupted run; None where none is told."""
    kept = carried.get(GREATEST)
    return to_utc(kept) if isinstance(kept, str) else None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where an interrupted walk goes on.

    Attributes:
        ranges: ids still to be read, by sweep; a sweep that is not named has not begun.
        carried: what the rows read so far have left to be done or known.
    """

    ranges: dict[str, list[IdRange]]
    carried: dict[str, Any]


class Cursors:
    """Find, keep and clear the cursors in the state.

    Args:
        state: of the tap.
        origin: knows the account that is read.
        bookmarks: whose horizon goes with a cursor.
        ignore: whether every walk starts anew. With `full_sync` it does: a walk that goes on proves
            nothing, and a proof may be what is asked for.
        logger: gets a line for each walk that goes on.
    """

    def __init__(
        self,
        state: State,
        origin: Origin,
        bookmarks: Bookmarks,
        logger: logging.Logger,
        *,
        ignore: bool,
    ) -> None:
        self._state = state
        self._origin = origin
        self._bookmarks = bookmarks
        self._logger = logger
        self._ignore = ignore
        self._resumed = False

    @property
    def resumed(self) -> bool:
        """Whether any walk of this run goes on from a cursor."""
        return self._resumed

    def find(self, stream: str, frame: Frame) -> Cursor | None:
        """Give the cursor of an interrupted walk of the same frame, None when there is none."""
        cursor = None if self._ignore else _read(self._state.passing(stream, RESUME), frame)
        if cursor is None or not self._is_of_now(cursor):
            return None
        try:
            self._bookmarks.inherit(stream, str(cursor.carried.get(HORIZON)))
        except ValueError:
            return None
        self._resumed = True
        self._logger.info("%s goes on where an interrupted run stopped.", stream)
        return cursor

    def _is_of_now(self, cursor: Cursor) -> bool:
        """Tell whether no sync has ended since, and the account is the same."""
        began, last = cursor.carried.get(BEGAN), self._state.last_sync_at
        if not isinstance(began, str) or (last is not None and began <= last):
            return False
        self._origin.started_at()  # so that an answer has named the account
        kept = _account(cursor.carried.get(ACCOUNT))
        return kept is not None and same_view(kept, self._origin.account)

    def keep(self, stream: str, frame: Frame, cursor: Cursor) -> None:
        """Keep where a walk stands, and write the state."""
        horizon = to_text(self._bookmarks.horizon(stream))
        kept = {
            "frame": frame.as_state(),
            "spans": {
                key: [id_range.as_state() for id_range in ranges]
                for key, ranges in cursor.ranges.items()
            },
            "carried": {
                **cursor.carried,
                HORIZON: horizon,
                BEGAN: to_text(self._origin.started_at()),
                ACCOUNT: list(self._origin.account),
            },
        }
        self._state.set_passing(stream, RESUME, kept)
        self._state.write()

    def clear(self, stream: str) -> None:
        """Forget where a walk stood: it has ended."""
        self._state.set_passing(stream, RESUME, None)


def _account(kept: object) -> Account | None:
    if not isinstance(kept, list) or len(kept) != len(Account._fields):
        return None
    subscription, host, login = kept
    return Account(subscription, host, login) if isinstance(host, str) else None


def _read(kept: object, frame: Frame) -> Cursor | None:
    if not isinstance(kept, dict) or kept.get("frame") != frame.as_state():
        return None
    try:
        ranges = {
            str(key): [IdRange.from_state(value) for value in values]
            for key, values in kept["spans"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    carried = kept.get("carried")
    return Cursor(ranges, carried if isinstance(carried, dict) else {})
