"""Everything that must hold, by one command: `python -m tests`.

Runs lint, strict types, the check that the docs agree with the code, and the test suite, in that
order, and stops at the first that fails. `--only NAME` (repeatable) picks some; what follows `--`
goes to pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

CHECKS: Final[dict[str, list[list[str]]]] = {
    "lint": [["-m", "ruff", "check", "."], ["-m", "ruff", "format", "--check", "."]],
    "types": [["-m", "mypy"]],
    "docs": [["-m", "tools.generate", "--check"]],
    # Three workers for two cores, as many tests wait for processes that they started.
    # Reordered, the files with the fewest tests would come last, and those are the longest ones.
    "tests": [["-m", "pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]],
}


def _environment() -> dict[str, str]:
    """Give what the checks run in.

    Where Python is told to write no byte code, each of the processes would compile all that it
    imports, which takes longer than most tests: it is kept apart from the source then.
    """
    kept = {**os.environ, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"}
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".pytest_cache" / "bytecode"))
    return kept


def main() -> int:
    """Run the named checks and return the exit code of the first that fails, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CHECKS), default=[])
    parser.add_argument("pytest_arguments", nargs="*")
    arguments = parser.parse_args()
    environment = _environment()
    for name, commands in CHECKS.items():
        if arguments.only and name not in arguments.only:
            continue
        for command in commands:
            extra = arguments.pytest_arguments if name == "tests" else []
            line = [*command, *extra]
            sys.stdout.write(f"== {name}: python {' '.join(line)}\n")
            sys.stdout.flush()
            code = subprocess.run(
                [sys.executable, *line], cwd=ROOT, env=environment, check=False
            ).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
