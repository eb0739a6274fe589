"""What is remembered from one sync to the next, inside Singer's `bookmarks`.

    webapps, scans, findings   resume: where an interrupted walk goes on (see `cursors`)
    scans, findings            replication_key, replication_key_value: the bookmark
    findings                   reports: when the newest report file of each web application was made
    knowledge_base             pending: QIDs whose entry has not been fetched; unpublished: those
                               that had no entry when they were asked for
    scan_results               pending: scans whose report has not been downloaded; refused: those
                               of them that were refused by the last sync
    syncs                      format, lastSyncAt, lastFullSyncAt, filters, streams, account,
                               worked (parts of the API), fullSyncAsked (set by the target)

Streams that are not ours are kept as they are. Meltano can merge a state into an older one, which
brings keys back that are left out: so what is over is written as null. It cannot merge an object
into a null, so an object that may be over stands in a list, which Meltano replaces as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.accounts import Account
from qualyswas_ciscovm.dates import to_utc, to_utc_strict
from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PENDING: Final = "pending"
FORMAT: Final = 1
"""Number of the form of the state."""


class State:
    """The state of the tap, read and changed in place.

    Args:
        raw: the tap's own state, with or without `bookmarks`.
        write: writes it to the output.
    """

    def __init__(self, raw: dict[str, Any], write: Callable[[], None]) -> None:
        self._raw = raw
        self._write = write

    def require_known_form(self) -> None:
        """Refuse a state that a later version of the tap has written.

        Raises:
            SettingsError: when its format is newer than the one that is known here.
        """
        found = self.part("syncs").get("format")
        if isinstance(found, int) and found > FORMAT:
            msg = (
                f"The state is of format {found}, and this tap-qualyswas knows format {FORMAT} and "
                "older ones. Update tap-qualyswas, or start without a state: then everything is "
                "read."
            )
            raise SettingsError(msg)

    def write(self) -> None:
        """Write the state to the output."""
        self._write()

    def part(self, stream: str) -> Mapping[str, Any]:
        """Give the part of a stream, for reading."""
        part = self._raw.get("bookmarks", {}).get(stream)
        return part if isinstance(part, dict) else {}

    def open(self, stream: str) -> dict[str, Any]:
        """Give the part of a stream, for changes."""
        bookmarks: dict[str, Any] = self._raw.setdefault("bookmarks", {})
        part = bookmarks.setdefault(stream, {})
        if not isinstance(part, dict):
            bookmarks[stream] = part = {}
        return part

    def has_bookmark(self, stream: str) -> bool:
        """Tell whether a stream has a bookmark, whatever its form."""
        return bool(self.part(stream).get("replication_key_value"))

    def bookmark(self, stream: str, key: str) -> str | None:
        """Give the bookmark of a stream in our form of dates.

        Raises:
            ValueError: when it is not a date.
        """
        part = self.part(stream)
        value = part.get("replication_key_value")
        if not isinstance(value, str) or part.get("replication_key", key) != key:
            return None
        return to_utc_strict(value)

    def set_bookmark(self, stream: str, key: str, value: str | None) -> None:
        """Set the bookmark of a stream; None leaves it as it is."""
        if value is not None:
            self.open(stream).update({"replication_key": key, "replication_key_value": value})

    def passing(self, stream: str, name: str) -> Any:  # noqa: ANN401 - checked by whoever knows it
        """Give something that a stream keeps for a while, None for nothing.

        Earlier versions have written objects as they are.
        """
        kept = self.part(stream).get(name)
        if isinstance(kept, list) and len(kept) == 1 and isinstance(kept[0], dict):
            return kept[0]
        return kept

    def set_passing(
        self, stream: str, name: str, value: Mapping[str, Any] | Sequence[Any] | None
    ) -> None:
        """Keep something of a stream for a while; nothing is kept of an empty value."""
        part = self.open(stream)
        if value:
            part[name] = [value] if isinstance(value, dict) else value
        elif name in part:
            part[name] = None

    def pending(self, stream: str) -> Any:  # noqa: ANN401 - checked by the stream that knows it
        """Give what a stream still has to fetch from before, None for nothing."""
        return self.passing(stream, PENDING)

    def set_pending(self, stream: str, value: Mapping[str, Any] | Sequence[Any]) -> None:
        """Keep what a stream still has to fetch; nothing is kept of an empty value."""
        self.set_passing(stream, PENDING, value)

    @property
    def last_sync_at(self) -> str | None:
        """Start of the last sync that ended."""
        return self._sync_date("lastSyncAt")

    @property
    def last_full_sync_at(self) -> str | None:
        """Start of the last full sync that was read to its end."""
        return self._sync_date("lastFullSyncAt")

    @property
    def full_sync_asked(self) -> bool:
        """Whether the target asked for a full sync."""
        return self.part("syncs").get("fullSyncAsked") is True

    @property
    def account(self) -> Account | None:
        """The account of the last sync that ended; None when it is not known."""
        kept = self.part("syncs").get("account")
        if not isinstance(kept, dict) or not isinstance(kept.get("host"), str):
            return None
        subscription, login = (_text(kept.get(name)) for name in ("subscription", "login"))
        return Account(subscription, kept["host"], login)

    def worked_for(self, account: Account) -> list[str]:
        """Give the parts of the API that have answered a login in earlier syncs."""
        last, worked = self.account, self.part("syncs").get("worked")
        if last is None or last[1:] != account[1:] or not isinstance(worked, list):
            return []
        return [name for name in worked if isinstance(name, str)]

    def latest_moment(self, streams: Iterable[str]) -> str | None:
        """Give the latest moment that it names, of syncs and of some streams; None for none."""
        moments = [self.last_sync_at, self.last_full_sync_at]
        for stream in streams:
            value = self.part(stream).get("replication_key_value")
            moments.append(to_utc(value) if isinstance(value, str) else None)
        return max(filter(None, moments), default=None)

    def _sync_date(self, name: str) -> str | None:
        value = self.part("syncs").get(name)
        return to_utc(value) if isinstance(value, str) else None

    def has_filters(self, filters: Mapping[str, Any]) -> bool | None:
        """Tell whether the last sync that ended had these filters; None when it is not known."""
        kept = self.part("syncs").get("filters")
        return None if kept is None else _without_nulls(kept) == _without_nulls(filters)

    @property
    def streams(self) -> Any:  # noqa: ANN401 - only ever compared
        """The streams of the last sync that ended."""
        return self.part("syncs").get("streams")

    def set_sync(  # noqa: PLR0913 - each is one thing to remember
        self,
        *,
        started_at: str,
        filters: Mapping[str, Any],
        streams: Sequence[str],
        account: Account,
        worked: Sequence[str],
        anew: bool,
        full: bool,
        same: bool,
    ) -> None:
        """Remember a sync that ended.

        Args:
            started_at: when it began.
            filters: its filters.
            streams: its streams.
            account: that was read.
            worked: parts of the API that have answered.
            anew: whether all that the settings ask for was read from its beginning.
            full: whether it was a full one, too.
            same: whether its filters, streams and account are those of the syncs before; otherwise
                these prove nothing any more.
        """
        part = self.open("syncs")
        if not same:
            part["lastFullSyncAt"] = None
        part.update(
            {
                "format": FORMAT,
                "lastSyncAt": started_at,
                "filters": _with_nulls(part.get("filters"), filters),
                "streams": list(streams),
                "account": account._asdict(),
                "worked": list(worked),
            }
        )
        if anew:
            part["fullSyncAsked"] = None
        if full:
            part["lastFullSyncAt"] = started_at


def _with_nulls(old: object, new: Mapping[str, Any]) -> dict[str, Any]:
    """Give the new values, and null for the old ones that are over."""
    kept: Mapping[str, Any] = old if isinstance(old, dict) else {}
    found: dict[str, Any] = {**dict.fromkeys(kept), **new}
    for name, value in found.items():
        before = kept.get(name)
        if isinstance(value, dict) or (value is None and isinstance(before, dict)):
            found[name] = _with_nulls(before, value or {})
    return found


def _without_nulls(value: object) -> object:
    if not isinstance(value, dict):
        return value
    parts = {name: _without_nulls(part) for name, part in value.items()}
    return {name: part for name, part in parts.items() if part is not None} or None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
