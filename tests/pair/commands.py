"""The real commands, as a person would call them, each with a time limit."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
BIN: Final = Path(sys.executable).parent
MELTANO_RUN: Final = (str(BIN / "meltano"), "run", "tap-qualyswas", "target-ciscovm")


@dataclass(frozen=True)
class Ended:
    """What a command left behind when it ended."""

    exit_code: int
    output: str


def run(command: Sequence[str], environment: Mapping[str, str], *, seconds: float = 240) -> Ended:
    """Run a command in the project's folder and give its exit code and all it printed."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**clean_environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(errors="replace"))


def clean_environment() -> dict[str, str]:
    """Give this process's environment without settings of the plugins, plugins on the PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_QUALYSWAS_", "TARGET_CISCOVM_", "MELTANO_"))
    }
    path = os.pathsep.join([str(BIN), kept.get("PATH", "")])
    return kept | {"PATH": path, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"}
