"""A PostgreSQL on loopback, of a test's own: it trusts everybody, and is gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_ON_PATH: Final = shutil.which("initdb")
PROGRAMS: Final = [
    *([Path(_ON_PATH).parent] if _ON_PATH else []),
    *sorted(Path("/usr/lib/postgresql").glob("*/bin")),
]
"""Folders of its programs, the best one last: Debian has only some of them on the path."""
needs_postgres: Final = pytest.mark.skipif(
    not PROGRAMS, reason="PostgreSQL is not there (apt-get install postgresql)"
)
HOST: Final = "127.0.0.1"
USER: Final = "postgres"
DATABASE: Final = "postgres"
SCHEMA: Final = "qualyswas"
"""Where targets put the tap's tables."""


@dataclass(frozen=True)
class Postgres:
    """A server that runs."""

    port: int

    def ask(self, query: str, *options: str) -> str:
        """Give what psql prints for a query."""
        place = ["--host", HOST, "--port", str(self.port), "--username", USER, DATABASE]
        done = subprocess.run(
            [PROGRAMS[-1] / "psql", *options, "--command", query, *place],
            env={**os.environ, "PGOPTIONS": f"-c search_path={SCHEMA}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr, done.stderr
        return done.stdout


@contextmanager
def running() -> Iterator[Postgres]:
    """Run a server in a folder of its own; it does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    owner = "postgres" if os.getuid() == 0 else None
    if owner:
        shutil.chown(folder, owner)
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]

    def control(program: str, *words: str) -> None:
        subprocess.run(
            [PROGRAMS[-1] / program, "--pgdata", folder / "data", *words],
            user=owner,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    control("initdb", f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--no-sync")
    options = f"-p {port} -F -c listen_addresses={HOST} -c unix_socket_directories={folder}"
    control("pg_ctl", "--wait", f"--options={options}", f"--log={folder}/log", "start")
    try:
        yield Postgres(port)
    finally:
        control("pg_ctl", "--mode=fast", "stop")
        shutil.rmtree(folder)
