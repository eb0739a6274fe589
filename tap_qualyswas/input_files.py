"""The state and the catalog that a command line names, read with care."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from tap_qualyswas.errors import SettingsError

if TYPE_CHECKING:
    import logging


def read_state(file: IO[str] | None, logger: logging.Logger) -> dict[str, Any]:
    """Read a state file.

    Returns:
        The state; empty, with a line in the log, when the file holds nothing.

    Raises:
        SettingsError: when it is no state.
    """
    if file is None:
        return {}
    name = getattr(file, "name", "given")
    try:
        text = file.read()
        state = json.loads(text) if text.strip() else {}
    except ValueError:
        msg = f"state file {name} is not JSON. Give the last whole STATE value, or none at all."
        raise SettingsError(msg) from None
    if not isinstance(state, dict) or not _is_bookmarks(state.get("bookmarks", {})):
        msg = f"state file {name} holds no Singer state (an object with bookmarks)."
        raise SettingsError(msg)
    if not state.get("bookmarks"):
        logger.info("State file %s holds no bookmarks: everything is read.", name)
    return state


def _is_bookmarks(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(part, dict) for part in value.values())


def read_catalog(file: IO[str] | None) -> dict[str, Any] | None:
    """Read a catalog file.

    Raises:
        SettingsError: when it is no catalog.
    """
    if file is None:
        return None
    try:
        catalog = json.load(file)
    except ValueError:
        catalog = None
    if not isinstance(catalog, dict) or not isinstance(catalog.get("streams"), list):
        msg = f"catalog file {getattr(file, 'name', 'given')} is no Singer catalog."
        raise SettingsError(msg)
    return catalog
