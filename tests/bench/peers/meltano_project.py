"""A Meltano project of the plain SDK tap and the stock SDK target, as a user would have it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import yaml

from tests.bench.measuring import start
from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

MELTANO: Final = (str(BIN / "meltano"),)
SCRIPT: Final = """\
#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.bench.peers.{module} import {plugin}
{plugin}.cli()
"""
KINDS: Final = {"extractors": "plain-tap", "loaders": "stock-target"}
COMMANDS: Final = {
    "plain-tap": ("plain_tap", "PlainTap"),
    "stock-target": ("stock_target", "StockTarget"),
}


def write_project(folder: Path) -> None:
    """Write the project file, and the two commands beside it; nothing is to be installed.

    Each plugin is declared with the settings that its `--about` lists, as ours are.
    """
    plugins = {kind: [_plugin(folder, name)] for kind, name in KINDS.items()}
    project = {
        "version": 1,
        "project_id": "plain-sdk-plugins",
        "send_anonymous_usage_stats": False,
        "default_environment": "demo",
        "environments": [{"name": "demo"}],
        "plugins": plugins,
    }
    (folder / "meltano.yml").write_text(yaml.safe_dump(project), encoding="utf-8")


def _plugin(folder: Path, name: str) -> dict[str, object]:
    module, plugin = COMMANDS[name]
    script = SCRIPT.format(python=sys.executable, root=str(ROOT), module=module, plugin=plugin)
    command = folder / name
    command.write_text(script, encoding="utf-8")
    command.chmod(0o755)
    asked = [sys.executable, str(command), "--about", "--format=json"]
    with start(asked, stdout=subprocess.PIPE) as process:
        about = json.loads(process.communicate()[0])
    return {
        "name": name,
        "namespace": name.replace("-", "_"),
        "executable": str(command),
        "capabilities": about["capabilities"],
        "settings": [
            {"name": setting, "sensitive": setting == "password"}
            for setting in about["settings"]["properties"]
        ],
    }
