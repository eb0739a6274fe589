"""The Meltano project file: both plugins with every setting, environments, a job, a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from docs.plugins import JSON, plugins

if TYPE_CHECKING:
    from docs.plugins import Plugin, Setting

HEADER: Final = """\
# Written by `uv run python -m docs.generate` from the plugins' own settings: change those, or
# docs/meltano_project.py, and run it again.
#
# To use the two plugins in a Meltano project of your own, copy their two blocks and put
# `pip_url: qualyswas-ciscovm` (or a git URL) in the place of `executable`.
"""

LABELS: Final = {
    "tap-qualyswas": ("Qualys WAS", "Web applications, scans and findings of Qualys WAS."),
    "target-ciscovm": ("Cisco Vulnerability Management", "Loads Qualys WAS findings as KDI files."),
}

# The pairs that Meltano checks before it starts a plugin.
GROUPS: Final = {
    "tap-qualyswas": [
        ["region", "username", "password"],
        ["api_url", "username", "password"],
        ["region", "client_id", "client_secret"],
        ["api_url", "client_id", "client_secret"],
    ],
    "target-ciscovm": [["api_key", "connector_id"], ["output_path"]],
}

COMMANDS: Final[dict[str, dict[str, JSON]]] = {
    "tap-qualyswas": {
        "about": {"args": "--about --format=markdown", "description": "Print every setting."},
    },
    "target-ciscovm": {
        "about": {"args": "--about --format=markdown", "description": "Print every setting."},
        "verify": {
            "args": "--config=ENV --verify",
            "description": "Check the key and the connector, send nothing.",
        },
    },
}


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
            "extractors": [_plugin(tap) | {"select": ["*.*", "!scan_results.*"]}],
            "loaders": [_plugin(target)],
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
    body = yaml.safe_dump(project, sort_keys=False, width=100, allow_unicode=True)
    return HEADER + body


def _plugin(plugin: Plugin) -> dict[str, JSON]:
    label, description = LABELS[plugin.name]
    groups: list[JSON] = [list[JSON](group) for group in GROUPS[plugin.name]]
    return {
        "name": plugin.name,
        "namespace": plugin.namespace,
        "label": label,
        "description": description,
        "executable": plugin.name,
        "capabilities": [*plugin.capabilities],
        "settings_group_validation": groups,
        "settings": [_setting(setting) for setting in plugin.settings],
        "commands": COMMANDS[plugin.name],
    }


def _setting(setting: Setting) -> dict[str, JSON]:
    entry: dict[str, JSON] = {"name": setting.name, "kind": setting.kind}
    if setting.secret:
        entry["sensitive"] = True
    if setting.options:
        entry["options"] = [{"label": value, "value": value} for value in setting.options]
    entry["label"] = setting.title
    entry["description"] = setting.description
    return entry
