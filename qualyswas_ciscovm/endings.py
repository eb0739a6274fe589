"""How a command ends: one line in the log and an exit code, no trace back."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand

from qualyswas_ciscovm.errors import RUNTIME_EXIT, SETTINGS_EXIT, Interrupted, PluginError
from qualyswas_ciscovm.wording import one_line

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator


class Ending(click.ClickException):
    """The end of a command for a known reason: its message and no trace back.

    Args:
        message: one line for a person.
        exit_code: of the process.
        logger: gets the message, so that it has the form of all other lines.
    """

    def __init__(self, message: str, exit_code: int, logger: logging.Logger) -> None:
        super().__init__(one_line(message))
        self.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance
        self._logger = logger

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        """Log the message, or print it where the log is mixed into the output.

        `meltano config test` reads both from one pipe and shows a person the last line as it is,
        which would be JSON.
        """
        if "SINGER_SDK_LOG_CONFIG" in os.environ and _log_goes_to_output():
            click.echo(self.message, err=True)
        else:
            self._logger.error("%s", self.message, extra={"exit_code": self.exit_code})


class ClosedOutput(io.TextIOBase):
    """Stands for a standard output that is closed, where Python prints nothing without a word."""

    def write(self, text: str) -> NoReturn:  # noqa: ARG002 - the signature of all outputs
        """Refuse the text.

        Raises:
            OSError: always.
        """
        raise OSError(errno.EBADF, "it is closed")

    @property
    def buffer(self) -> NoReturn:
        """What takes bytes: nothing does.

        Raises:
            OSError: always.
        """
        self.write("")


class Command(SingerCommand):
    """A command that fails where what it prints cannot be written."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's own
        """Run the command as click does."""
        with _written_out(self.logger):
            return super().main(*args, **kwargs)


@contextmanager
def _written_out(logger: logging.Logger) -> Iterator[None]:
    code: object = 0
    if sys.stdout is None:
        sys.stdout = ClosedOutput()  # else all is printed without an error
    try:
        try:
            yield
        except SystemExit as end:
            code = end.code
            raise
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # of another file
            raise
        sys.stdout = ClosedOutput()  # Python would try the other one again at its end
        if not code and not isinstance(error, BrokenPipeError):
            msg = f"The standard output cannot be written: {error.strerror}."
            Ending(msg, RUNTIME_EXIT, logger).show()
        raise SystemExit(code or RUNTIME_EXIT) from None


def _log_goes_to_output() -> bool:
    try:
        return os.path.sameopenfile(1, 2)
    except OSError:  # one of them is closed
        return False


@contextmanager
def ending_well(logger: logging.Logger) -> Iterator[None]:
    """Turn known errors into the end of the command.

    Raises:
        Ending: for wrong settings, an error of the plugin, a signal, or a refusal of the system.
    """
    try:
        yield
    except ConfigValidationError as error:
        raise Ending(" ".join(error.errors), SETTINGS_EXIT, logger) from None
    except (PluginError, Interrupted) as error:
        raise Ending(str(error), error.exit_code, logger) from error
    except OSError as error:
        msg = f"The system refused: {error.strerror or type(error).__name__}."
        raise Ending(msg, RUNTIME_EXIT, logger) from error
