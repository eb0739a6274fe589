"""The tap's state, as far as the target has a word in it."""

from __future__ import annotations

import msgspec


def asking_full_sync(value: bytes | None) -> bytes:
    """Give a state that asks the tap for a full sync next time: `bookmarks.syncs.fullSyncAsked`.

    Args:
        value: the last state of the tap; None when it wrote none.
    """
    state = _object(msgspec.json.decode(value) if value else None)
    bookmarks = state["bookmarks"] = _object(state.get("bookmarks"))
    syncs = bookmarks["syncs"] = _object(bookmarks.get("syncs"))
    syncs["fullSyncAsked"] = True
    return msgspec.json.encode(state)


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
