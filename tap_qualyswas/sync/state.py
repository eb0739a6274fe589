"""What is remembered from one sync to the next, inside Singer's `bookmarks`.

    webapps, scans, findings   resume: where an interrupted walk goes on
    scans, findings            replication_key, replication_key_value: the bookmark
    knowledge_base             pending: QIDs whose entry has not been fetched
    scan_results               pending: scans whose report has not been downloaded
    syncs                      lastSyncAt, lastFullSyncAt, filters, streams

Streams that are not ours are kept as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.dates import to_utc_strict
from tap_qualyswas.search.pages import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESUME: Final = "resume"
PENDING: Final = "pending"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a walk reads; a cursor of another frame is not used.

    Attributes:
        window_start: lower bound in time, None for everything.
        filters: the filter settings.
        scope: fingerprint of the web applications that they stand for, None for all.
        evidence: whether rows carry evidence.
    """

    window_start: str | None
    filters: Mapping[str, Any]
    scope: str | None = None
    evidence: bool = False

    def as_state(self) -> dict[str, Any]:
        """Give the form in which it is kept."""
        return {
            "windowStart": self.window_start,
            "filters": dict(self.filters),
            "scope": self.scope,
            "evidence": self.evidence,
        }


@dataclass(slots=True)
class Mark:
    """Where an interrupted walk goes on.

    Attributes:
        spans: ids still to be read, by sweep; a sweep that is not named has not begun.
        carried: what the rows read so far have left to be done or known.
    """

    spans: dict[str, list[Span]]
    carried: dict[str, Any]


class State:
    """The state of the tap, read and changed in place.

    Args:
        raw: the tap's own state, with or without `bookmarks`.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    def of(self, stream: str) -> dict[str, Any]:
        """Give the part of a stream, for reading and writing."""
        bookmarks: dict[str, Any] = self._raw.setdefault("bookmarks", {})
        part = bookmarks.setdefault(stream, {})
        if not isinstance(part, dict):
            bookmarks[stream] = part = {}
        return part

    def _look(self, stream: str) -> Mapping[str, Any]:
        part = self._raw.get("bookmarks", {}).get(stream)
        return part if isinstance(part, dict) else {}

    def is_empty(self) -> bool:
        """Tell whether it remembers nothing."""
        return not any(self._raw.get("bookmarks", {}).values())

    def has_bookmark(self, stream: str) -> bool:
        """Tell whether a stream has a bookmark, whatever its form."""
        return bool(self._look(stream).get("replication_key_value"))

    def bookmark(self, stream: str, key: str) -> str | None:
        """Give a stream's bookmark in our form of dates.

        Raises:
            ValueError: when it is no date.
        """
        part = self._look(stream)
        value = part.get("replication_key_value")
        if not isinstance(value, str) or part.get("replication_key", key) != key:
            return None
        return to_utc_strict(value)

    def set_bookmark(self, stream: str, key: str, value: str | None) -> None:
        """Set a stream's bookmark; None leaves it as it is."""
        if value is not None:
            self.of(stream).update({"replication_key": key, "replication_key_value": value})

    def mark(self, stream: str, frame: Frame) -> Mark | None:
        """Give where an interrupted walk of the same frame goes on, None when there is none."""
        kept = self._look(stream).get(RESUME)
        if not isinstance(kept, dict) or kept.get("frame") != frame.as_state():
            return None
        try:
            spans = {
                str(key): [Span.from_state(value) for value in values]
                for key, values in kept["spans"].items()
            }
        except (KeyError, TypeError, AttributeError, ValueError):
            return None
        carried = kept.get("carried")
        return Mark(spans, carried if isinstance(carried, dict) else {})

    def set_mark(self, stream: str, frame: Frame, mark: Mark) -> None:
        """Keep where the walk stands."""
        self.of(stream)[RESUME] = {
            "frame": frame.as_state(),
            "spans": {
                key: [span.as_state() for span in spans] for key, spans in mark.spans.items()
            },
            "carried": mark.carried,
        }

    def clear_mark(self, stream: str) -> None:
        """Forget where the walk stood: it has ended."""
        self.of(stream).pop(RESUME, None)

    def pending(self, stream: str) -> Any:  # noqa: ANN401 - checked by the stream that knows it
        """Give what a stream still has to fetch from before, None when nothing."""
        return self._look(stream).get(PENDING)

    def set_pending(self, stream: str, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Keep what a stream still has to fetch; nothing is kept of an empty one."""
        part = self.of(stream)
        if value:
            part[PENDING] = value
        else:
            part.pop(PENDING, None)

    @property
    def last_sync_at(self) -> str | None:
        """Start of the last sync that ended."""
        return _date(self._look("syncs").get("lastSyncAt"))

    @property
    def last_full_sync_at(self) -> str | None:
        """Start of the last full sync that left nothing out."""
        return _date(self._look("syncs").get("lastFullSyncAt"))

    @property
    def filters(self) -> Any:  # noqa: ANN401 - only ever compared
        """The filters of the last sync that ended."""
        return self._look("syncs").get("filters")

    @property
    def streams(self) -> Any:  # noqa: ANN401 - only ever compared
        """The streams of the last sync that ended."""
        return self._look("syncs").get("streams")

    def set_sync(
        self,
        *,
        started_at: str,
        filters: Mapping[str, Any],
        streams: Sequence[str],
        full: bool,
        same: bool,
    ) -> None:
        """Remember a sync that ended.

        Args:
            started_at: when it began.
            filters: what it read.
            streams: what it read.
            full: whether it was full and left nothing out.
            same: whether it read the same as those before; else they prove nothing any more.
        """
        part = self.of("syncs")
        if not same:
            part.pop("lastFullSyncAt", None)
        part.update({"lastSyncAt": started_at, "filters": dict(filters), "streams": list(streams)})
        if full:
            part["lastFullSyncAt"] = started_at


def _date(value: object) -> str | None:
    try:
        return to_utc_strict(value) if isinstance(value, str) else None
    except ValueError:
        return None
