"""A CVM tenant: its connectors, files, runs and assets.

Written from the public references on Cisco Vulnerability Management. What they leave open is
decided by `Switches`; what they do not even name is said where it is decided.
"""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from tests.sandbox.ciscovm.kdi.locators import order_of
from tests.sandbox.ciscovm.tenant import view
from tests.sandbox.ciscovm.tenant.assets import AssetBook
from tests.sandbox.ciscovm.tenant.documents import read
from tests.sandbox.ciscovm.tenant.imports import Conditions, Import
from tests.sandbox.ciscovm.tenant.people import People
from tests.sandbox.ciscovm.tenant.state import Connector, DataFile, Run, State
from tests.sandbox.faults.faults import Faults
from tests.sandbox.faults.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from tests.sandbox.ciscovm.tenant.state import Asset
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.world.clock import Clock

API_KEY: Final = "sandbox-key_7.Qd$x-91aF"
"""Holds each of the special characters that keys were seen with."""

CONNECTOR_ID: Final = 155304
OTHER_CONNECTOR_ID: Final = 155305
HOSTED_CONNECTOR_ID: Final = 155001
"""Reads a scanner by itself (`host` is set), so it takes no files."""

CONNECTORS: Final = (
    Connector(HOSTED_CONNECTOR_ID, "Hosted scanner", "scanner.example.test", "Qualys", "Qualys"),
    Connector(CONNECTOR_ID, "Qualys WAS (Data Importer)"),
    Connector(OTHER_CONNECTOR_ID, "Other scanner (Data Importer)"),
)

FILES_KEPT: Final = 50
"""How long CVM keeps uploaded files is unknown; here a connector's last ones can be run again."""

_FIRST_FILE: Final = 18878368
_FIRST_RUN: Final = 16180


class TenantError(Exception):
    """A call that the tenant refuses; the text is what CVM says."""


class NotFoundError(TenantError):
    """No such connector, run or file."""


class BadFileError(TenantError):
    """An upload that is refused when it arrives."""


class BusyError(TenantError):
    """The connector is running already."""


class Tenant:
    """One customer's CVM, safe to use from the server's thread and a test's.

    Runs end when the world's clock reaches their end, or after the same time in real seconds when
    that clock is set back; their work is done at the next look at the tenant.

    Attributes:
        people: what users do by hand in CVM.
        book: its assets, by their locators.
        overage: the licence is over its limit.
        inactivity_days: after which an asset counts as inactive; None for never.
    """

    def __init__(
        self,
        clock: Clock,
        faults: Faults | None = None,
        switches: Switches | None = None,
        state: State | None = None,
    ) -> None:
        self.clock = clock
        self.faults = faults or Faults()
        self.switches = switches or Switches()
        self.state = state or State(API_KEY, {one.id: one for one in CONNECTORS})
        self.overage = False
        self.inactivity_days: int | None = None
        self.lock = threading.RLock()
        order = order_of(self.switches.locator_order)
        any_case = self.switches.url_case == "insensitive"
        self.book = AssetBook(self.state, order, any_case=any_case)
        self.people = People(self.state, self.book, clock, self.lock, self.settle)
        self._started: dict[int, float] = {}
        self._before: list[tuple[datetime, dict[int, Asset]]] = []

    @classmethod
    def load(
        cls,
        path: Path,
        clock: Clock,
        faults: Faults | None = None,
        switches: Switches | None = None,
    ) -> Tenant:
        """Return the tenant that `save` wrote."""
        return cls(clock, faults, switches, msgspec.json.decode(path.read_bytes(), type=State))

    def save(self, path: Path) -> None:
        """Write the tenant as JSON; runs that are on go on after `load`."""
        with self.lock:
            path.write_bytes(msgspec.json.encode(self.state))

    @property
    def order(self) -> tuple[str, ...]:
        """Return the order of locators in CVM's settings, highest first."""
        return self.book.order

    def connector(self, connector_id: int) -> Connector:
        """Return a connector.

        Raises:
            NotFoundError: there is none with this number.
        """
        found = self.state.connectors.get(connector_id)
        if found is None:
            msg = "Connector was not found."
            raise NotFoundError(msg)
        return found

    def is_running(self, connector_id: int) -> bool:
        """Return whether a run of the connector is on."""
        return bool(self._running(connector_id))

    def is_over(self) -> bool:
        """Return whether the licence is over its limit."""
        if self.overage or self.faults.armed("ciscovm-overage"):
            return True
        every = self.state.assets.values() if self.switches.licensed_assets else ()
        return any(asset.overage and self.is_active(asset) for asset in every)

    def is_active(self, asset: Asset) -> bool:
        """Return whether the asset was seen within the inactivity limit, if there is one."""
        limit = self.inactivity_days
        return limit is None or self.clock.now() - asset.last_seen <= timedelta(days=limit)

    def upload(self, connector_id: int, content: bytes) -> DataFile:
        """Keep a file for a later run.

        Raises:
            NotFoundError: no such connector.
            BadFileError: the connector takes no files; or, with `upload_validates`, bad KDI.
        """
        with self.lock:
            if self.connector(connector_id).host is not None:
                msg = "Connector is not file based."
                raise BadFileError(msg)
            problems = read(content, self.switches)[1] if self.switches.upload_validates else []
            if problems:
                raise BadFileError(problems[0])
            file = DataFile(
                self.state.next_id("file", _FIRST_FILE),
                connector_id,
                len(content),
                hashlib.sha256(content).hexdigest(),
                self.clock.now(),
                zlib.compress(content, 1),
            )
            self.state.files[file.id] = file
            self._forget_old(connector_id)
            return file

    def _forget_old(self, connector_id: int) -> None:
        done = [run for run in self.state.runs.values() if run.end_time is not None]
        used = {number for run in done for number in run.data_files}
        for number in [one for one in self._files_of(connector_id) if one in used][:-FILES_KEPT]:
            del self.state.files[number]

    def _files_of(self, connector_id: int) -> list[int]:
        """Return the ids of the connector's files, oldest first."""
        return [file.id for file in self.state.files.values() if file.connector_id == connector_id]

    def start_run(self, connector_id: int, data_files: Sequence[int] | None = None) -> Run:
        """Start a run of the files, or of the one uploaded last when none is named.

        Raises:
            NotFoundError: no such connector.
            BusyError: as many runs as the tenant allows are on.
            BadFileError: a file that is not there or another connector's; or no file at all.
        """
        with self.lock:
            connector = self.connector(connector_id)
            if len(self._running(connector_id)) >= self.switches.concurrent_runs:
                msg = "Connector is already running."
                raise BusyError(msg)
            own = self._files_of(connector_id)
            chosen = list(dict.fromkeys(data_files or own[-1:]))
            if not set(chosen) <= set(own) or (connector.host is None and not chosen):
                msg = "Cannot find specified data file."
                raise BadFileError(msg)
            return self.begin(connector_id, chosen)

    def begin(self, connector_id: int, data_files: list[int]) -> Run:
        """Start a run without any checks, as when someone else starts it."""
        with self.lock:
            now = self.clock.now()
            run = Run(
                self.state.next_id("run", _FIRST_RUN),
                connector_id,
                data_files,
                start_time=now,
                due=now + timedelta(seconds=self.switches.run_seconds),
                endless=self.faults.take("run-never-ends"),
            )
            self.state.runs[run.id] = run
            self._started[run.id] = time.monotonic()
            return run

    def runs(self, connector_id: int) -> list[Run]:
        """Return the connector's runs, newest first."""
        with self.lock:
            self.settle()
            self.connector(connector_id)
            own = [run for run in self.state.runs.values() if run.connector_id == connector_id]
            return sorted(own, key=lambda run: run.id, reverse=True)

    def _running(self, connector_id: int) -> list[Run]:
        return [run for run in self.runs(connector_id) if run.end_time is None]

    def settle(self) -> None:
        """Do the work of the runs whose time has come, in the order of their ends."""
        with self.lock:
            on = [run for run in self.state.runs.values() if run.end_time is None]
            for run in sorted((run for run in on if self._is_due(run)), key=lambda run: run.due):
                self._end(run, self.clock.now() if run.endless else run.due)

    def _end(self, run: Run, now: datetime) -> None:
        if self.switches.search_delay:
            shown = now + timedelta(seconds=self.switches.search_delay)
            self._before.append((shown, deepcopy(self.state.assets)))
        forced = self.overage or self.faults.armed("ciscovm-overage")
        conditions = Conditions(self.switches, self.faults, forced, self._room())
        Import(self.state, self.book, run, now, conditions).carry_out()

    def _room(self) -> int | None:
        """Return how many more assets the licence covers; only active ones count."""
        limit = self.switches.licensed_assets
        if not limit:
            return None
        every = self.state.assets.values()
        return max(0, limit - sum(self.is_active(one) and not one.overage for one in every))

    def searched(self) -> dict[int, Asset]:
        """Return the assets as searches show them, which may be late."""
        self.settle()
        now = self.clock.now()
        self._before = [(moment, assets) for moment, assets in self._before if moment > now]
        return self._before[0][1] if self._before else self.state.assets

    def _is_due(self, run: Run) -> bool:
        if run.endless and self.faults.armed("run-never-ends"):
            return False
        elapsed = time.monotonic() - self._started.get(run.id, time.monotonic())
        return self.clock.now() >= run.due or elapsed >= self.switches.run_seconds

    def held(self, connector_id: int | None = None) -> list[Held]:
        """Return what the connector (None: each) has said, with the asset it stands on."""
        with self.lock:
            self.settle()
            return view.held(self.state, connector_id)

    def summary(self, connector_id: int | None = None) -> dict[str, int]:
        """Return the numbers of assets, of entries open and closed, and of distinct tags."""
        with self.lock:
            self.settle()
            return view.summary(self.state, connector_id)
