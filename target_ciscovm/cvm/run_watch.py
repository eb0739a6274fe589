"""The wait for a run in CVM: checks that become less frequent, and a limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from target_ciscovm.cvm.connector import RunFailed
from target_ciscovm.cvm.retry_policy import capped
from target_ciscovm.errors import (
    Refused,
    RequestRefused,
    StillBusy,
    StillRunning,
    TemporaryError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.cvm.retry_policy import RetryPolicy

LOOKS_WITHOUT_SUCCESS: Final = 5
"""Looks at a run that has ended and does not say yet whether it went well."""
SILENCE_SECONDS: Final = 300.0
"""A wait without news is still reported this often."""


class Teller:
    """Passes on a text when it is new, or after some silence."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._last = ""
        self._time = 0.0

    def tell(self, text: str) -> None:
        """Pass `text` on, unless it was passed on a short while ago."""
        now = time.monotonic()
        if text != self._last or now - self._time >= SILENCE_SECONDS:
            self._progress(text)
            self._last, self._time = text, now


def wait_until_idle(
    is_running: Callable[[], bool],
    connector_id: int,
    timeout_seconds: float,
    policy: RetryPolicy,
    progress: Callable[[str], None],
) -> None:
    """Wait while a connector is running, with at least one check.

    Raises:
        StillBusy: when it still is after `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    teller = Teller(progress)
    for wait in policy.waits(policy.poll_seconds):
        if not is_running():
            return
        if time.monotonic() >= deadline:
            msg = (
                f"Connector {connector_id} was still busy with another run after "
                f"{timeout_seconds:,.0f} s, so nothing of this load has been run. Start again "
                "when that run has ended, and do not let two schedules share one connector."
            )
            raise StillBusy(msg)
        teller.tell(f"Connector {connector_id} is busy with a run; waiting for its end")
        time.sleep(capped(wait, deadline))


def wait_for_end(
    look: Callable[[], ConnectorRun],
    run_id: int,
    timeout_seconds: float,
    policy: RetryPolicy,
    progress: Callable[[str], None],
) -> ConnectorRun:
    """Wait until a run has an `end_time`; only then is `success` of any meaning.

    A look that fails is no end: the next one may work, while the run goes on in CVM.

    Raises:
        RunFailed: it ended without success.
        StillRunning: it has not ended after `timeout_seconds`, could not be looked at for
            `max_wait_seconds`, or two looks in a row were refused.
    """
    begun = seen = time.monotonic()
    teller = Teller(progress)
    why, refused, unsaid = "", False, 0
    for wait in policy.waits(policy.poll_seconds):
        named = 0.0
        try:
            run = look()
        except (Refused, RequestRefused) as error:
            if refused:
                raise StillRunning(run_id, time.monotonic() - begun, str(error)) from error
            refused, why = True, str(error)
            teller.tell(f"Connector run {run_id} cannot be looked at now: {error}")
        except TemporaryError as error:
            why = f"it could not be looked at: {error}"
            named = error.wait_seconds or 0.0
            teller.tell(f"Connector run {run_id} cannot be looked at now: {error}")
        else:
            seen, why, refused = time.monotonic(), "", False
            if run.end_time is not None:
                unsaid += run.success is None
                if run.success is not None or unsaid >= LOOKS_WITHOUT_SUCCESS:
                    return _ended_well(run)
            teller.tell(_news(run))
        now = time.monotonic()
        if now - begun >= timeout_seconds or now - seen >= policy.max_wait_seconds:
            raise StillRunning(run_id, now - begun, why)
        time.sleep(capped(max(wait, named), begun + timeout_seconds))
    raise AssertionError  # `waits` has no end


def _ended_well(run: ConnectorRun) -> ConnectorRun:
    if run.success is not True:
        raise RunFailed(run)
    return run


def _news(run: ConnectorRun) -> str:
    done = (run.processed_payload_count or 0) + (run.failed_payload_count or 0)
    total = run.total_payload_count
    counts = f": {done:,} of {total:,} payloads" if total else ""
    return f"Connector run {run.id} is going on in CVM{counts}"
