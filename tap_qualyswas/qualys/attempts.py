"""A call, tried until it works or until its error is not worth another attempt."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from qualyswas_ciscovm.wording import counted, one_line, without_logins
from tap_qualyswas.errors import BadCredentials, LoneRefusal, TemporaryError
from tap_qualyswas.qualys.retries import ConcurrencyLimit

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from tap_qualyswas.qualys.retries import RetryPolicy

T = TypeVar("T")


class Attempts:
    """Try calls to one server. Safe to use from several threads.

    Args:
        policy: how often a call is tried.
        max_concurrency: calls at a time; lowered when Qualys says so.
        logger: gets one line for each wait.
        renew_login: makes the next call log in again, for logins that expire. It is given the
            moment when the refused call began, on the monotonic clock.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        max_concurrency: int,
        logger: logging.Logger,
        renew_login: Callable[[float], None] | None,
    ) -> None:
        self._policy = policy
        self._limit = ConcurrencyLimit(max_concurrency)
        self._logger = logger
        self._renew_login = renew_login
        self._lock = threading.Lock()
        self._answered = False
        self._is_known = False
        self._refused_before = False

    @property
    def concurrency(self) -> int:
        """How many calls may be on the way at a time now."""
        return self._limit.calls

    @property
    def answered(self) -> bool:
        """Whether any call has worked."""
        return self._answered

    def trust_address(self) -> None:
        """Take the address for right: an earlier sync was answered there."""
        self._is_known = True

    def warn(self, message: str) -> None:
        """Log what a person should know of a call, whatever it quotes."""
        self._logger.warning("%s", one_line(without_logins(message)))

    def inform(self, message: str) -> None:
        """Log what explains a run."""
        self._logger.info("%s", message)

    def sleep(self, seconds: float) -> None:
        """Wait; as long as the policy's own waits are to usual ones."""
        time.sleep(seconds * self._policy.first_wait_seconds)

    def run(
        self,
        attempt: Callable[[], T],
        on_too_slow: Callable[[], bool] | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        """Make a call.

        Args:
            attempt: makes it once.
            on_too_slow: called when the answer did not come in time or was too large, before the
                next attempt: asks for less, and tells whether it does. While it does, the call is
                tried beyond max_attempts, once anything has been answered.
            stop: ends waits early.

        Raises:
            QualysError: when it does not work.
        """
        made = refusals = 0
        while True:
            made += 1
            try:
                with self._limit.call():
                    began = time.monotonic()
                    result = attempt()
            except BadCredentials as refused:
                refusals += 1
                lone = self._expired_token(refused, began)
                self._prepare_next(lone, refusals, on_too_slow, stop)
            except LoneRefusal as refused:
                # Counted on their own: a call may have failed in other ways before.
                refusals += 1
                if self._renew_login is not None:
                    self._renew_login(began)
                self._prepare_next(refused, refusals, on_too_slow, stop)
            except TemporaryError as error:
                self._prepare_next(error, made, on_too_slow, stop)
            else:
                self._answered = True
                self._refused_before = False
                return result

    def _expired_token(self, refused: BadCredentials, began: float) -> LoneRefusal:
        """Take a refusal for that of a token that has expired; names and passwords do not."""
        if self._renew_login is None or not self._answered:
            raise refused
        self._renew_login(began)
        return LoneRefusal(refused.place, refused.code)

    def _prepare_next(
        self,
        error: TemporaryError,
        made: int,
        on_too_slow: Callable[[], bool] | None,
        stop: threading.Event | None,
    ) -> None:
        answered = self._answered or (self._is_known and error.blames_address)
        is_last = made >= self._policy.attempts_for(error, answered=answered)
        asks_for_less = (
            error.asks_for_less
            and on_too_slow is not None
            and (self._answered or not is_last)
            and on_too_slow()
        )
        if is_last and not asks_for_less:
            raise error.given_up(made, answered=answered)
        if isinstance(error, LoneRefusal) and self._renew_login is None:
            self._refuse_second(error)
        seconds = self._policy.wait_after(error, made)
        if error.lower_concurrency and self._limit.lower():
            calls = counted(self._limit.calls, "call")
            self._logger.info("At most %s at a time from now on.", calls)
        self._logger.warning("%s Trying again in %.0f s.", error, seconds)
        if (stop or threading.Event()).wait(seconds):
            raise error

    def _refuse_second(self, error: LoneRefusal) -> None:
        """Let one 401 pass, but no second in a row by another worker: it locks the account."""
        with self._lock:
            if self._refused_before:
                raise error.given_up(2, answered=self._answered)
            self._refused_before = True
