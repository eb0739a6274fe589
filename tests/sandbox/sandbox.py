"""The whole sandbox: a clock, a world, a tenant and both servers, with the variables for them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm import api
from tests.sandbox.ciscovm.tenant.tenant import API_KEY, CONNECTOR_ID, Tenant
from tests.sandbox.faults.faults import Faults
from tests.sandbox.faults.switches import Switches
from tests.sandbox.http.server import Server
from tests.sandbox.oracle.oracle import Oracle
from tests.sandbox.oracle.watch import Watch
from tests.sandbox.qualys import platform
from tests.sandbox.qualys.face import QualysFace
from tests.sandbox.world.clock import START, Clock
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from starlette.applications import Starlette
    from typing_extensions import Self

    from tests.sandbox.ciscovm.face import CiscoFace
    from tests.sandbox.http.authority import Authority
    from tests.sandbox.oracle.oracle import Comparison

DAY: Final = timedelta(days=1)

BUNDLES: Final = ("TAP_QUALYSWAS_CA_BUNDLE", "TARGET_CISCOVM_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Variables that name the file of an authority: the plugins' own, and that of other clients."""


@dataclass(frozen=True)
class Kept:
    """The parts of an earlier sandbox from which a new one continues."""

    clock: Clock
    world: World
    tenant: Tenant
    oracle: Oracle


class Sandbox:
    """Both faces, served on loopback while the `with` block runs.

    Call `begin` before and `settle` after each sync; `next_day` moves the world on in between.

    Args:
        port: of Qualys, CVM's is the next one; 0 for any.
        tls: the authority of the servers' certificates; None for plain HTTP.

    Attributes:
        env: the variables that point the two plugins here.
        faults: can be armed and disarmed at any time.
        oracle: knows what the tenant has to hold after the syncs so far.
        watch: stands by while the two plugins run, and judges them by the oracle.
    """

    api_key: Final = API_KEY
    connector_id: Final = CONNECTOR_ID

    def __init__(
        self,
        *,
        apps: int = WorldSize.apps,
        findings: int = WorldSize.findings,
        qids: int = WorldSize.qids,
        scans: int = WorldSize.scans,
        seed: int = WorldSize.seed,
        turbulent: bool = False,
        faults: Iterable[str] = (),
        switches: Switches | None = None,
        latency_ms: float = 0,
        kept: Kept | None = None,
        port: int = 0,
        tls: Authority | None = None,
    ) -> None:
        self.switches = switches or Switches()
        self.faults = Faults(faults)
        self.turbulent = turbulent
        ids = self.switches.id_sequences, self.switches.huge_ids
        size = WorldSize(apps, findings, qids, scans, seed, turbulent, *ids)
        parts = kept or _fresh(size)
        self.clock, self.world, self.oracle = parts.clock, parts.world, parts.oracle
        self.tenant = Tenant(self.clock, self.faults, self.switches, parts.tenant.state)
        self.face = QualysFace(self.world, self.clock, self.faults, self.switches)
        self._apps: tuple[Starlette, Starlette] = (
            platform.create_face_app(self.face),
            api.create_app(self.tenant, self.clock, self.faults, self.switches),
        )
        latency = latency_ms / 1000
        self._tls, context = tls, None if tls is None else tls.context
        self._servers = tuple(
            Server(app, port and port + place, latency=latency, tls=context)
            for place, app in enumerate(self._apps)
        )
        self._stack = ExitStack()
        self.watch = Watch(self.oracle, self.face, self.tenant, self.connector_id)

    def __enter__(self) -> Self:
        for server in self._servers:
            self._stack.enter_context(server)
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.stop_soon()  # so that they end at the same time, not one after the other
        self._stack.close()

    @property
    def qualys_url(self) -> str:
        """Return the URL of API server and gateway, which are one here."""
        return self._servers[0].url

    gateway_url = qualys_url

    @property
    def ciscovm_url(self) -> str:
        """Return the URL of CVM's API."""
        return self._servers[1].url

    @property
    def username(self) -> str:
        """Return the login that Qualys accepts; client id and secret are in `face`."""
        return self.face.username

    @property
    def password(self) -> str:
        """Return its password."""
        return self.face.password

    @property
    def env(self) -> dict[str, str]:
        """Return the six variables, and with TLS those that name the authority."""
        bundle = {} if self._tls is None else dict.fromkeys(BUNDLES, str(self._tls.path))
        return {
            "TAP_QUALYSWAS_API_URL": self.qualys_url,
            "TAP_QUALYSWAS_USERNAME": self.username,
            "TAP_QUALYSWAS_PASSWORD": self.password,
            "TARGET_CISCOVM_API_URL": self.ciscovm_url,
            "TARGET_CISCOVM_API_KEY": self.api_key,
            "TARGET_CISCOVM_CONNECTOR_ID": str(self.connector_id),
            **bundle,
        }

    @property
    def ciscovm_face(self) -> CiscoFace:
        """Return what all answers of CVM have in common."""
        face: CiscoFace = self._apps[1].state.face
        return face

    @property
    def qualys_requests(self) -> Counter[str]:
        """Return how often each endpoint of Qualys was asked since the start."""
        return self.face.requests

    @property
    def ciscovm_requests(self) -> Counter[str]:
        """Return how often each endpoint of CVM was asked since the start."""
        requests: Counter[str] = self._apps[1].state.requests
        return requests

    def next_day(self, *, turbulent: bool | None = None) -> None:
        """Make it the next morning, with everything that has happened until then.

        It begins the next sync as well: call `begin` only for changes made besides.
        """
        self.clock.set(START + DAY * (self.world.day + 1))
        self.world.next_day(turbulent=self.turbulent if turbulent is None else turbulent)
        self.begin()

    def begin(self) -> None:
        """Take note of the world, the tenant and the requests just before a sync."""
        self.watch.begin()

    def settle(self, exit_code: int, *, full: bool | None = None, whole: bool = True) -> Comparison:
        """Judge the sync that has just ended, and take note for the next one.

        Unless `full` is given, it is read from the requests.
        """
        return self.watch.settle(exit_code, full=full, whole=whole)

    def violations(self) -> list[str]:
        """Return the requests since the start that a tap should never make."""
        return [logged.violation for logged in self.face.log if logged.violation]

    def keep(self) -> Kept:
        """Return the parts from which a later sandbox continues."""
        return Kept(self.clock, self.world, self.tenant, self.oracle)


def _fresh(size: WorldSize) -> Kept:
    clock = Clock()
    world = World(size, clock)
    return Kept(clock, world, Tenant(clock), Oracle(world))
