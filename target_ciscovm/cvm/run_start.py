"""The start of ONE run of uploaded files, even if answers are lost or the connector is busy.

CVM has no idempotency key. If the answer to a start is lost, the call must not simply be sent
again: the list of runs is checked first.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from target_ciscovm.cvm.connector import read_flag, read_int
from target_ciscovm.cvm.retry_policy import capped
from target_ciscovm.errors import (
    BrokenAnswer,
    CiscoVMError,
    ConnectorBusy,
    ConnectorMissing,
    RateLimited,
    RequestRefused,
    StillBusy,
    TemporaryError,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from target_ciscovm.cvm.answer import Answer
    from target_ciscovm.cvm.calls import Calls
    from target_ciscovm.cvm.connector import ConnectorRun
    from target_ciscovm.cvm.retry_policy import RetryPolicy

LOOKS: Final = 5
"""Checks of the list of runs after a lost answer: a run is "scheduled", so it may appear late."""

BUSY: Final = frozenset(
    {
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.LOCKED,
    }
)
"""CVM's answer while a run is in progress is not documented; each of these may be it."""

UNSENT: Final = (RateLimited, Unreachable)
"""Failures after which CVM has certainly done nothing."""


class RunnableConnector(Protocol):
    """What a start needs to know about the connector."""

    connector_id: int
    policy: RetryPolicy
    calls: Calls

    def runs(self) -> list[ConnectorRun]:
        """Give the connector's runs."""

    def is_running(self) -> bool:
        """Tell whether a run of the connector is in progress."""

    def wait_until_idle(self, timeout_seconds: float, progress: Callable[[str], None]) -> None:
        """Wait while the connector is running."""


class RunStarter:
    """Tries to start one run until it has started.

    Args:
        connector: the connector.
        data_files: the files of the run.
        runs_before: runs that are not ours.
        progress: gets a line for each wait.
    """

    def __init__(
        self,
        connector: RunnableConnector,
        data_files: Sequence[int],
        runs_before: Collection[int],
        progress: Callable[[str], None],
    ) -> None:
        self._connector = connector
        self._data_files = list(data_files)
        self._known = set(runs_before)
        self._progress = progress
        self._verb = "POST"
        self._lost = False
        self._failures = 0

    def start(self, timeout_seconds: float) -> int:
        """Start the run and give its id.

        Raises:
            ConnectorBusy: when CVM says so all the time.
            StillBusy: when another run did not end in `timeout_seconds`.
            RequestRefused: when CVM refuses though the connector is idle.
            CiscoVMError: when it cannot be started, or may have started.
        """
        try:
            return self._started(time.monotonic() + timeout_seconds)
        except CiscoVMError as error:
            if self._lost:  # whatever ends it, a run may have begun
                raise self._not_known(error) from error
            raise

    def _started(self, deadline: float) -> int:
        self._note_runs()
        for wait in self._connector.policy.waits(self._connector.policy.poll_seconds):
            try:
                return self._ask()
            except (TemporaryError, ConnectorBusy) as error:
                failure = error
            if (ours := self._look_for_ours(failure, deadline)) is not None:
                return ours
            self._pause(failure, wait, deadline)
        raise AssertionError  # `waits` has no end

    def _ask(self) -> int:
        """Use POST, as Cisco's toolkit does, else GET, as in the OpenAPI file.

        POST comes first because a URL has no room for the ids of very many files.
        """
        answer = self._send()
        if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            if self._verb == "GET":
                raise ConnectorMissing(self._connector.connector_id, self._connector.calls.place)
            self._verb = "GET"
            return self._ask()
        told = answer.fields()
        success = read_flag(told.get("success"))
        if answer.status in BUSY or success is False:
            quote = self._connector.calls.transport.quote(answer)
            msg = f"CVM did not start a run (HTTP {answer.status}: {quote})."
            raise ConnectorBusy(msg)
        number = read_int(told.get("connector_run_id"))
        if success is not True or number is None:
            msg = f"CVM's answer does not say whether a run started (HTTP {answer.status})."
            raise BrokenAnswer(msg)
        return number

    def _send(self) -> Answer:
        path = f"/connectors/{self._connector.connector_id}/run"
        if self._verb == "POST":
            answer = self._connector.calls.once("POST", path, json={"data_files": self._data_files})
        else:
            query = [("data_files[]", number) for number in self._data_files]
            answer = self._connector.calls.once("GET", path, query=query)
        if answer.status not in BUSY:
            self._connector.calls.judge(answer, "run the connector")
        return answer

    def _note_runs(self) -> None:
        self._known.update(run.id for run in self._connector.runs())

    def _look_for_ours(self, failure: CiscoVMError, deadline: float) -> int | None:
        """Look for a run that CVM has started without saying so in its answer."""
        if isinstance(failure, UNSENT) or (isinstance(failure, ConnectorBusy) and not self._lost):
            return None
        self._progress(f"{failure} Looking for our run in the list of runs.")
        self._lost = True
        for wait in islice(self._connector.policy.waits(), LOOKS):
            if (ours := self._first_unknown_run()) is not None:
                return ours
            time.sleep(capped(wait, deadline))
        self._connector.wait_until_idle(max(0.0, deadline - time.monotonic()), self._progress)
        return self._first_unknown_run()

    def _first_unknown_run(self) -> int | None:
        return min(
            (run.id for run in self._connector.runs() if run.id not in self._known), default=None
        )

    def _pause(self, failure: CiscoVMError, wait: float, deadline: float) -> None:
        """Wait before the next try, or give up."""
        if isinstance(failure, ConnectorBusy) and self._connector.is_running():
            left = max(0.0, deadline - time.monotonic())
            self._connector.wait_until_idle(left, self._progress)
            if not self._lost:
                self._note_runs()  # the run that we waited for is not ours
        else:
            self._failures += not isinstance(failure, RateLimited)
        named = failure.wait_seconds if isinstance(failure, TemporaryError) else None
        over = time.monotonic() + (named or 0.0) >= deadline
        if over or self._failures >= self._connector.policy.max_attempts:
            raise self._given_up(failure)
        self._progress(f"{failure} Trying again.")
        time.sleep(capped(named or wait, deadline))

    def _given_up(self, failure: CiscoVMError) -> CiscoVMError:
        if isinstance(failure, ConnectorBusy) and not self._lost:
            msg = (
                f"{failure} It does so although no other run is in progress. The connector's "
                "page in CVM may have the reason."
            )
            return RequestRefused(msg)
        return failure

    def _not_known(self, failure: CiscoVMError) -> CiscoVMError:
        why = "the connector is still busy." if isinstance(failure, StillBusy) else failure
        return CiscoVMError(
            "CVM did not confirm that the run started, so it was not started again, to avoid a "
            f"second one: {why} Check connector {self._connector.connector_id} in CVM; the "
            "next load sends the same findings again."
        )
