"""What cron, systemd and a container run loads, in the environment that they give it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from tests.deploy.project import DEPLOY, Project, report_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.sandbox import Sandbox

CRON_LINE: Final = re.compile(r"^15 4 \* \* \* (?P<user>\S+) (?P<command>.+)$")
HOME: Final = {"HOME": "/nonexistent", "LOGNAME": "qualyswas"}


def cron_job(project: Project) -> tuple[dict[str, str], str]:
    """Give the variables and the command of the file for cron."""
    lines = project.here((DEPLOY / "cron").read_text("utf-8")).splitlines()
    *assigned, job = [line for line in lines if line and not line.startswith("#")]
    found = CRON_LINE.match(job)
    assert found
    assert found["user"] == "qualyswas"
    assert "%" not in job  # which is a new line to cron
    return dict(line.split("=", 1) for line in assigned), found["command"]


def test_cron_loads_and_has_nothing_to_say(project: Project) -> None:
    variables, command = cron_job(project)

    done = project.run([variables["SHELL"], "-c", command], HOME | variables)

    assert (done.returncode, done.stdout) == (0, "")
    assert project.report()["outcome"] == "succeeded"


def test_cron_sends_why_a_load_failed(project: Project, sandbox: Sandbox) -> None:
    project.set(sandbox.env | {"TAP_QUALYSWAS_PASSWORD": "no"})
    variables, command = cron_job(project)

    done = project.run([variables["SHELL"], "-c", command], HOME | variables)

    assert "Qualys refused the login" in done.stdout


def service(project: Project) -> dict[str, list[str]]:
    """Give the settings of the service, each with all its values."""
    found: dict[str, list[str]] = {}
    text = (DEPLOY / "systemd" / "qualyswas-ciscovm.service").read_text("utf-8")
    for line in project.here(text).splitlines():
        name, equal, value = line.partition("=")
        if equal and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_service_of_systemd_loads(project: Project) -> None:
    unit = service(project)
    environment = dict(line.split("=", 1) for line in unit["Environment"])
    (folder,), (command,) = unit["WorkingDirectory"], unit["ExecStart"]

    shell = f"cd {folder} && exec {command}"
    done = project.run(["/bin/sh", "-c", shell], HOME | environment)

    assert done.returncode == 0, done.stdout
    assert project.report()["outcome"] == "succeeded"


def test_the_image_loads_and_writes_to_its_volume_only(project: Project, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    text = (DEPLOY / "Dockerfile").read_text("utf-8").rpartition("\nFROM ")[2]
    text = text.replace("\\\n", " ").replace("/data", str(data)).replace("/app", str(project.path))
    steps = [line.partition(" ")[::2] for line in text.splitlines()]
    (variables,) = [shlex.split(rest) for word, rest in steps if word == "ENV"]
    environment = dict(line.split("=", 1) for line in variables)
    environment["PATH"] = environment["PATH"].replace("$PATH", "/usr/bin:/bin")
    before = set(project.path.rglob("*"))

    shell = f"cd {project.path} && exec meltano run tap-qualyswas target-ciscovm"
    done = project.run(["/bin/sh", "-c", shell], environment)

    assert done.returncode == 0, done.stdout
    assert report_in(data / "output")["outcome"] == "succeeded"
    assert set(project.path.rglob("*")) == before
