"""A Meltano project in a folder of its own, as the files in `deploy/` expect it on a server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.support.processes import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEPLOY: Final = ROOT / "deploy"
PLACE: Final = "/srv/qualyswas-ciscovm"
"""Where the files say that the project lies."""
BYTE_CODE: Final = "PYTHONPYCACHEPREFIX"
"""Without it, all that Meltano imports would be compiled once more."""


@dataclass(frozen=True)
class Project:
    """The folder, with `meltano.yml`, the environment in `.venv` and the settings in `.env`."""

    path: Path

    @classmethod
    def make(cls, path: Path, settings: Mapping[str, str]) -> Project:
        """Make the project with these settings."""
        path.mkdir()
        shutil.copy(ROOT / "meltano.yml", path)
        (path / ".venv").symlink_to(BIN.parent)
        made = cls(path)
        made.set(settings)
        return made

    def set(self, settings: Mapping[str, str]) -> None:
        """Write the settings."""
        file = self.path / ".env"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))

    def here(self, text: str) -> str:
        """Give a file's text with the project where it really lies."""
        return text.replace(PLACE, str(self.path))

    def run(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with these variables and no others, but where byte code is kept."""
        kept = {name: os.environ[name] for name in (BYTE_CODE,) if name in os.environ}
        return subprocess.run(
            command,
            cwd="/",
            env={**kept, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )

    def report(self) -> dict[str, Any]:
        """Give the report of the last load."""
        return report_in(self.path / "output")


def report_in(output: Path) -> dict[str, Any]:
    """Give the report of the last load whose results are in this folder."""
    found: dict[str, Any] = json.loads((output / "latest" / "report.json").read_text("utf-8"))
    return found
