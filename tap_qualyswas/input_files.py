"""The state and the catalog that a command line names, read with care."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, Final

from singer_sdk.singerlib import Catalog

from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    import logging

FULL_TABLE: Final = "FULL_TABLE"
METHODS: Final = ("replication-method", "forced-replication-method")
"""Metadata of a stream that sets its replication method; Meltano writes the first."""
MARK: Final = "\ufeff"
"""What some editors write before a text in UTF-8."""
CARRIERS: Final = ("value", "singer_state")
"""What holds the state in a line of the output, and in what `meltano state get` prints."""
STATE_ADVICE: Final = "Pass the last whole STATE value, or no state at all."


def read_state(file: IO[str] | None, logger: logging.Logger) -> dict[str, Any]:
    """Read a state file.

    Returns:
        The state; empty, with a line in the log, when the file holds nothing.

    Raises:
        SettingsError: when it is not a state.
    """
    if file is None:
        return {}
    name = getattr(file, "name", "given")
    try:
        text = file.read().removeprefix(MARK)
        state = json.loads(text) if text.strip() else {}
    except (RecursionError, ValueError):
        msg = f"State file {name} is not JSON. {STATE_ADVICE}"
        raise SettingsError(msg) from None
    state = _uncarried(state)
    if not isinstance(state, dict) or not _is_bookmarks(state.get("bookmarks")):
        msg = f"State file {name} holds no Singer state (an object with bookmarks). {STATE_ADVICE}"
        raise SettingsError(msg)
    if "bookmarks" in state:  # null is what is over
        parts = (state["bookmarks"] or {}).items()
        state["bookmarks"] = {stream: {} if part is None else part for stream, part in parts}
    if not state.get("bookmarks"):
        logger.info("State file %s holds no bookmarks: everything is read.", name)
    return state


def _uncarried(state: object) -> object:
    """Give what something carries in place of bookmarks of its own."""
    if not isinstance(state, dict) or "bookmarks" in state:
        return state
    return next((state[name] for name in CARRIERS if name in state), state)


def _is_bookmarks(value: object) -> bool:
    return value is None or (
        isinstance(value, dict) and all(isinstance(part, dict | None) for part in value.values())
    )


def read_catalog(file: IO[str] | None) -> dict[str, Any] | None:
    """Read a catalog file.

    Returns:
        The catalog. A stream of which its metadata says FULL_TABLE is so, whatever else it says:
        the SDK would go by what the stream was discovered with.

    Raises:
        SettingsError: when it is not a catalog.
    """
    if file is None:
        return None
    try:
        catalog = json.loads(file.read().removeprefix(MARK))
        Catalog.from_dict(catalog)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        catalog = None
    if not isinstance(catalog, dict) or not isinstance(catalog.get("streams"), list):
        name = getattr(file, "name", "given")
        msg = f"Catalog file {name} is not a Singer catalog. Write one with --discover."
        raise SettingsError(msg)
    for stream in catalog["streams"]:
        if _is_full_table(stream):
            stream["replication_method"] = FULL_TABLE
    return catalog


def _is_full_table(stream: object) -> bool:
    """Tell whether the metadata of a stream asks for all of it each time."""
    parts = stream.get("metadata") if isinstance(stream, dict) else None
    of_stream = (
        part.get("metadata")
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict) and not part.get("breadcrumb")
    )
    return any(
        isinstance(metadata, dict) and metadata.get(name) == FULL_TABLE
        for metadata in of_stream
        for name in METHODS
    )
