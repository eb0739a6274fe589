"""The tap's state, as far as the target has a word in it."""

from __future__ import annotations

import json


def asking_full_sync(value: bytes | None) -> bytes:
    """Give a state that asks the tap for a full sync next time: `bookmarks.syncs.fullSyncAsked`.

    Args:
        value: the last state of the tap; None when it wrote none.
    """
    state = _object(_read(value))
    bookmarks = state["bookmarks"] = _object(state.get("bookmarks"))
    syncs = bookmarks["syncs"] = _object(bookmarks.get("syncs"))
    syncs["fullSyncAsked"] = True
    return json.dumps(state).encode()


def _read(value: bytes | None) -> object:
    # Other taps write NaN and halves of characters, which a strict decoder refuses.
    try:
        return json.loads(value) if value else None
    # Nested too deeply, not in UTF-8, or a number of thousands of digits: a full sync needs none.
    except (RecursionError, ValueError):
        return None


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
