"""Dagster definitions: every day each Qualys account into its own connector, one after another.

Install `dagster` and `elt-dagster-meltano`, and edit `LOADS`. The Meltano project lies in
`PROJECT`, with its environment in `.venv`. The settings of an account are environment variables of
the code location, with the account's name in front: `EMEA_TAP_QUALYSWAS_PASSWORD`.

A failed load is not repeated. It may have been stopped because it would close too much, and the
next one sends again what did not arrive. The others are loaded all the same.
"""

import json
import os
import urllib.request

from dagster import (
    DefaultScheduleStatus,
    Definitions,
    HookContext,
    OpDefinition,
    OpExecutionContext,
    ScheduleDefinition,
    failure_hook,
    in_process_executor,
    job,
    op,
)
from dagster_meltano import MeltanoResource

PROJECT = os.environ.get("QUALYSWAS_CISCOVM_PROJECT", "/srv/qualyswas-ciscovm")

# Account -> its loads. An account that is too large for one load is cut by tags: each of its loads
# reads the web applications with one tag ("" reads all).
LOADS: dict[str, list[str]] = json.loads(
    os.environ.get("QUALYSWAS_CISCOVM_LOADS", '{"emea": [""], "americas": ["1101", "1102"]}')
)


@failure_hook
def alert(context: HookContext) -> None:
    """Post a line that Slack understands to QUALYSWAS_CISCOVM_ALERT_URL, if it is set."""
    url = os.environ.get("QUALYSWAS_CISCOVM_ALERT_URL")
    if url:
        text = f"{context.op.name} failed. See the log of run {context.run_id}."
        request = urllib.request.Request(  # noqa: S310 - an address of our own
            url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - the same


def settings(account: str, tag: str) -> dict[str, str]:
    """Give the settings of a load: the account's own, and the tag."""
    prefix = f"{account.upper()}_"
    own = {
        name.removeprefix(prefix): value
        for name, value in os.environ.items()
        if name.startswith(prefix)
    }
    part = {"TAP_QUALYSWAS_WEBAPP_TAG_IDS": json.dumps([tag])} if tag else {}
    return {
        **own,
        **part,
        "PATH": f"{PROJECT}/.venv/bin:{os.environ['PATH']}",
        "MELTANO_ENVIRONMENT": "prod",
    }


def load(account: str, tag: str) -> OpDefinition:
    """Give the op that runs one load."""
    suffix = f"{account}-{tag}" if tag else account

    @op(name=f"load_{suffix}".replace("-", "_"))
    def run(context: OpExecutionContext) -> None:
        command = f"run --state-id-suffix={suffix} tap-qualyswas target-ciscovm"
        MeltanoResource(PROJECT).execute_command(command, settings(account, tag), context.log)

    return run


# One after another in one process: two loads in one Meltano project would share its files.
@job(executor_def=in_process_executor, hooks={alert})
def qualyswas_to_ciscovm() -> None:
    """Load each account."""
    for account, tags in LOADS.items():
        for tag in tags:
            load(account, tag)()


defs = Definitions(
    jobs=[qualyswas_to_ciscovm],
    schedules=[
        ScheduleDefinition(
            job=qualyswas_to_ciscovm,
            cron_schedule="15 4 * * *",
            default_status=DefaultScheduleStatus.RUNNING,
        )
    ],
)
