"""Files with secrets: those that other users can read, or Meltano reads otherwise than they stand.

A warning, no refusal.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dotenv import dotenv_values, find_dotenv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MELTANO: Final = ".meltano"
MELTANO_FOLDER: Final = "MELTANO_SYS_DIR_ROOT"
"""Meltano's own folder, and the variable that names it: nobody can change how it writes there."""
FILLED_IN: Final = re.compile(r"\$\{[^}:]*\}")
"""What Meltano replaces in `.env`, between single quotes too."""


def readable_secrets(
    schema: Mapping[str, Any], prefix: str, config_files: Iterable[str] = ()
) -> list[str]:
    """Give a sentence for each file of settings that holds a secret and that others can read.

    Args:
        schema: config schema with `properties`, secrets marked as such.
        prefix: of the environment variables, for the nearest `.env`.
        config_files: paths from the command line; those that are not files are ignored.
    """
    names = secrets(schema)
    in_json = [rf'"{name}"\s*:\s*"[^"]' for name in names]
    named = {Path(path): in_json for path in config_files}
    if nearest := find_dotenv(usecwd=True):
        # `#` begins a comment, and an empty variable is not set.
        variable = rf"^\s*(export\s+)?{prefix}(%s)\s*=\s*[\"']?[^\"'\s]"
        named[Path(nearest)] = [variable % name.upper() for name in names]
    return [
        f"{path} holds a secret and can be read by other users of this machine. Run: chmod 600 "
        f"{path}"
        for path, patterns in named.items()
        if not _is_meltanos(path) and _is_open(path) and _holds(path, patterns)
    ]


def filled_in_secrets(schema: Mapping[str, Any], prefix: str) -> list[str]:
    """Give a sentence for each secret of the nearest `.env` that Meltano has changed.

    Args:
        schema: config schema with `properties`, secrets marked as such.
        prefix: of the environment variables.
    """
    path = find_dotenv(usecwd=True)
    written = dotenv_values(path, interpolate=False) if path else {}
    variables = [f"{prefix}{name.upper()}" for name in secrets(schema)]
    return [
        f"{variable} in {path} holds ${{…}}, which Meltano has replaced. Write ${{x:-$}}{{ in "
        "place of ${, or set the variable outside of the file."
        for variable in variables
        if (told := written.get(variable))
        and FILLED_IN.search(told)
        and os.environ.get(variable, told) != told
    ]


def secrets(schema: Mapping[str, Any]) -> list[str]:
    """Give the names of the settings that are secrets."""
    return [name for name, part in schema["properties"].items() if part.get("secret")]


def _is_meltanos(path: Path) -> bool:
    own = os.environ.get(MELTANO_FOLDER)
    if own and path.resolve().is_relative_to(Path(own).resolve()):
        return True
    return MELTANO in path.parts


def _is_open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def _holds(path: Path, patterns: Iterable[str]) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(re.search(pattern, text, re.MULTILINE) for pattern in patterns)
