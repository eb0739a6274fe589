"""The package: complete, right by the index's own checks, and at home on each Python."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

from tests.support.processes import BIN, ROOT
from tools import release
from tools.hub import DISTRIBUTION

NEEDED: Final = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "deploy/Dockerfile",
    "docs/settings.md",
    "meltano.yml",
    "plugins/extractors/tap-qualyswas.yml",
    "plugins/loaders/target-ciscovm.yml",
    "tests/conftest.py",
}


def checked(*command: str | Path) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_distribution_passes_the_checks_of_the_index(distribution: Path) -> None:
    (wheel,), (source,) = distribution.glob("*.whl"), distribution.glob("*.tar.gz")

    checked(BIN / "twine", "check", "--strict", wheel, source)
    checked(BIN / "check-wheel-contents", wheel)


def test_the_source_holds_all_that_belongs_to_it(distribution: Path) -> None:
    (source,) = distribution.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert names >= NEEDED
    assert not [name for name in names if name.startswith((".sandbox", "output", ".venv"))]


def interpreter(version: str) -> Path | None:
    """Find a Python of pyenv, which its own commands show one at a time only, or of uv."""
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if of_pyenv:
        return of_pyenv[-1]
    line = [str(BIN / "uv"), "python", "find", "--no-project", version]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return None if done.returncode else Path(done.stdout.strip())


@pytest.mark.outside
@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_wheel_installs_on_each_python(
    version: str, distribution: Path, tmp_path: Path
) -> None:
    (wheel,) = distribution.glob("*.whl")
    uv, python = BIN / "uv", tmp_path / "venv" / "bin"
    found = interpreter(version)
    if found is None:
        pytest.skip(f"Python {version} is not here")

    checked(uv, "venv", "--python", found, tmp_path / "venv")
    checked(uv, "pip", "install", "--python", python / "python", wheel)

    for command in ("tap-qualyswas", "target-ciscovm"):
        checked(python / command, "--version")


def test_the_notes_of_a_release_are_its_section_of_the_changelog() -> None:
    changelog = "# Changelog\n\n## [0.2.0] - 2026-12-01\n\n- New.\n\n## [0.1.0]\n\n- Old.\n"

    assert release.notes(changelog, "0.2.0") == "- New.\n"
    assert release.notes(changelog, "0.1.0") == "- Old.\n"
    assert release.notes(changelog, "0.2") == ""


def test_the_version_of_the_package_is_that_of_its_changelog_and_its_image() -> None:
    number = metadata.version(DISTRIBUTION)

    assert "### Upgrade notes" in release.notes((ROOT / "CHANGELOG.md").read_text("utf-8"), number)
    image = f"image: qualyswas-ciscovm:{number}\n"
    assert image in (ROOT / "deploy" / "kubernetes.yaml").read_text("utf-8")


def test_a_release_from_elsewhere_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.release", "v9.9.9", "https://example.test/a"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "The tag v9.9.9 is not version" in done.stderr
    assert "and this is https://example.test/a." in done.stderr
