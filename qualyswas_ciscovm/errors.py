"""What can end a command early: an error that a person can act on, or a signal."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn

from qualyswas_ciscovm.wording import one_line, without_logins

if TYPE_CHECKING:
    from types import FrameType

RUNTIME_EXIT: Final = 1
SETTINGS_EXIT: Final = 2
SIGNAL_EXIT: Final = 128
"""Exit code of a process that a signal ended, less the number of the signal."""


class PluginError(Exception):
    """Base of each plugin's errors. `str(error)` is one line for a person, without secrets.

    Whatever names from outside it quotes, it holds no character that steers a terminal, and no
    login in a URL.
    """

    exit_code: ClassVar[int] = RUNTIME_EXIT

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(without_logins(message)))


class Interrupted(BaseException):
    """A signal asked for the end.

    It is no `Exception`, so that nothing on the way takes it for an error of its own.

    Attributes:
        signum: number of the signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"The run was stopped by signal {signum}.")
        self.signum = signum

    @property
    def exit_code(self) -> int:
        """Exit code of the process."""
        return SIGNAL_EXIT + self.signum


def end_at_signals() -> None:
    """Let a signal end the command without a trace back, until the plugin takes it over."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _end)


def ignore_signals() -> None:
    """Let no signal end a command that has done all of its work.

    Else it would write a trace back out of whatever is tidied up, and call a whole run stopped.
    """
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)


def _end(signum: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(SIGNAL_EXIT + signum)
