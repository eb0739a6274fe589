"""One run of both plugins as Meltano joins them, with the state between two runs.

`python -m tests.sandbox_tests.piping` does what a shell does with `tap-qualyswas | target-ciscovm`,
but for starting the two: they are forked. How they ended stands at the end of the log.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from tests.support.interpreter import Start, fork
from tests.support.processes import BIN

PRIVATE: Final = 0o600


def main() -> int:
    """Run both, keep the last state that the target passed on, and give the exit code of both."""
    folder = Path(os.environ["MELTANO_STATE_BACKEND_URI"].removeprefix("file://"))
    state, written = folder / "state.json", folder / "state.new"
    codes = _pipe([f"--state={state}"] if state.exists() else [], written)
    if lines := written.read_bytes().splitlines():
        state.write_bytes(lines[-1] + b"\n")
    sys.stderr.write(f"ENDED {codes[0]} {codes[1]}\n")
    return codes[1] or codes[0]


def _pipe(known: list[str], written: Path) -> tuple[int, int]:
    """Run the tap into the target, and give the exit codes of both."""
    read, write = os.pipe()
    output = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    target = _plugin("target-ciscovm", [], (read, output, 2), (write,))
    os.close(read)
    os.close(output)
    tap = _plugin("tap-qualyswas", known, (0, write, 2))
    os.close(write)
    return _exit_code(tap), _exit_code(target)


def _plugin(
    name: str, options: list[str], streams: tuple[int, int, int], closed: tuple[int, ...] = ()
) -> int:
    words = [str(BIN / name), "--config=ENV", *options]
    return fork(Start(words, dict(os.environ), str(Path.cwd()), streams, closed))


def _exit_code(process: int) -> int:
    """Wait for a process, and give its exit code as a shell does."""
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main())
