"""What both plugins say of themselves: their settings, read from the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.target import TargetCiscoVM

if TYPE_CHECKING:
    from singer_sdk.plugin_base import PluginBase

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]

# Meltano's word for a JSON schema type. It takes any word that it does not know for false, ends
# with a trace back where a number is not one, and knows no fraction that a variable can hold. As
# text the value comes to the plugin, which names the setting.
KINDS: Final = {
    "array": "array",
    "boolean": "string",
    "integer": "string",
    "number": "string",
    "object": "object",
    "string": "string",
}


@dataclass(frozen=True)
class Setting:
    """One setting of a plugin, as its config schema declares it."""

    name: str
    kind: str
    title: str
    description: str
    default: JSON
    options: tuple[str, ...]
    secret: bool
    built_in: bool
    """True for the settings that every plugin of the Singer SDK has."""


@dataclass(frozen=True)
class Plugin:
    """One of the two plugins with all its settings, in the order of its config schema."""

    name: str
    namespace: str
    settings: tuple[Setting, ...]
    capabilities: tuple[str, ...]

    def variable(self, setting: Setting) -> str:
        """Give the environment variable that sets `setting`."""
        return f"{self.namespace}_{setting.name}".upper()


def plugins() -> tuple[Plugin, Plugin]:
    """Give tap-qualyswas and target-ciscovm, in that order."""
    return (_plugin(TapQualysWAS), _plugin(TargetCiscoVM))


def _plugin(plugin: type[PluginBase]) -> Plugin:
    own = set(plugin.config_jsonschema.get("properties", {}))
    about = plugin._get_about_info()  # noqa: SLF001 - what `--about` prints has no public accessor
    settings = tuple(
        _setting(name, schema, built_in=name in BUILT_IN)
        for name, schema in about.settings["properties"].items()
        if name in own | BUILT_IN and name not in UNDECLARED
    )
    capabilities = tuple(sorted(capability.value for capability in about.capabilities))
    return Plugin(plugin.name, plugin.name.replace("-", "_"), settings, capabilities)


UNDECLARED: Final = frozenset({"faker_config"})
"""For Faker, which is not installed with the plugins. Meltano looks up each declared setting some
fifteen times in a run."""
BUILT_IN: Final = frozenset(
    {
        "stream_maps",
        "stream_map_config",
        "flattening_enabled",
        "flattening_max_depth",
        "flattening_max_key_length",
        "flattening_separator",
    }
)


def _setting(name: str, schema: dict[str, JSON], *, built_in: bool) -> Setting:
    secret = bool(schema.get("secret"))
    options = schema.get("enum")
    items = tuple(str(value) for value in options) if isinstance(options, list) else ()
    return Setting(
        name=name,
        kind=_kind(schema, secret=secret, options=items),
        title=str(schema.get("title") or name.replace("_", " ").capitalize()),
        description=" ".join(str(schema.get("description") or "").split()),
        default=schema.get("default"),
        options=items,
        secret=secret,
        built_in=built_in,
    )


def _kind(schema: dict[str, JSON], *, secret: bool, options: tuple[str, ...]) -> str:
    if secret:
        return "password"
    if options:
        return "options"
    if schema.get("format") == "date-time":
        return "date_iso8601"
    declared = schema.get("type", "string")
    names = declared if isinstance(declared, list) else [declared]
    known = [str(name) for name in names if name != "null"]
    # Where a number may also come as text, text is what every channel can carry.
    name = "string" if "string" in known else known[0]
    return KINDS[name]
