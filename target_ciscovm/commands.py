"""How the command ends: one line, an exit code, and no broken pipe behind it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import click
from singer_sdk.exceptions import ConfigValidationError

from target_ciscovm.errors import CiscoVMError, Interrupted, SettingsError
from target_ciscovm.intake.counts import SIGNAL_EXIT
from target_ciscovm.intake.singer_lines import drain

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

RUNTIME_EXIT: Final = 1
SETTINGS_EXIT: Final = SettingsError.exit_code


class Ending(click.ClickException):
    """The end of the command by something that is understood: its message, no trace back.

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
        Ending: for wrong settings, for what CVM refuses, for what the system refuses.
    """
    try:
        yield
    except ConfigValidationError as error:
        raise Ending(" ".join(error.errors), SETTINGS_EXIT, logger) from None
    except CiscoVMError as error:
        raise Ending(str(error), error.exit_code, logger) from error
    except Interrupted as stop:
        raise Ending(str(stop), SIGNAL_EXIT + stop.signum, logger) from None
    except OSError as error:
        msg = f"The system refused: {error.strerror or type(error).__name__}."
        raise Ending(msg, RUNTIME_EXIT, logger) from error


@contextmanager
def draining(file: IO[Any] | None) -> Iterator[None]:
    """Let the input run dry when the command ends before it has read it."""
    try:
        yield
    except Ending as ending:
        if ending.exit_code > SIGNAL_EXIT:
            raise
        source = file or sys.stdin
        if not source.isatty():
            drain(source)
        raise
