"""Three turbulent days in a real PostgreSQL: rows as the world is, columns of their types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.pair.commands import MELTANO, MELTANO_RUN, run_in_sandbox
from tests.sandbox.command.home import Home
from tests.support.postgres import DATABASE, HOST, USER, Postgres, needs_postgres, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.outside, needs_postgres]


@pytest.fixture
def database() -> Iterator[Postgres]:
    with running() as made:
        yield made


def settings_of(database: Postgres) -> dict[str, str]:
    """Give the settings of target-postgres."""
    return {
        "TARGET_POSTGRES_HOST": HOST,
        "TARGET_POSTGRES_PORT": str(database.port),
        "TARGET_POSTGRES_USER": USER,
        "TARGET_POSTGRES_PASSWORD": "any",
        "TARGET_POSTGRES_DATABASE": DATABASE,
    }


def rows_of(database: Postgres, query: str) -> list[dict[str, Any]]:
    """Give the rows of a query, each value by its type."""
    whole = f"SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found"  # noqa: S608 - ours
    found: list[dict[str, Any]] = json.loads(database.ask(whole, "-At"))
    return found


def test_three_turbulent_days_are_in_postgresql_as_in_the_world(
    database: Postgres, tmp_path: Path
) -> None:
    sizes = ["--apps", "12", "--findings", "400", "--qids", "30", "--scans", "20"]
    options = ["--home", str(tmp_path), *sizes, "--turbulent", "--days", "3"]
    command = [*MELTANO_RUN[:2], "tap-qualyswas", "target-postgres"]
    settings = settings_of(database) | {"TAP_QUALYSWAS_FULL_SYNC": "true"}

    ended = run_in_sandbox(options, command, settings, MELTANO)

    assert ended.exit_code == 0, ended.output
    world = Home(tmp_path).load().world
    held = {
        row["uniqueId"]: row
        for row in rows_of(
            database, 'SELECT "uniqueId", type, status, severity, "webApp" FROM qualyswas.findings'
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
    (counts,) = rows_of(
        database,
        "SELECT (SELECT count(*) FROM qualyswas.syncs) AS syncs,"
        " (SELECT count(*) FROM qualyswas.findings) AS findings,"
        ' (SELECT count(DISTINCT "uniqueId") FROM qualyswas.findings) AS different',
    )
    assert counts["syncs"] == 3
    assert counts["findings"] == counts["different"] == len(held)
    assert types_of(database) >= TYPES


def types_of(database: Postgres) -> set[tuple[str, str, str]]:
    """Give each column with its table and its type."""
    query = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'qualyswas'"
    )
    return {
        (row["table_name"], row["column_name"], row["data_type"])
        for row in rows_of(database, query)
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
