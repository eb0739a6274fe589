"""The plugins' definitions in the form of the Meltano Hub, for `meltano add --from-ref`."""

from __future__ import annotations

from importlib.metadata import metadata
from typing import TYPE_CHECKING, Final

from tools.definitions import as_yaml, definition
from tools.plugins import plugins

if TYPE_CHECKING:
    from tools.plugins import JSON, Plugin

DISTRIBUTION: Final = "qualyswas-ciscovm"
FOLDERS: Final = {"tap-qualyswas": "extractors", "target-ciscovm": "loaders"}

HEADER: Final = (
    "# Written by `uv run python -m tools.generate` from the plugin's own settings: change those,\n"
    "# or tools/definitions.py and tools/hub.py, and run it again.\n"
)

DOMAINS: Final = {
    "tap-qualyswas": "https://www.qualys.com",
    "target-ciscovm": "https://www.cisco.com",
}

KEYWORDS: Final[dict[str, list[JSON]]] = {
    "tap-qualyswas": ["api", "meltano_sdk", "security", "vulnerability management"],
    "target-ciscovm": ["api", "kenna", "meltano_sdk", "security", "vulnerability management"],
}

# What the Hub shows around the settings, in Markdown.
TEXTS: Final[dict[str, dict[str, JSON]]] = {
    "tap-qualyswas": {
        "prereq": """\
A Qualys account with the WAS module, whose role has *API Access*. Log in with it once in the
browser, or every call is refused.
""",
        "settings_preamble": """\
Set `region` (or `api_url` on a private platform), `username` and `password`. With
`auth_method: oidc` set `client_id` and `client_secret` instead.
""",
        "next_steps": """\
Check the login and the right to read each stream. Nothing is read:

```bash
meltano invoke tap-qualyswas:test
```

Then load the streams with any target, such as `target-ciscovm`:

```bash
meltano run tap-qualyswas target-ciscovm
```
""",
        "usage": """\
The first sync is a full one. Later ones read what has been tested since, and once a week
everything (`full_sync_every_days`), because ignored, edited and deleted findings change no date.
The last record of a run, in the stream `syncs`, says what was read to its end.

`scan_results` reads the report of each scan, and `tags` the tree of the subscription's tags, which
`tag_ancestors` and `tag_paths` of `target-ciscovm` need. They are not selected. To read one of them
too, name all streams to read:

```bash
meltano config set tap-qualyswas _select \\
  '["webapps.*", "scans.*", "findings.*", "knowledge_base.*", "tags.*", "syncs.*"]'
```
""",
    },
    "target-ciscovm": {
        "prereq": """\
An API key of Cisco Vulnerability Management, and a connector of the type *Kenna Data Importer*. The
number of the connector is at the end of the address of its page.
""",
        "settings_preamble": """\
Set `api_url`, `api_key` and `connector_id`. Without `api_key` and `connector_id` nothing is sent;
the result is the KDI files in `output_path`.
""",
        "next_steps": """\
Check the key, the connector and output_path. Nothing is sent:

```bash
meltano invoke target-ciscovm:verify
```

See what a load would open and close, then load:

```bash
TARGET_CISCOVM_DRY_RUN=true meltano run tap-qualyswas target-ciscovm
meltano run tap-qualyswas target-ciscovm
```
""",
        "usage": """\
Keep `output_path` between runs: it holds the ledger of what is open in Cisco Vulnerability
Management, and a folder with a report for each run. A ledger that is lost is made anew from what
CVM holds.

See whether CVM holds what was sent:

```bash
meltano invoke target-ciscovm:audit
```

Do not let a scheduler repeat a failed run at once. The next run sends again what did not arrive,
and a run can fail on purpose, as when a load would close too much (`max_close_percent`).
""",
    },
}


def files() -> dict[str, str]:
    """Give the text of each definition by its path in the repository."""
    return {
        f"plugins/{FOLDERS[plugin.name]}/{plugin.name}.yml": HEADER + as_yaml(_definition(plugin))
        for plugin in plugins()
    }


def _definition(plugin: Plugin) -> dict[str, JSON]:
    address = repository()
    return {
        **definition(plugin),
        "variant": DISTRIBUTION,
        "pip_url": DISTRIBUTION,
        "executable": plugin.name,
        "repo": address,
        "docs": f"{address}/tree/main/docs",
        "logo_url": f"{address}/raw/main/plugins/logos/{plugin.name}.svg",
        "domain_url": DOMAINS[plugin.name],
        "keywords": KEYWORDS[plugin.name],
        "maintenance_status": "active",
        "quality": "silver",
        "supported_python_versions": [*_python_versions()],
        **TEXTS[plugin.name],
    }


def repository() -> str:
    """Give the address of the repository, as the package names it."""
    prefix = "Repository, "
    for url in _lines("Project-URL"):
        if url.startswith(prefix):
            return url.removeprefix(prefix)
    msg = "The installed package does not name its repository: it is out of date. Run: uv sync"
    raise SystemExit(msg)


def _python_versions() -> list[str]:
    """Give the versions that the package's classifiers name, such as 3.10."""
    prefix = "Programming Language :: Python :: 3."
    return [line.rpartition(" ")[2] for line in _lines("Classifier") if line.startswith(prefix)]


def _lines(field: str) -> list[str]:
    """Give what the package's metadata say of a field that may be there several times."""
    return [str(value) for value in metadata(DISTRIBUTION).get_all(field, [])]
