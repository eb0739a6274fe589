"""More than one connector, installation and account; states and ledgers that meet a wrong one."""

from __future__ import annotations

import copy
import io
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.pair.figures import FIGURES
from tests.pair.life import Life
from tests.pair.together import Pair
from tests.sandbox.ciscovm.tenant.state import Connector
from tests.sandbox.faults.faults import Faults
from tests.sandbox.http.server import Server
from tests.sandbox.oracle.memory import Installation
from tests.sandbox.oracle.oracle import Oracle
from tests.sandbox.oracle.watch import Watch
from tests.sandbox.qualys.face import QualysFace
from tests.sandbox.qualys.platform import create_face_app
from tests.sandbox.world.size import WorldSize
from tests.sandbox.world.world import World

if TYPE_CHECKING:
    from pathlib import Path

SECOND_CONNECTOR: Final = 155306
FAR: Final = 1 << 20
"""More ids than a world takes."""


def other_account(world: World) -> World:
    """Give the world of another account.

    Ids of its web applications are never those of the first account, not of a deleted one either:
    what CVM still holds of that could be of both, once the ledger is lost.
    """
    size = WorldSize(apps=3, findings=20, qids=8, scans=4, seed=world.size.seed)
    seeds = itertools.count(size.seed + 1)
    found = (World(replace(size, seed=seed), world.clock) for seed in seeds)
    return next(one for one in found if abs(one.app_ids.next - world.app_ids.next) > FAR)


class MorePlaces(Life):
    """Other pairs beside the first one, each made when it is first wanted."""

    def __init__(self) -> None:
        super().__init__()
        self._pairs: dict[str, Pair] = {}
        self._server: Server | None = None
        self._other_world: World | None = None

    def teardown(self) -> None:
        if self._server is not None:
            self._server.stop()
        super().teardown()

    def pass_day(self, *, turbulent: bool) -> None:
        super().pass_day(turbulent=turbulent)
        if self._other_world is not None:
            self._other_world.next_day(turbulent=turbulent)

    # -- the others

    @property
    def second_connector(self) -> Pair:
        """Give a pair that loads the same account into another connector, with its own state."""
        if "connector" not in self._pairs:
            sandbox = self.sandbox
            state = sandbox.tenant.state
            state.connectors[SECOND_CONNECTOR] = Connector(SECOND_CONNECTOR, "Second")
            oracle = Oracle(sandbox.world)
            watch = Watch(oracle, sandbox.face, sandbox.tenant, SECOND_CONNECTOR)
            self._pairs["connector"] = self._pair(self.home, watch, connector_id=SECOND_CONNECTOR)
        return self._as_the_first("connector")

    @property
    def second_installation(self) -> Pair:
        """Give a pair for the same connector that knows nothing of the first one."""
        if "installation" not in self._pairs:
            pair = self._pair(self.home / "second", self.sandbox.watch)
            self._pairs["installation"] = pair
        return self._as_the_first("installation")

    @property
    def second_account(self) -> Pair:
        """Give a pair that loads another account into the same connector, with the same ledger."""
        if "account" not in self._pairs:
            sandbox = self.sandbox
            self._other_world = other_account(sandbox.world)
            face = QualysFace(self._other_world, sandbox.clock, Faults(), sandbox.switches)
            face.username = "second_user"
            self._server = Server(create_face_app(face))
            self._server.start()
            oracle = Oracle(self._other_world)
            watch = Watch(oracle, face, sandbox.tenant, sandbox.connector_id)
            pair = self._pair(self.home, watch)
            pair.installation = Installation(knows=self.pair.installation.knows)
            pair.tap_settings = {"api_url": self._server.url, "username": face.username}
            self._pairs["account"] = pair
        return self._as_the_first("account")

    def _pair(self, home: Path, watch: Watch, **settings: object) -> Pair:
        self.judge_by(watch.oracle)
        return Pair(self.sandbox, home, settings=settings, own_watch=watch)

    def _as_the_first(self, name: str) -> Pair:
        """Give the target the settings that the first one has now."""
        pair = self._pairs[name]
        own = {key: pair.settings[key] for key in ("connector_id",) if key in pair.settings}
        pair.settings = self.pair.settings | own
        return pair

    # -- what they do

    @rule(full=st.booleans())
    def another_connector_is_loaded(self, full: bool) -> None:
        pair = self.second_connector
        self.check(pair.sync(full_sync=full), pair)

    @rule()
    def a_state_meets_another_connector(self) -> None:
        """As after a move to a new connector. What came before is missing there, until it heals."""
        FIGURES["faults survived"] += 1
        pair = self.second_connector
        pair.state = copy.deepcopy(self.pair.state)
        bookmarks = pair.state.get("bookmarks", {}).values()
        pair.watch.oracle.memory.excused |= any(one.get("resume") for one in bookmarks)
        self.check(pair.sync(), pair)

    @rule(days=st.integers(0, 2))
    def files_are_written_before_there_is_a_key(self, days: int) -> None:
        FIGURES["faults survived"] += 1
        with_key = self.pair.settings
        self.pair.settings = with_key | {"api_key": None, "connector_id": None}
        self.pair.read()
        self.pair.run_target(io.BytesIO(self.pair.written))
        self.pair.settings = with_key
        for _ in range(days):
            self.pass_day(turbulent=True)
        self.check(self.pair.sync())

    @precondition(lambda self: "connector" in self._pairs)
    @rule()
    def a_ledger_of_another_connector_is_refused(self) -> None:
        ours, theirs = (
            self.home / f"ledger-{number}.db"
            for number in (self.sandbox.connector_id, SECOND_CONNECTOR)
        )
        if not (ours.exists() and theirs.exists()):
            return
        kept = ours.read_bytes()
        ours.write_bytes(theirs.read_bytes())
        sent = self.sandbox.ciscovm_requests["data_file"]
        synced = self.pair.sync()
        self.check(synced)
        self.hold((synced.exit_code, synced.outcome) in {(2, "refused"), (0, "aborted")}, synced)
        self.hold(self.sandbox.ciscovm_requests["data_file"] == sent, synced)
        ours.write_bytes(kept)

    @rule(full=st.booleans())
    def another_installation_loads_the_connector(self, full: bool) -> None:
        pair = self.second_installation
        self.check(pair.sync(full_sync=full), pair)

    @rule(full=st.booleans())
    def another_account_is_loaded(self, full: bool) -> None:
        pair = self.second_account
        self.check(pair.sync(full_sync=full), pair)
