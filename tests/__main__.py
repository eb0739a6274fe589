"""Everything that must hold, by one command: `python -m tests`.

Runs lint, strict types, the check that the docs agree with the code, and the test suite, in that
order, and stops at the first that fails. `--only NAME` (repeatable) picks some; what follows `--`
goes to pytest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.support.byte_code import keep_byte_code

ROOT: Final = Path(__file__).resolve().parent.parent

CHECKS: Final[dict[str, list[list[str]]]] = {
    "lint": [["-m", "ruff", "check", "."], ["-m", "ruff", "format", "--check", "."]],
    "types": [["-m", "mypy"]],
    "docs": [["-m", "tools.generate", "--check"]],
    # Four workers for two cores, as many tests wait for processes that they started.
    # Reordered, the files with the fewest tests would come last, and those are the longest ones.
    "tests": [["-m", "pytest", "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder"]],
}

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
MEMORY_BYTES: Final = 4 << 30
"""The tests write less than a quarter of it."""


def _environment() -> dict[str, str]:
    """Give what the checks run in."""
    kept = {**os.environ, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"}
    keep_byte_code(kept)
    return kept


def _temporary(stack: ExitStack) -> dict[str, str]:
    """Give where tests make their folders: in memory, if there is much of it.

    Each load writes a ledger and its files to the disk and waits until they are there. Who names a
    folder keeps it.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return {}
    runs_no_programs = os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    if runs_no_programs or shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
        return {}
    made = tempfile.TemporaryDirectory(prefix="tests-", dir=MEMORY, ignore_cleanup_errors=True)
    folder = Path(stack.enter_context(made))
    folder.chmod(0o711)  # tests that play another user have to get to their own folders in it
    return {"TMPDIR": str(folder)}


def main() -> int:
    """Run the named checks and return the exit code of the first that fails, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CHECKS), default=[])
    parser.add_argument("pytest_arguments", nargs="*")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        environment = _environment() | _temporary(stack)
        for name, commands in CHECKS.items():
            if arguments.only and name not in arguments.only:
                continue
            for command in commands:
                extra = arguments.pytest_arguments if name == "tests" else []
                if code := _run([*command, *extra], name, environment):
                    return code
    return 0


def _run(line: list[str], name: str, environment: dict[str, str]) -> int:
    sys.stdout.write(f"== {name}: python {' '.join(line)}\n")
    sys.stdout.flush()
    command = [sys.executable, *line]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
