"""A command starts quickly: it imports what it needs, and the collector passes over that."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Final

import pytest

STARTED: Final = """
import contextlib, gc, importlib, io, json, sys
import singer_sdk, singer_sdk.contrib.msgspec
before = set(sys.modules)
module, name, *options = sys.argv[1:]
plugin = getattr(importlib.import_module(module), name)
with contextlib.redirect_stdout(io.StringIO()):
    for option in options:
        plugin.cli([option], standalone_mode=False)
found = sorted(set(sys.modules) - before)
sys.argv = [module.split(".")[0], "--version"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    importlib.import_module(f"{sys.argv[0]}.__main__").main()
collected = {id(each) for each in gc.get_objects()}
left_alone = id(vars(plugin)["invoke"]) not in collected
json.dump([found, left_alone, gc.isenabled()], sys.stdout)
"""
OF_SDK: Final = frozenset({"click", "importlib_metadata"})
"""What the SDK itself imports when it tells something."""
OWN: Final = frozenset({"qualyswas_ciscovm", "tap_qualyswas", "target_ciscovm"})
TELLING: Final = ("--version", "--about", "--help")
NEEDED: Final = {
    "tap_qualyswas": {"errors", "input_files", "qualys", "schemas", "settings", "streams", "sync"}
    | {"tap"},
    "target_ciscovm": {"cvm", "errors", "intake", "kdi", "mapping", "settings", "target"},
}
"""Rooms and modules of each plugin that may be imported; those that work are not among them."""
MOST: Final = 40
"""Modules of a plugin and what both share; a sync and a load import some hundred."""


@pytest.mark.parametrize(
    ("module", "name", "options"),
    [
        ("tap_qualyswas.tap", "TapQualysWAS", (*TELLING, "--discover")),
        ("target_ciscovm.target", "TargetCiscoVM", TELLING),
    ],
)
def test_a_command_that_only_tells_starts_quickly(
    module: str, name: str, options: tuple[str, ...]
) -> None:
    started = [sys.executable, "-c", STARTED, module, name, *options]
    done = subprocess.run(started, capture_output=True, timeout=60, check=True)

    found: list[str]
    found, left_alone, collects = json.loads(done.stdout)
    package = module.partition(".")[0]
    others = {each.partition(".")[0] for each in found} - OWN - OF_SDK
    rooms = {each.split(".")[1] for each in found if each.startswith(f"{package}.")}
    assert others - sys.stdlib_module_names == set()
    assert rooms <= NEEDED[package]
    assert "sqlite3" not in found
    assert len([each for each in found if each.partition(".")[0] in OWN]) <= MOST
    assert left_alone
    assert collects


INTERRUPTED: Final = """
import importlib, os, sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == sys.argv[2]:
            os.kill(os.getpid(), int(sys.argv[3]))
sys.meta_path.insert(0, Interrupting())
importlib.import_module(sys.argv[1]).main()
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["tap_qualyswas.tap", "target_ciscovm.target"])
def test_a_signal_during_the_start_leaves_no_trace_back(module: str, signum: int) -> None:
    main = f"{module.partition('.')[0]}.__main__"
    started = [sys.executable, "-c", INTERRUPTED, main, module, str(int(signum))]
    done = subprocess.run(started, capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (128 + signum, b"")
