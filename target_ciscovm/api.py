"""CiscoVMAPI: the calls of Cisco Vulnerability Management that a load needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_ciscovm.connector import Connector, ConnectorRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = ["CiscoVMAPI", "Connector", "ConnectorRun", "Patience"]


@dataclass(frozen=True)
class Patience:
    """How long and how often a call is tried again, and how fast calls follow one another."""

    max_wait_seconds: float = 3600
    max_attempts: int = 8
    poll_seconds: float = 20
    first_wait_seconds: float = 2
    pace_seconds: float = 0.25
    read_seconds: float = 300


class CiscoVMAPI:
    """One connector of one tenant."""

    def __init__(
        self,
        *,
        api_url: str,
        api_key: str,
        connector_id: int,
        ca_bundle: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.server_now: datetime | None = None
        self._settings = (api_url, api_key, connector_id, ca_bundle, patience)

    def connector(self) -> Connector:
        """Look at the connector: key accepted, connector there, file based.

        Raises:
            Refused: with what to do about it.
        """
        raise NotImplementedError

    def overage(self) -> bool | None:
        """Tell whether the tenant's licence is over its limit, None when CVM does not say."""
        raise NotImplementedError

    def runs(self) -> list[ConnectorRun]:
        """Give the connector's runs, newest first."""
        raise NotImplementedError

    def wait_until_idle(self, timeout_seconds: float, progress: Callable[[str], None]) -> None:
        """Wait while the connector is running.

        Raises:
            ConnectorBusy: after `timeout_seconds`.
        """
        raise NotImplementedError

    def upload(self, path: Path) -> int:
        """Upload a file without running it and give its data file id.

        Raises:
            TooLarge: at once on HTTP 413.
            UploadFailed: after all tries, or on HTTP 400.
        """
        raise NotImplementedError

    def run(
        self,
        data_files: Sequence[int],
        *,
        runs_before: Collection[int],
        timeout_seconds: float,
        progress: Callable[[str], None],
    ) -> int:
        """Start ONE run of these files and give its id.

        Raises:
            ConnectorBusy: when another run is still going on after `timeout_seconds`.
        """
        raise NotImplementedError

    def wait(
        self, run_id: int, timeout_seconds: float, progress: Callable[[str], None]
    ) -> ConnectorRun:
        """Wait until the run has ended and give it with its counters.

        Raises:
            RunFailed: it ended without success (`.run` has the counters).
            StillRunning: it has not ended after `timeout_seconds`.
        """
        raise NotImplementedError

    def open_count(self, data_model: str = "vulnerabilities") -> int | None:
        """Count what is open in CVM for this connector, None when CVM does not say."""
        raise NotImplementedError
