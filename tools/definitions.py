"""What Meltano has to know of a plugin: its settings, commands and capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from tap_qualyswas.streams import ORDER, STREAMS
from tap_qualyswas.tap import TapQualysWAS
from tools.plugins import JSON

if TYPE_CHECKING:
    from tools.plugins import Plugin, Setting

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
        "test": {
            "args": "--config=ENV --test",
            "description": "Check the login and the right to read each stream, read nothing.",
        },
    },
    "target-ciscovm": {
        "about": {"args": "--about --format=markdown", "description": "Print every setting."},
        "verify": {
            "args": "--config=ENV --verify",
            "description": "Check the key, the connector and output_path, send nothing.",
        },
        "audit": {
            "args": "--config=ENV --audit",
            "description": "Compare what CVM holds with the ledger, send nothing.",
        },
        "rebuild-ledger": {
            "args": "--config=ENV --rebuild-ledger",
            "description": "Make the ledger anew from what CVM holds, send nothing.",
        },
    },
}

SELECT: Final[dict[str, list[JSON]]] = {
    TapQualysWAS.name: [
        f"{name}.*"
        for name, stream in zip(ORDER, STREAMS, strict=True)
        if stream.selected_by_default
    ]
}
"""Each stream by its name: what is excluded stays so, whatever `meltano select` adds."""


def definition(plugin: Plugin) -> dict[str, JSON]:
    """Give all that a project and the Hub say of a plugin, without how it is installed."""
    label, description = LABELS[plugin.name]
    groups: list[JSON] = [list[JSON](group) for group in GROUPS[plugin.name]]
    select: dict[str, JSON] = {"select": SELECT[plugin.name]} if plugin.name in SELECT else {}
    return {
        "name": plugin.name,
        "namespace": plugin.namespace,
        "label": label,
        "description": description,
        "capabilities": [*plugin.capabilities],
        **select,
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
    if setting.default not in (None, ""):
        entry["value"] = setting.default
    entry["label"] = setting.title
    entry["description"] = setting.description
    return entry


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as a block."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: JSON) -> str:
    """Give YAML that a person can read: keys in their order, no anchors, texts as blocks."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
