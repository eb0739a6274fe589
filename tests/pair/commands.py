"""The real commands, as a person would call them: started, or forked where they start slowly."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from contextlib import redirect_stderr
from dataclasses import dataclass
from subprocess import STDOUT
from typing import TYPE_CHECKING, Final
from unittest import mock

from tests.sandbox.__main__ import main
from tests.support.processes import BIN, PLUGINS, ROOT, ForkServer, Process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.sandbox.command import plugins

MELTANO: Final = ForkServer("meltano.cli", "alembic.command", "smart_open")
MELTANO_RUN: Final = (str(BIN / "meltano"), "run", "tap-qualyswas", "target-ciscovm")


@dataclass(frozen=True)
class Ended:
    """What a command left behind when it ended."""

    exit_code: int
    output: str


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    seconds: float = 240,
    folder: Path = ROOT,
) -> Ended:
    """Run a command, in the project's folder by default; give its exit code and all it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**clean_environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=seconds,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(errors="replace"))


def run_in_sandbox(
    options: Sequence[str],
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    server: ForkServer = PLUGINS,
) -> Ended:
    """Run the sandbox in this process, and in it a Python command that is forked.

    Args:
        options: of the sandbox.
        command: what it runs on each of its days.
        environment: variables for it, besides those of the sandbox.
        server: what it is forked from.
    """
    with tempfile.TemporaryFile() as log, redirect_stderr(io.StringIO()) as told:

        def start(line: Sequence[str], given: Mapping[str, str]) -> plugins.Process:
            env = {**given, **(environment or {})}
            if line[0] == command[0]:
                return Process(line, server=server, env=env, cwd=ROOT, stdout=log, stderr=STDOUT)
            # Where one process cannot be limited, a shell with the limit stands before it.
            return subprocess.Popen(line, env=env, cwd=ROOT, stdout=log, stderr=STDOUT)

        with mock.patch.dict(os.environ, clean_environment(), clear=True):
            code = main([*options, "--", *command], start)
        log.seek(0)
        return Ended(code, log.read().decode(errors="replace") + told.getvalue())


def clean_environment() -> dict[str, str]:
    """Give this process's environment without settings of the plugins, plugins on the PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_QUALYSWAS_", "TARGET_CISCOVM_", "MELTANO_"))
    }
    path = os.pathsep.join([str(BIN), kept.get("PATH", "")])
    return kept | {"PATH": path, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"}
