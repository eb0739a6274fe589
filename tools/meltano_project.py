"""The Meltano project file: both plugins with every setting, environments, a job, a schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from qualyswas_ciscovm.causes import DEMO_PROXY
from tools.definitions import as_yaml, definition
from tools.plugins import JSON, Plugin, plugins

HEADER: Final = """\
# Written by `uv run python -m tools.generate` from the plugins' own settings: change those, or
# tools/meltano_project.py, and run it again.
#
# To use the two plugins in a Meltano project of your own, add them with `meltano add --from-ref`:
# see plugins/.
"""
# In small letters, as these take precedence over the same names in capitals.
DEMO: Final = {
    "http_proxy": DEMO_PROXY,
    "https_proxy": DEMO_PROXY,
    "no_proxy": "127.0.0.1,::1,localhost",
}
"""What the environment `demo` sets, so that every other address is looked for at that proxy."""
OTHER_LOADERS: Final = Path(__file__).with_name("other_loaders.yml")


def render() -> str:
    """Give the text of `meltano.yml`."""
    tap, target = plugins()
    pair = f"{tap.name} {target.name}"
    project: dict[str, JSON] = {
        "requires_meltano": ">=4.0",
        "project_id": "qualyswas-ciscovm",
        "send_anonymous_usage_stats": False,
        "default_environment": "demo",
        # Whatever `.env` says, the demo calls nobody but the sandbox.
        "environments": [{"name": "demo", "env": {**DEMO}}, _production(tap)],
        "plugins": {
            "extractors": [_installed(tap)],
            "loaders": [_installed(target), *_other_loaders()],
        },
        "jobs": [{"name": "qualyswas-to-ciscovm", "tasks": [pair]}],
        "schedules": [
            {
                "name": "daily-qualyswas-to-ciscovm",
                "interval": "@daily",
                "job": "qualyswas-to-ciscovm",
            }
        ],
    }
    return HEADER + as_yaml(project)


def _production(tap: Plugin) -> JSON:
    """Give the environment for real use, where CVM is to hold each day what Qualys reports."""
    config: dict[str, JSON] = {"full_sync_every_days": 1}
    plugins: dict[str, JSON] = {"extractors": [{"name": tap.name, "config": config}]}
    return {"name": "prod", "config": {"plugins": plugins}}


def _installed(plugin: Plugin) -> dict[str, JSON]:
    """Give a plugin that runs from the environment of the project itself."""
    return definition(plugin) | {"executable": plugin.name}


def _other_loaders() -> list[JSON]:
    """Give the blocks of targets that others have made, written by hand."""
    loaders: list[JSON] = yaml.safe_load(OTHER_LOADERS.read_text("utf-8"))
    return loaders
