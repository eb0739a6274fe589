"""Files with secrets that others can read are warned about, by both plugins."""

from __future__ import annotations

from subprocess import STDOUT
from typing import TYPE_CHECKING, Final

import pytest

from qualyswas_ciscovm.secret_files import readable_secrets
from tests.pair.commands import clean_environment
from tests.support import processes
from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

SECRETS: Final = {"tap-qualyswas": "password", "target-ciscovm": "api_key"}
MARKER: Final = "marker-of-a-secret"


def started(plugin: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a plugin in the project's folder; its log is in its output."""
    command = [str(BIN / plugin), *arguments]
    return processes.run(command, env=clean_environment(), cwd=ROOT, stderr=STDOUT, timeout=60)


@pytest.mark.parametrize("plugin", SECRETS)
@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_config_file_that_others_can_read_is_warned_about(
    plugin: str, mode: int, warned: bool, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(f'{{\n"{SECRETS[plugin]}": "{MARKER}"\n}}')
    file.chmod(mode)

    ended = started(plugin, "--config", str(file))

    assert ended.returncode == 2
    assert (b"can be read by other users" in ended.stdout) is warned
    assert MARKER.encode() not in ended.stdout


@pytest.mark.parametrize("plugin", SECRETS)
def test_a_config_file_without_a_secret_is_anybodys(plugin: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(f'{{"{SECRETS[plugin]}": ""}}')
    file.chmod(0o644)

    ended = started(plugin, "--config", str(file), "--about")

    assert ended.returncode == 0
    assert b"can be read by other users" not in ended.stdout


@pytest.mark.parametrize(("line", "warned"), [("{}={}", True), ("#{}={}", False), ("{}=", False)])
@pytest.mark.parametrize("plugin", SECRETS)
def test_an_env_file_is_looked_at_too(
    plugin: str, line: str, warned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variable = f"{plugin.replace('-', '_')}_{SECRETS[plugin]}".upper()
    file = tmp_path / ".env"
    file.write_text("A=b\n" + line.format(variable, MARKER) + "\n")
    file.chmod(0o644)
    schema = {"properties": {SECRETS[plugin]: {"secret": True}}}

    found = readable_secrets(schema, f"{plugin.replace('-', '_')}_".upper())

    assert bool(found) is warned
    assert MARKER not in "".join(found)


@pytest.mark.parametrize("plugin", SECRETS)
@pytest.mark.parametrize("folder", [".meltano", "kept by the scheduler"])
@pytest.mark.parametrize("told", [True, False])
def test_files_that_meltano_writes_for_a_run_are_not_warned_about(
    plugin: str, folder: str, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who can change how a file is written can act. Meltano says where its own files lie."""
    file = (
        tmp_path / folder / "run" / plugin / "tap.0198c5a0-0000-7000-8000-000000000000.config.json"
    )
    file.parent.mkdir(parents=True)
    file.write_text(f'{{"{SECRETS[plugin]}": "{MARKER}"}}')
    file.chmod(0o644)
    monkeypatch.chdir(tmp_path)
    if told:
        monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(tmp_path / folder))
    schema = {"properties": {SECRETS[plugin]: {"secret": True}}}

    found = readable_secrets(schema, "NO_PREFIX_", [str(file)])

    assert bool(found) is (folder != ".meltano" and not told)


def test_a_file_beside_the_folder_of_meltano_is_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.json"
    file.write_text(f'{{"password": "{MARKER}"}}')
    file.chmod(0o644)
    monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(tmp_path / "meltano"))
    monkeypatch.chdir(tmp_path)
    schema = {"properties": {"password": {"secret": True}}}

    assert len(readable_secrets(schema, "NO_PREFIX_", [str(file)])) == 1
