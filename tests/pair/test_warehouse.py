"""The queries of the docs, on a real PostgreSQL that a target of others has filled."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.commands import clean_environment
from tests.sandbox.world.size import WorldSize
from tests.support.processes import BIN, ROOT
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.world.model import Finding
    from tests.tap.syncs import Outcome

pytestmark = [pytest.mark.outside, pytest.mark.timeout(600)]

PAGE: Final = (ROOT / "docs" / "how-to" / "targets.md").read_text("utf-8")
SEVERITIES, AGES, GONE = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
SIZE: Final = WorldSize(apps=5, findings=80, qids=12, scans=6)
SCHEMA: Final = "qualyswas"
AGE_NAMES: Final = ("up_to_30_days", "up_to_90_days", "older")
PATIENCE: Final = 30
PSQL: Final = ("psql", "-h", "127.0.0.1", "-U", "tester")


class Database:
    """A server of its own on loopback, which nobody else knows."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder

    def ask(self, query: str) -> list[dict[str, str]]:
        """Give the rows of a query."""
        done = subprocess.run(
            [*PSQL, "--csv", "-p", str(self.port), "postgres", "-c", query],
            env={**os.environ, "PGOPTIONS": f"-c search_path={SCHEMA}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr, done.stderr
        return list(csv.DictReader(io.StringIO(done.stdout)))

    def load(self, outcome: Outcome) -> None:
        """Fill it with what the tap has written."""
        config = self._folder / "config.json"
        config.write_text(
            json.dumps(
                {
                    "host": "127.0.0.1",
                    "port": self.port,
                    "user": "tester",
                    "password": "unused",
                    "database": "postgres",
                    "default_target_schema": SCHEMA,
                    "load_method": "upsert",
                }
            )
        )
        command = ["tool", "run", "--python", sys.executable]
        package = ["--from", "meltanolabs-target-postgres", "target-postgres"]
        done = subprocess.run(
            [str(BIN / "uv"), *command, *package, "--config", str(config)],
            input="".join(f"{json.dumps(message)}\n" for message in outcome.messages).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            cwd=self._folder,
            check=False,
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]


@pytest.fixture
def database() -> Iterator[Database]:
    programs = shutil.which("initdb") or next(
        map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None
    )
    assert programs, "PostgreSQL is needed: apt-get install postgresql"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, port = folder / "data", _free_port()
        data.mkdir()
        who: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:  # which PostgreSQL refuses to run as
            nobody = pwd.getpwnam("nobody")
            folder.chmod(0o755)
            os.chown(data, nobody.pw_uid, nobody.pw_gid)
            who |= {"user": nobody.pw_uid, "group": nobody.pw_gid}
        made = [programs, "-D", str(data), "-U", "tester", "--auth=trust", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, **who)
        with _server(Path(programs).with_name("postgres"), data, port, who):
            yield Database(folder, port)


@contextmanager
def _server(program: Path, data: Path, port: int, who: dict[str, Any]) -> Iterator[None]:
    options = ["-D", str(data), "-p", str(port), "-k", "", "-h", "127.0.0.1", "-F"]
    with subprocess.Popen(
        [str(program), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who
    ) as server:
        try:
            _wait_for(port)
            yield
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    asked = [*PSQL, "-p", str(port), "-c", "SELECT 1", "postgres"]
    until = time.monotonic() + PATIENCE
    while subprocess.run(asked, capture_output=True, check=False).returncode:
        assert time.monotonic() < until, "the server does not answer"
        time.sleep(0.1)


def is_open(finding: Finding) -> bool:
    return finding.status is not None and finding.open


def test_the_three_queries_tell_what_the_world_knows(database: Database) -> None:
    with Platform(SIZE) as platform:
        world = platform.world
        first = platform.sync_here()
        gone = [
            next(row for row in world.all_findings() if row.status == status)
            for status in ("ACTIVE", "FIXED", None)
        ]
        names = {world.unique_id(row) for row in gone}
        for row in gone:
            world.delete_finding(row)
        platform.clock.advance(timedelta(days=1))
        second = platform.sync_here({"full_sync": True}, state=first.state)
        platform.clock.advance(timedelta(days=1))
        third = platform.sync_here(state=second.state)

    assert (second.proof["mode"], third.proof["mode"]) == ("full", "incremental")
    for outcome in (first, second, third):
        database.load(outcome)
    # The day of the database is another one, and rows that are gone are still in its tables.
    kept = [*world.all_findings(), *gone]
    assert _severities(database) == _expected(kept)
    ages = database.ask(AGES)
    assert {row["severity"]: sum(int(row[age]) for age in AGE_NAMES) for row in ages} == _expected(
        kept
    )
    assert {row["uniqueId"] for row in database.ask(GONE)} == names


def _severities(database: Database) -> dict[str, int]:
    return {
        row["severity"]: int(row["open"]) + int(row["ignored"]) for row in database.ask(SEVERITIES)
    }


def _expected(findings: list[Finding]) -> dict[str, int]:
    return dict(Counter(str(row.severity) for row in findings if is_open(row)))
