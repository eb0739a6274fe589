"""What a sandbox keeps in its home between two calls: world, tenant, judge, Meltano's state."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sandbox.ciscovm.tenant.tenant import Tenant
from tests.sandbox.oracle.oracle import Oracle
from tests.sandbox.sandbox import DAY, Kept
from tests.sandbox.world.clock import START, Clock
from tests.sandbox.world.population import StaleWorldError
from tests.sandbox.world.world import World

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Home:
    """The folder, and where each thing lies in it."""

    path: Path

    @property
    def state(self) -> Path:
        """Return the folder that holds Meltano's state."""
        return self.path / "state"

    @property
    def older_state(self) -> Path:
        """Return the folder with the state that the last day began with."""
        return self.path / "older-state"

    def defaults(self) -> dict[str, str]:
        """Return variables that keep all of Meltano and the output here too.

        So everything is forgotten at once, and runs in two homes know nothing of one another:
        Meltano refuses a pipeline that its database knows to be running. The variables hold only
        where the caller has not set them.
        """
        return {
            "MELTANO_SYS_DIR_ROOT": str((self.path / "meltano").absolute()),
            "MELTANO_STATE_BACKEND_URI": self.state.absolute().as_uri(),
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "TARGET_CISCOVM_OUTPUT_PATH": str((self.path / "output").absolute()),
        }

    def forget(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)

    def forget_state(self) -> None:
        """Remove Meltano's state alone."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.prepare()

    def note_state(self) -> None:
        """Keep a copy of the state as it is now."""
        self.prepare()
        shutil.rmtree(self.older_state, ignore_errors=True)
        shutil.copytree(self.state, self.older_state)

    def turn_state_back(self) -> None:
        """Restore the state that was noted last, if there is one."""
        self.forget_state()
        if self.older_state.exists():
            shutil.copytree(self.older_state, self.state, dirs_exist_ok=True)

    def exists(self) -> bool:
        """Return whether a world is kept here."""
        return (self.path / "world.pickle").exists()

    def prepare(self) -> None:
        """Make the folders."""
        self.state.mkdir(parents=True, exist_ok=True)

    def save(self, kept: Kept) -> None:
        """Keep what a later call goes on with."""
        self.prepare()
        kept.world.save(self.path / "world.pickle")
        kept.tenant.save(self.path / "tenant.json")
        (self.path / "oracle.pickle").write_bytes(
            pickle.dumps((kept.oracle.memory, kept.oracle.ours))
        )

    def load(self) -> Kept:
        """Bring back what `save` kept; the clock stands at the morning of its last day.

        Raises:
            StaleWorldError: when it is damaged or from another version of the sandbox.
        """
        clock = Clock()
        world = World.load(self.path / "world.pickle", clock)
        clock.set(START + DAY * world.day)
        oracle = Oracle(world)
        try:
            tenant = Tenant.load(self.path / "tenant.json", clock)
            kept = pickle.loads((self.path / "oracle.pickle").read_bytes())  # noqa: S301 - ours
            oracle.memory, oracle.ours = kept
        except Exception as error:
            msg = f"the tenant or the judge kept in {self.path} cannot be read"
            raise StaleWorldError(msg) from error
        return Kept(clock, world, tenant, oracle)
