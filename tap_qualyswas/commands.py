"""How the command begins and ends: files read with care, one line and an exit code at the end."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import click
from singer_sdk.exceptions import ConfigValidationError

from tap_qualyswas.errors import QualysError, SettingsError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

RUNTIME_EXIT: Final = 1
SETTINGS_EXIT: Final = SettingsError.exit_code


class Ending(click.ClickException):
    """The end of the command by an error that is understood: its message, no trace back.

    Args:
        message: one line for a person.
        exit_code: of the process.
        logger: gets the message, so that it has the form of all other lines.
    """

    def __init__(self, message: str, exit_code: int, logger: logging.Logger) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance
        self._logger = logger

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Log the message."""
        self._logger.error("%s", self.message, extra={"exit_code": self.exit_code})


@contextmanager
def ending_well(logger: logging.Logger) -> Iterator[None]:
    """Turn the errors that are understood into the end of the command.

    Raises:
        Ending: for wrong settings, for what Qualys refuses, for what the system refuses.
    """
    try:
        yield
    except ConfigValidationError as error:
        raise Ending(" ".join(error.errors), SETTINGS_EXIT, logger) from None
    except QualysError as error:
        raise Ending(str(error), error.exit_code, logger) from error
    except OSError as error:
        msg = f"The system refused: {error.strerror or type(error).__name__}."
        raise Ending(msg, RUNTIME_EXIT, logger) from error


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
