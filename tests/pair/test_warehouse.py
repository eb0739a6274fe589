"""The queries of the docs, on a real PostgreSQL that a target of others has filled."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.pair.commands import clean_environment
from tests.sandbox.world.size import WorldSize
from tests.support.postgres import DATABASE, HOST, SCHEMA, USER, Postgres, needs_postgres, running
from tests.support.processes import BIN, ROOT
from tests.tap.syncs import Platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.world.model import Finding
    from tests.tap.syncs import Outcome

pytestmark = [pytest.mark.outside, needs_postgres]

PAGE: Final = (ROOT / "docs" / "how-to" / "targets.md").read_text("utf-8")
SEVERITIES, AGES, GONE = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
SIZE: Final = WorldSize(apps=5, findings=80, qids=12, scans=6)
AGE_NAMES: Final = ("up_to_30_days", "up_to_90_days", "older")


@pytest.fixture
def database() -> Iterator[Postgres]:
    with running() as made:
        yield made


def rows_of(database: Postgres, query: str) -> list[dict[str, str]]:
    """Give the rows of a query."""
    return list(csv.DictReader(io.StringIO(database.ask(query, "--csv"))))


def load(database: Postgres, outcome: Outcome, folder: Path) -> None:
    """Fill a database with what the tap has written."""
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "host": HOST,
                "port": database.port,
                "user": USER,
                "password": "unused",
                "database": DATABASE,
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
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]


def is_open(finding: Finding) -> bool:
    return finding.status is not None and finding.open


def test_the_three_queries_tell_what_the_world_knows(database: Postgres, tmp_path: Path) -> None:
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
        load(database, outcome, tmp_path)
    # The day of the database is another one, and rows that are gone are still in its tables.
    kept = [*world.all_findings(), *gone]
    assert _severities(database) == _expected(kept)
    ages = rows_of(database, AGES)
    assert {row["severity"]: sum(int(row[age]) for age in AGE_NAMES) for row in ages} == _expected(
        kept
    )
    assert {row["uniqueId"] for row in rows_of(database, GONE)} == names


def _severities(database: Postgres) -> dict[str, int]:
    return {
        row["severity"]: int(row["open"]) + int(row["ignored"])
        for row in rows_of(database, SEVERITIES)
    }


def _expected(findings: list[Finding]) -> dict[str, int]:
    return dict(Counter(str(row.severity) for row in findings if is_open(row)))
