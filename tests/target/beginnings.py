"""What the first load of many tests leaves behind: made once, and given to each as a copy."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tests.sandbox.ciscovm.tenant.state import State

if TYPE_CHECKING:
    from collections import Counter
    from datetime import datetime
    from pathlib import Path

    from tests.sandbox.ciscovm.face import Logged
    from tests.target.loads import CVM


@dataclass(frozen=True)
class Beginning:
    """A CVM after its first load.

    Attributes:
        now: the time in its world.
        tenant: all that CVM holds, as JSON.
        output: a copy of the target's folder.
        requests: that were made, by endpoint.
        log: of these requests.
    """

    now: datetime
    tenant: bytes
    output: Path
    requests: Counter[str]
    log: list[Logged]

    @classmethod
    def of(cls, cvm: CVM, folder: Path) -> Beginning:
        """Give what this CVM is after its first load; the folder is for the copy."""
        shutil.copytree(cvm.output, folder, symlinks=True)
        tenant = msgspec.json.encode(cvm.tenant.state)
        return cls(cvm.clock.now(), tenant, folder, cvm.requests.copy(), deepcopy(cvm.log))

    def give(self, cvm: CVM) -> None:
        """Make another CVM, to which nothing has happened yet, the same."""
        shutil.copytree(self.output, cvm.output, symlinks=True)
        cvm.clock.set(self.now)
        cvm.tenant.state = msgspec.json.decode(self.tenant, type=State)
        cvm.play(cvm.switches)
        cvm.requests.update(self.requests)
        cvm.log.extend(deepcopy(self.log))
