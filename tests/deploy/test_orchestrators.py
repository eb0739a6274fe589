"""Airflow and Dagster, installed apart from this project, run the files in `deploy/` for real."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.project import DEPLOY, Project
from tests.pair.commands import clean_environment
from tests.sandbox.ciscovm.tenant.tenant import CONNECTOR_ID, OTHER_CONNECTOR_ID
from tests.sandbox.sandbox import Sandbox
from tests.support.listener import Listener
from tests.support.processes import BIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Runner = Callable[
        [Mapping[str, Sandbox], Mapping[str, str], Path], subprocess.CompletedProcess[str]
    ]

pytestmark = pytest.mark.outside

AIRFLOW: Final = (
    "--with",
    "apache-airflow-providers-standard",
    "--from",
    "apache-airflow-core>=3.1,<4",
)
CONNECTORS: Final = {"emea": CONNECTOR_ID, "americas": OTHER_CONNECTOR_ID}
"""Both accounts load in one project, which keeps a ledger for each connector."""

DAGSTER: Final = ("--with", "elt-dagster-meltano>=1", "--from", "dagster>=1.13,<2")


@pytest.fixture
def accounts() -> Iterator[dict[str, Sandbox]]:
    """Serve two subscriptions, each with a CVM tenant of its own."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Sandbox(apps=8, findings=60, qids=10, scans=6, seed=seed))
            for seed, name in enumerate(("emea", "americas"))
        }


@pytest.fixture
def alerts() -> Iterator[Listener]:
    """Listen for alerts."""
    with Listener() as listener:
        yield listener


def loads_of(accounts: Mapping[str, Sandbox]) -> dict[str, list[str]]:
    """Give the loads: one of the first account, two of the second, by tags."""
    tags = [str(tag.id) for tag in accounts["americas"].world.tags[:2]]
    return {"emea": [""], "americas": tags}


def tool(
    words: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a tool that is installed apart from this project."""
    return subprocess.run(
        [str(BIN / "uv"), "tool", "run", "--python", sys.executable, *words],
        env={**clean_environment(), **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1500,
        check=False,
    )


def in_airflow(
    accounts: Mapping[str, Sandbox], environment: Mapping[str, str], home: Path
) -> subprocess.CompletedProcess[str]:
    connections: dict[str, dict[str, object]] = {}
    for name, sandbox in accounts.items():
        connections[f"AIRFLOW_CONN_QUALYS_{name.upper()}"] = {
            "conn_type": "http",
            "host": sandbox.qualys_url,
            "login": sandbox.username,
            "password": sandbox.password,
        }
        connections[f"AIRFLOW_CONN_CISCOVM_{name.upper()}"] = {
            "conn_type": "http",
            "host": sandbox.ciscovm_url,
            "password": sandbox.api_key,
            "extra": {"connector_id": CONNECTORS[name]},
        }
    variables = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DEPLOY),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        **{name: json.dumps(value) for name, value in connections.items()},
        **environment,
    }
    migrated = tool([*AIRFLOW, "airflow", "db", "migrate"], variables, home)
    assert migrated.returncode == 0, migrated.stdout
    words = [*AIRFLOW, "airflow", "dags", "test", "qualyswas_to_ciscovm"]
    return tool(words, variables, home)


def in_dagster(
    accounts: Mapping[str, Sandbox], environment: Mapping[str, str], home: Path
) -> subprocess.CompletedProcess[str]:
    variables = {
        "DAGSTER_HOME": str(home),
        **{
            f"{account.upper()}_{name}": value
            for account, sandbox in accounts.items()
            for name, value in sandbox.env.items()
        },
        **{
            f"{account.upper()}_TARGET_CISCOVM_CONNECTOR_ID": str(number)
            for account, number in CONNECTORS.items()
        },
        **environment,
    }
    file = str(DEPLOY / "dagster_definitions.py")
    words = [*DAGSTER, "dagster", "job", "execute", "--python-file", file]
    return tool([*words, "--job", "qualyswas_to_ciscovm"], variables, home)


@pytest.mark.parametrize("run", [in_airflow, in_dagster])
def test_an_orchestrator_loads_each_account_into_its_connector(
    run: Runner, accounts: dict[str, Sandbox], tmp_path: Path
) -> None:
    project = Project.make(tmp_path / "project", {})
    loads = loads_of(accounts)
    variables = {
        "QUALYSWAS_CISCOVM_PROJECT": str(project.path),
        "QUALYSWAS_CISCOVM_LOADS": json.dumps(loads),
    }

    ended = run(accounts, variables, tmp_path)

    assert ended.returncode == 0, ended.stdout
    for name, sandbox in accounts.items():
        wanted = {int(tag) for tag in loads[name] if tag}
        held = sandbox.tenant.summary(CONNECTORS[name])
        assert held["open"] == open_in(sandbox, wanted)


def open_in(sandbox: Sandbox, tags: set[int]) -> int:
    """Count what is open in the web applications with one of these tags, or in all."""
    return sum(
        1
        for finding in sandbox.world.all_findings()
        if finding.open and (not tags or tags & {tag.id for tag in finding.app.tags})
    )


@pytest.mark.parametrize("run", [in_airflow, in_dagster])
def test_an_orchestrator_alerts_and_goes_on_with_the_others(
    run: Runner, accounts: dict[str, Sandbox], alerts: Listener, tmp_path: Path
) -> None:
    project = Project.make(tmp_path / "project", {})
    variables = {
        "QUALYSWAS_CISCOVM_PROJECT": str(project.path),
        "QUALYSWAS_CISCOVM_LOADS": json.dumps({"emea": [""], "americas": [""]}),
        "QUALYSWAS_CISCOVM_ALERT_URL": alerts.hook,
    }
    accounts["emea"].faults.arm("ciscovm-key")

    ended = run(accounts, variables, tmp_path)

    assert ended.returncode != 0
    assert [text.partition(" ")[0].replace("-", "_") for text in alerts.texts] == ["load_emea"]
    americas = accounts["americas"]
    assert americas.tenant.summary(OTHER_CONNECTOR_ID)["open"] == open_in(americas, set())
