"""The page of the settings, and `.env.example`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tools.plugins import JSON, plugins

if TYPE_CHECKING:
    from tools.plugins import Plugin, Setting

NOTICE: Final = (
    "<!-- Written by `uv run python -m tools.generate`; change the settings in the code. -->"
)


def env_example() -> str:
    """Give `.env.example`: every setting as an environment variable, secrets empty."""
    lines = [
        "# Copy to .env and fill in. Every line is optional unless the README says otherwise;",
        "# an empty value counts as not set. Put a password between single quotes.",
        "# docs/settings.md says what to do about ${ in it.",
    ]
    for plugin in plugins():
        lines += ["", f"# {plugin.name}"]
        lines += [
            f"#{plugin.variable(setting)}={_text(setting.default)}"
            for setting in plugin.settings
            if not setting.built_in
        ]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Give `docs/settings.md`: one table for each plugin."""
    lines = ["# Settings", "", NOTICE, ""]
    lines += [
        "Set each setting in `meltano.yml`, in a config file, in `.env`, or as an environment",
        "variable (the name of the plugin and of the setting in capitals: `region` of the tap is",
        "`TAP_QUALYSWAS_REGION`). An empty variable counts as not set. A value of the wrong type",
        "is refused at the start, by name.",
        "",
        "Lists and objects are JSON, in every place. In `.env` and in variables:",
        "",
        '    TAP_QUALYSWAS_FINDING_TYPES=["VULNERABILITY","SENSITIVE_CONTENT"]',
        "",
        "Meltano reads lists and objects itself before it starts a plugin. One that is not JSON,",
        "or empty, ends with a trace back of Meltano: its first line quotes the value.",
        "",
        "In `.env`, put a password with blanks, `#` or quotes between single quotes. Meltano",
        "replaces `${NAME}` there all the same: write `${x:-$}{NAME}` for it, or set the variable",
        "outside of the file. Without Meltano the plugins take it as it is.",
        "",
    ]
    for plugin in plugins():
        lines += [f"## {plugin.name}", "", _table(plugin), ""]
    return "\n".join(lines)


def _table(plugin: Plugin) -> str:
    rows = ["| setting | default | what it does |", "|---|---|---|"]
    rows += [_row(setting) for setting in plugin.settings]
    return "\n".join(rows)


def _row(setting: Setting) -> str:
    description = setting.description
    if setting.options:
        description += " One of: " + ", ".join(f"`{value}`" for value in setting.options) + "."
    default = f"`{_text(setting.default)}`" if setting.default not in (None, "") else ""
    name = f"`{setting.name}`" + (" (secret)" if setting.secret else "")
    return f"| {name} | {default} | {cell(description)} |"


def cell(text: str) -> str:
    """Give a text as a cell of a table can have it."""
    return " ".join(text.split()).replace("|", "\\|")


def _text(value: JSON) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
