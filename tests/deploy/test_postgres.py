"""Three turbulent days in a real PostgreSQL: rows as the world is, columns of their types."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.commands import MELTANO, MELTANO_RUN, run_in_sandbox
from tests.sandbox.command.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"))

pytestmark = [
    pytest.mark.outside,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not there (apt-get install postgresql)"),
]


@dataclass(frozen=True)
class Database:
    """A server on loopback that trusts everybody."""

    port: int

    @property
    def settings(self) -> dict[str, str]:
        """Give the settings of target-postgres."""
        return {
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": str(self.port),
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_PASSWORD": "any",
            "TARGET_POSTGRES_DATABASE": "postgres",
        }

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Give the rows of a query."""
        program = PROGRAMS[-1] / "psql"
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--username", "postgres"]
        whole = f"SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found"  # noqa: S608 - ours
        told = subprocess.check_output([program, *place, "-At", "--command", whole])
        found: list[dict[str, Any]] = json.loads(told)
        return found


@pytest.fixture
def database() -> Iterator[Database]:
    """Start a server in a folder of its own; it does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    owner = "postgres" if os.getuid() == 0 else None
    if owner:
        shutil.chown(folder, owner)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def control(program: str, *words: str) -> None:
        subprocess.run(
            [PROGRAMS[-1] / program, "--pgdata", folder / "data", *words],
            user=owner,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    control("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control("pg_ctl", "--wait", f"--options={options}", f"--log={folder}/log", "start")
    try:
        yield Database(port)
    finally:
        control("pg_ctl", "--mode=fast", "stop")
        shutil.rmtree(folder)


def test_three_turbulent_days_are_in_postgresql_as_in_the_world(
    database: Database, tmp_path: Path
) -> None:
    sizes = ["--apps", "12", "--findings", "400", "--qids", "30", "--scans", "20"]
    options = ["--home", str(tmp_path), *sizes, "--turbulent", "--days", "3"]
    command = [*MELTANO_RUN[:2], "tap-qualyswas", "target-postgres"]
    settings = database.settings | {"TAP_QUALYSWAS_FULL_SYNC": "true"}

    ended = run_in_sandbox(options, command, settings, MELTANO)

    assert ended.exit_code == 0, ended.output
    world = Home(tmp_path).load().world
    held = {
        row["uniqueId"]: row
        for row in database.rows(
            'SELECT "uniqueId", type, status, severity, "webApp" FROM qualyswas.findings'
        )
    }
    for finding in world.all_findings():
        row = held[world.unique_id(finding)]
        assert (row["type"], row["status"], row["severity"], row["webApp"]["id"]) == (
            finding.type,
            finding.status,
            finding.severity,
            finding.app.id,
        )
    (counts,) = database.rows(
        "SELECT (SELECT count(*) FROM qualyswas.syncs) AS syncs,"
        " (SELECT count(*) FROM qualyswas.findings) AS findings,"
        ' (SELECT count(DISTINCT "uniqueId") FROM qualyswas.findings) AS different'
    )
    assert counts["syncs"] == 3
    assert counts["findings"] == counts["different"] == len(held)
    assert types_of(database) >= TYPES


def types_of(database: Database) -> set[tuple[str, str, str]]:
    """Give each column with its table and its type."""
    query = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'qualyswas'"
    )
    return {
        (row["table_name"], row["column_name"], row["data_type"]) for row in database.rows(query)
    }


TYPES: Final = {
    ("findings", "uniqueId", "text"),
    ("findings", "qid", "bigint"),
    ("findings", "severity", "bigint"),
    ("findings", "potential", "boolean"),
    ("findings", "lastDetectedDate", "timestamp without time zone"),
    ("findings", "webApp", "jsonb"),
    ("webapps", "id", "bigint"),
    ("webapps", "tags", "ARRAY"),
    ("scans", "launchedDate", "timestamp without time zone"),
    ("knowledge_base", "cves", "ARRAY"),
    ("syncs", "complete", "boolean"),
}
