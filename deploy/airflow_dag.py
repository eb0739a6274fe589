"""An Airflow DAG: every day each Qualys account into its own connector, one load after another.

Copy it into your DAGs folder and edit `LOADS`. The Meltano project lies in `PROJECT`, with its
environment in `.venv`. For each account make two connections:

- `qualys_{account}`: host (API server), login, password
- `ciscovm_{account}`: host (API URL), password (API key), extra `{"connector_id": 42}`

A failed load is not repeated. It may have been stopped because it would close too much, and the
next one sends again what did not arrive. The others are loaded all the same.
"""

from __future__ import annotations

import json
import os
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

if TYPE_CHECKING:
    from airflow.sdk import Context

PROJECT = os.environ.get("QUALYSWAS_CISCOVM_PROJECT", "/srv/qualyswas-ciscovm")

# Account -> its loads. An account that is too large for one load is cut by tags: each of its loads
# reads the web applications with one tag ("" reads all).
LOADS: dict[str, list[str]] = json.loads(
    os.environ.get("QUALYSWAS_CISCOVM_LOADS", '{"emea": [""], "americas": ["1101", "1102"]}')
)


def alert(context: Context) -> None:
    """Post a line that Slack understands to QUALYSWAS_CISCOVM_ALERT_URL, if it is set."""
    url = os.environ.get("QUALYSWAS_CISCOVM_ALERT_URL")
    if url:
        text = f"{context['task_instance'].task_id} failed. See the log of the task."
        request = urllib.request.Request(  # noqa: S310 - an address of our own
            url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - the same


def settings(account: str, tag: str) -> dict[str, str]:
    """Give the settings of a load. Airflow fills in the connections when it runs."""
    qualys, ciscovm = f"conn.qualys_{account}", f"conn.ciscovm_{account}"
    part = {"TAP_QUALYSWAS_WEBAPP_TAG_IDS": json.dumps([tag])} if tag else {}
    return {
        **part,
        "PATH": f"{PROJECT}/.venv/bin:{os.environ['PATH']}",
        "MELTANO_ENVIRONMENT": "prod",
        "TAP_QUALYSWAS_API_URL": f"{{{{ {qualys}.host }}}}",
        "TAP_QUALYSWAS_USERNAME": f"{{{{ {qualys}.login }}}}",
        "TAP_QUALYSWAS_PASSWORD": f"{{{{ {qualys}.password }}}}",
        "TARGET_CISCOVM_API_URL": f"{{{{ {ciscovm}.host }}}}",
        "TARGET_CISCOVM_API_KEY": f"{{{{ {ciscovm}.password }}}}",
        "TARGET_CISCOVM_CONNECTOR_ID": f"{{{{ {ciscovm}.extra_dejson.connector_id }}}}",
    }


with DAG(
    "qualyswas_to_ciscovm",
    schedule="15 4 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    # One after another: two loads in one Meltano project would share its files.
    max_active_runs=1,
    max_active_tasks=1,
    default_args={
        "retries": 0,
        "execution_timeout": timedelta(hours=12),
        "on_failure_callback": alert,
    },
) as dag:
    for account, tags in LOADS.items():
        for tag in tags:
            name = f"{account}-{tag}" if tag else account
            BashOperator(
                task_id=f"load-{name}",
                cwd=PROJECT,
                bash_command=f"meltano run --state-id-suffix={name} tap-qualyswas target-ciscovm",
                env=settings(account, tag),
                append_env=True,
            )
