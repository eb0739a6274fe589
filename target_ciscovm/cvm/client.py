"""The calls of Cisco Vulnerability Management that a load needs.

Paths and shapes are those of Cisco's OpenAPI file; each call says what the file leaves open.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import counted
from target_ciscovm.cvm import run_watch
from target_ciscovm.cvm.api_url import tidy_api_url
from target_ciscovm.cvm.calls import PASS, Calls
from target_ciscovm.cvm.connector import (
    Connector,
    ConnectorRun,
    read_connector,
    read_flag,
    read_int,
    read_run,
)
from target_ciscovm.cvm.multipart import FileBody
from target_ciscovm.cvm.retry_policy import RetryPolicy, persist
from target_ciscovm.cvm.run_start import RunStarter
from target_ciscovm.cvm.transport import Transport
from target_ciscovm.errors import (
    BrokenAnswer,
    CiscoVMError,
    ConnectorMissing,
    KeyLacksRights,
    NotADataImporter,
    RequestRefused,
    TemporaryError,
    TooLarge,
    Unavailable,
    UploadFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime
    from pathlib import Path

LOGGER: Final = logging.getLogger(__name__)

CONNECTORS_NAMED: Final = 5
OVERAGE_ATTEMPTS: Final = 2
SEE_RUNS: Final = "see the connector's runs"


class CiscoVMClient:
    """One connector of one tenant.

    Calls are kept below five a second. After a temporary error (HTTP 429, 5xx, connections that are
    refused, cut or time out, empty answers) a call is tried again within the limits of `policy`.
    Each method raises a `TemporaryError` if that did not help, and a `Refused` if someone has to
    change something first.

    Args:
        api_url: the tenant's API host, in any usual spelling.
        api_key: the key of a user who may use connectors.
        connector_id: number of a Data Importer connector.
        ca_bundle: path of the certificates to trust, None for the usual ones.
        policy: limits of waiting; the defaults fit the real CVM.

    Raises:
        SettingsError: for an invalid address, key or `ca_bundle`.
    """

    def __init__(
        self,
        *,
        api_url: str | None,
        api_key: str,
        connector_id: int,
        ca_bundle: str | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.connector_id = connector_id
        self.policy = policy or RetryPolicy()
        self.api_url = tidy_api_url(api_url)
        transport = Transport(self.api_url, api_key, ca_bundle, self.policy)
        self.calls = Calls(transport, self.policy)
        self._path = f"/connectors/{connector_id}"
        self._runs_path = f"{self._path}/connector_runs"
        self._listed = True

    @property
    def server_now(self) -> datetime | None:
        """CVM's time at its first good answer; None until another one agrees."""
        return self.calls.transport.server_now

    def connector(self) -> Connector:
        """Check that the key is accepted and that the connector exists and takes files.

        Raises:
            BadKey: HTTP 401.
            KeyLacksRights: HTTP 403.
            ConnectorMissing: no connector with this number for this key.
            NotADataImporter: it has a host of its own.
            WrongHost: the server is not CVM's API.
            UntrustedServer: its certificate is not trusted.
        """
        found = self._look()
        if found.host:
            raise NotADataImporter(found.id, found.name, found.host)
        return found

    def is_running(self) -> bool:
        """Tell whether a run of the connector is in progress, whoever started it."""
        return self._look().running

    def _look(self) -> Connector:
        """Find the connector in the list, which is documented and has `host`, else by its number.

        `GET /connectors/{id}` is not in the OpenAPI file, but Cisco's own toolkit has used it for
        years; it is used where there is no list, or where the list, as in pages, lacks it.
        """
        rows = self._list() if self._listed else None
        if rows is None:
            self._listed = False
            found = self._by_number()
            if found is None:
                raise ConnectorMissing(self.connector_id, self.calls.place)
            return found
        listed = [item for row in rows if (item := read_connector(row))]
        found = next((item for item in listed if item.id == self.connector_id), None)
        if found is None:
            with suppress(KeyLacksRights, RequestRefused, BrokenAnswer):
                found = self._by_number()
            if found is None:
                raise ConnectorMissing(self.connector_id, self.calls.place, _importers(listed))
            self._listed = False
        return found

    def _list(self) -> list[dict[str, object]] | None:
        return self.calls.get("/connectors", "see the connectors").rows("connectors")

    def _by_number(self) -> Connector | None:
        told = self.calls.get(self._path, "see the connector").fields()
        inner = told.get("connector")
        found = read_connector(inner if isinstance(inner, dict) else told)
        return found if found and found.id == self.connector_id else None

    def overage(self) -> bool | None:
        """Tell whether the tenant's licence is over its limit, None when CVM does not say.

        CVM then imports no vulnerabilities for the assets over the limit, without an error
        (OpenAPI: `overage` of an asset). Never raises, as a load must not fail for this.
        """
        try:
            answer = self.calls.get(
                "/entitlements/overage", "see the licence", attempts=OVERAGE_ATTEMPTS
            )
        except CiscoVMError as error:
            LOGGER.info("CVM does not say whether the licence is over its limit: %s", error)
            return None
        return read_flag(answer.fields().get("overage_status"))

    def runs(self) -> list[ConnectorRun]:
        """Give the connector's runs, newest first.

        Raises:
            ConnectorMissing: HTTP 404.
            CiscoVMError: when the list cannot be read.
        """
        answer = self.calls.get(self._runs_path, SEE_RUNS)
        if answer.status in PASS:
            raise ConnectorMissing(self.connector_id, self.calls.place)
        rows = answer.rows("connector_runs")
        if rows is None:
            msg = f"CVM did not list the runs of connector {self.connector_id}."
            raise BrokenAnswer(msg)
        found = [run for row in rows if (run := read_run(row))]
        if unread := len(rows) - len(found):
            LOGGER.warning("CVM lists %s without a readable id.", counted(unread, "connector run"))
        return sorted(found, key=lambda run: run.id, reverse=True)

    def wait_until_idle(self, timeout_seconds: float, progress: Callable[[str], None]) -> None:
        """Wait while the connector is running, checking less and less often.

        Raises:
            ConnectorBusy: when it is still running after `timeout_seconds`.
        """
        run_watch.wait_until_idle(
            self.is_running, self.connector_id, timeout_seconds, self.policy, progress
        )

    def upload(self, path: Path) -> int:
        """Upload a file without running it.

        After a failure the whole file is sent again. If only the answer was lost, CVM may have the
        file twice; as a run names its files, the extra one is never imported.

        Returns:
            The data file's id, for `run`.

        Raises:
            TooLarge: at once on HTTP 413.
            UploadFailed: after all tries, or at once when the file itself is refused.
        """
        try:
            return persist(lambda: self._upload_once(path), self.policy)
        except (TemporaryError, RequestRefused) as error:
            msg = f"{path.name} could not be uploaded, so nothing has been run in CVM: {error}"
            raise UploadFailed(msg) from error

    def _upload_once(self, path: Path) -> int:
        with FileBody(path, {"run": "false"}) as body:
            answer = self.calls.once("POST", f"{self._path}/data_file", body=body)
            size = len(body)
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            msg = f"{path.name} ({size:,} bytes) is larger than CVM accepts (HTTP 413)."
            raise TooLarge(msg)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            # "Could not persist the file" is sporadic, says a Kenna engineer; the next try works.
            quote = self.calls.transport.quote(answer)
            msg = f"CVM could not store {path.name} (HTTP 422: {quote})."
            raise Unavailable(msg)
        self.calls.judge(answer, "upload a file")
        if answer.status == HTTPStatus.NOT_FOUND:
            raise ConnectorMissing(self.connector_id, self.calls.place)
        told = answer.fields()
        number = read_int(told.get("data_file"))
        if read_flag(told.get("success")) is True and number is not None:
            return number
        msg = f"CVM did not confirm the upload of {path.name} (HTTP {answer.status})."
        raise BrokenAnswer(msg)

    def run(
        self,
        data_files: Sequence[int],
        *,
        runs_before: Collection[int],
        timeout_seconds: float | None = None,
        progress: Callable[[str], None] = LOGGER.info,
    ) -> int:
        """Start ONE run of these files.

        Args:
            data_files: ids from `upload`. Without any, CVM would take only the newest file.
            runs_before: runs that existed before. If the answer to our call is lost, a run that is
                not among them is ours.
            timeout_seconds: how long to wait while the connector is busy, `max_wait_seconds` when
                None.
            progress: gets a line for each wait.

        Returns:
            The run's id.

        Raises:
            ConnectorBusy: when another run is still in progress after `timeout_seconds`.
            CiscoVMError: when no run could be started; the text says if the answer was lost.
        """
        if not data_files:
            msg = "a run needs data files"
            raise ValueError(msg)
        limit = self.policy.max_wait_seconds if timeout_seconds is None else timeout_seconds
        return RunStarter(self, data_files, runs_before, progress).start(limit)

    def wait(
        self, run_id: int, timeout_seconds: float, progress: Callable[[str], None]
    ) -> ConnectorRun:
        """Wait until the run has ended.

        Raises:
            RunFailed: it ended without success (`.run` has the counters).
            StillRunning: it has not ended after `timeout_seconds`, or could not be checked for
                `max_wait_seconds`.
        """
        return run_watch.wait_for_end(
            lambda: self._look_at_run(run_id), run_id, timeout_seconds, self.policy, progress
        )

    def _look_at_run(self, run_id: int) -> ConnectorRun:
        answer = self.calls.get_once(f"{self._runs_path}/{run_id}", SEE_RUNS)
        run = read_run(answer.fields())
        if run is None or run.id != run_id:
            run = self._listed_run(run_id)
        # Also for HTTP 404: a run that was just scheduled may not be there yet.
        if run is None:
            msg = f"CVM says nothing about connector run {run_id} (HTTP {answer.status})."
            raise BrokenAnswer(msg)
        return run

    def _listed_run(self, run_id: int) -> ConnectorRun | None:
        """Find a run in the list of them: CVM may answer for it there alone."""
        with suppress(CiscoVMError):
            listed = self.calls.get_once(self._runs_path, SEE_RUNS)
            found = map(read_run, listed.rows("connector_runs") or ())
            return next((run for run in found if run and run.id == run_id), None)
        return None


def _importers(connectors: Sequence[Connector]) -> str:
    importers = [f"{item.id} ({item.name})" for item in connectors if not item.host]
    more = len(importers) - CONNECTORS_NAMED
    return ", ".join(importers[:CONNECTORS_NAMED]) + (f" and {more} more" if more > 0 else "")
