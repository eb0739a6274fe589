"""A small world, a pair of plugins and a tenant, looked at from outside alone.

Findings are told apart by Qualys's uniqueId, a UUID: every form of identifier that CVM was given
ends in it.
"""

from __future__ import annotations

import json
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tests.pair.together import Pair, open_sandbox
from tests.sandbox.faults.faults import Faults
from tests.sandbox.http.server import Server
from tests.sandbox.oracle.sight import place_by_url
from tests.sandbox.qualys.face import QualysFace
from tests.sandbox.qualys.platform import create_face_app
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.pair.together import Synced
    from tests.sandbox.ciscovm.tenant.view import Held
    from tests.sandbox.sandbox import Sandbox
    from tests.sandbox.world.model import Finding, WebApp

UUID_LENGTH: Final = 36
NEVER_STOPPED: Final = {"max_close_percent": 100}
"""The guard is another promise: here nothing but the plan itself may keep a finding open."""

Document = dict[str, Any]


@dataclass
class Scene:
    """A sandbox and the pair that runs against it."""

    sandbox: Sandbox
    pair: Pair
    home: Path

    @property
    def world(self) -> World:
        return self.sandbox.world

    def sync(self, **tap_settings: Any) -> Synced:  # noqa: ANN401 - any JSON value
        """Run both, with tap settings for this run only."""
        return self.pair.sync(**tap_settings)

    def begun(self) -> set[str]:
        """Run a first full sync that must go well, and give what is open after it."""
        first = self.sync()
        assert (first.tap_exit, first.exit_code, first.outcome) == (0, 0, "succeeded"), first
        assert self.held_open() == self.shown_open()
        return self.shown_open()

    def other_pair(self, folder: str, **settings: object) -> Pair:
        """Give another installation of both plugins: a folder, a ledger and a state of its own."""
        return Pair(self.sandbox, self.home / folder, settings={**NEVER_STOPPED, **settings})

    # -- what the two systems hold

    def name(self, finding: Finding) -> str:
        return self.world.unique_id(finding)

    def names(self, findings: Iterable[Finding]) -> set[str]:
        return {self.name(finding) for finding in findings}

    def shown_open(self, world: World | None = None) -> set[str]:
        """Give the findings that are open in Qualys."""
        world = world or self.world
        return {world.unique_id(one) for one in world.all_findings() if one.open}

    def held(self, connector_id: int | None = None) -> list[Held]:
        """Give all that the connector has said in CVM."""
        return self.sandbox.tenant.held(connector_id or self.sandbox.connector_id)

    def held_open(self, connector_id: int | None = None) -> set[str]:
        """Give the findings that are open in CVM on any asset."""
        return {finding_of(one) for one in self.held(connector_id) if one.is_open}

    def places(self, finding: Finding) -> set[str]:
        """Give the URLs at which CVM has the finding open."""
        name = self.name(finding)
        return {
            one.locators.get("url", "")
            for one in self.held()
            if one.is_open and finding_of(one) == name
        }

    @property
    def closings(self) -> list[str]:
        """Give the findings that were ever closed in CVM, with the way of it, in order."""
        rows = self.sandbox.tenant.state.closings
        return [f"{one.cause} {one.scanner_identifier[-UUID_LENGTH:]}" for one in rows]

    def documents(self) -> list[Document]:
        """Give the KDI files that were uploaded, as far as CVM keeps them."""
        files = self.sandbox.tenant.state.files.values()
        return [json.loads(zlib.decompress(file.deflated)) for file in files]

    # -- findings and web apps to work with

    def open_of(self, app: WebApp) -> list[Finding]:
        return [one for one in self.world.findings_of(app) if one.open]

    def on_a_page(self) -> list[Finding]:
        """Give the open findings that lie on a page of their own, in the order of their types."""
        return [one for one in self.world.all_findings() if one.open and one.url is not None]

    def busiest_app(self) -> WebApp:
        return max(self.world.apps.values(), key=lambda app: len(self.open_of(app)))

    def alone_on_its_page(self) -> Finding:
        """Give an open finding that shares its asset with no other."""
        pages = [place_by_url(one) for one in self.world.all_findings()]
        return next(one for one in self.on_a_page() if pages.count(place_by_url(one)) == 1)

    def together_on_a_page(self) -> tuple[Finding, Finding]:
        """Give two open findings of one asset."""
        first: dict[str, Finding] = {}
        for one in self.on_a_page():
            other = first.setdefault(place_by_url(one), one)
            if other is not one:
                return other, one
        msg = "no two open findings lie on one page: take another seed"
        raise AssertionError(msg)

    # -- what may change

    def strip_subscription(self) -> None:
        """Let a proxy take the header away that names the subscription."""
        self._tell_subscription(told=False)

    def name_subscription(self) -> None:
        """Let that header come through."""
        self._tell_subscription(told=True)

    def _tell_subscription(self, *, told: bool) -> None:
        face = self.sandbox.face
        face.switches = replace(face.switches, subscription_header=told)

    @contextmanager
    def other_account(self, seed: int = 77) -> Iterator[tuple[World, dict[str, Any]]]:
        """Serve another subscription; give its world, and the tap settings that lead there."""
        size = WorldSize(apps=3, findings=40, qids=8, scans=6, seed=seed)
        world = World(size, self.sandbox.clock)
        face = QualysFace(world, self.sandbox.clock, Faults(), self.sandbox.switches)
        with Server(create_face_app(face)) as server:
            login = {"username": face.username, "password": face.password}
            yield world, {"api_url": server.url, **login}


def finding_of(held: Held) -> str:
    """Give the uniqueId of what an entry of CVM stands for."""
    return held.scanner_identifier[-UUID_LENGTH:]


@contextmanager
def opened(
    home: Path,
    *,
    apps: int = 4,
    findings: int = 60,
    seed: int = 5,
    **switches: Any,  # noqa: ANN401 - a switch of any kind
) -> Iterator[Scene]:
    """Open a scene of another size or with other switches than the fixture's."""
    with open_sandbox(apps=apps, findings=findings, seed=seed, **switches) as sandbox:
        yield Scene(sandbox, Pair(sandbox, home / "first", settings=dict(NEVER_STOPPED)), home)
