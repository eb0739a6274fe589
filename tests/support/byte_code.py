"""Byte code of what the checks and the benchmark import, kept where Python is told to keep none.

Else each of their processes would compile all that it imports, which takes longer than most tests,
and than much of what is measured. An installed plugin has its byte code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping

FOLDER: Final = Path(__file__).resolve().parents[2] / ".pytest_cache" / "bytecode"


def keep_byte_code(environment: MutableMapping[str, str]) -> None:
    """Let the processes of an environment keep it, apart from the source if not wanted there."""
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(FOLDER))
