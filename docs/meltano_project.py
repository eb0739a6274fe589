"""The Meltano project file: both plugins with every setting, environments, a job, a schedule."""

from __future__ import annotations

from typing import Final

from docs.definitions import as_yaml, definition
from docs.plugins import JSON, Plugin, plugins

HEADER: Final = """\
# Written by `uv run python -m docs.generate` from the plugins' own settings: change those, or
# docs/meltano_project.py, and run it again.
#
# To use the two plugins in a Meltano project of your own, copy their two blocks and put
# `pip_url: qualyswas-ciscovm` (or a git URL) in the place of `executable`.
"""


def render() -> str:
    """Give the text of `meltano.yml`."""
    tap, target = plugins()
    pair = f"{tap.name} {target.name}"
    project: dict[str, JSON] = {
        "requires_meltano": ">=4.0",
        "project_id": "qualyswas-ciscovm",
        "send_anonymous_usage_stats": False,
        "default_environment": "demo",
        "environments": [{"name": "demo"}, {"name": "prod"}],
        "plugins": {
            "extractors": [_installed(tap)],
            "loaders": [_installed(target)],
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


def _installed(plugin: Plugin) -> dict[str, JSON]:
    """Give a plugin that runs from the environment of the project itself."""
    return definition(plugin) | {"executable": plugin.name}
