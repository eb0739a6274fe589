"""A Meltano project of the plain SDK tap and the stock SDK target, as a user would have it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

MELTANO: Final = (str(BIN / "meltano"),)
PROJECT: Final = """\
version: 1
project_id: plain-sdk-plugins
send_anonymous_usage_stats: false
default_environment: demo
environments:
- name: demo
plugins:
  extractors:
  - name: plain-tap
    namespace: plain_tap
    executable: {folder}/plain-tap
    capabilities: [catalog, discover, state]
    settings:
    - name: api_url
    - name: username
    - name: password
      sensitive: true
  loaders:
  - name: stock-target
    namespace: stock_target
    executable: {folder}/stock-target
    settings:
    - name: output_path
"""
SCRIPT: Final = """\
#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.bench.peers.{module} import {plugin}
{plugin}.cli()
"""
COMMANDS: Final = {
    "plain-tap": ("plain_tap", "PlainTap"),
    "stock-target": ("stock_target", "StockTarget"),
}


def write_project(folder: Path) -> None:
    """Write the project file, and the two commands beside it; nothing is to be installed."""
    (folder / "meltano.yml").write_text(PROJECT.format(folder=folder), encoding="utf-8")
    for name, (module, plugin) in COMMANDS.items():
        script = SCRIPT.format(python=sys.executable, root=str(ROOT), module=module, plugin=plugin)
        command = folder / name
        command.write_text(script, encoding="utf-8")
        command.chmod(0o755)
