"""The rest of an input that is no longer needed: it is read and thrown away."""

from __future__ import annotations

import io
import os
import select
import sys
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

from qualyswas_ciscovm.endings import Ending
from qualyswas_ciscovm.errors import SIGNAL_EXIT

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAIN_SECONDS: Final = 60.0
"""How long the tap may go on writing after the decision to stop."""
CHUNK: Final = 1 << 20


@contextmanager
def draining(file: IO[Any] | None) -> Iterator[None]:
    """Drain the input if the command ends before reading it."""
    try:
        yield
    except Ending as ending:
        if ending.exit_code > SIGNAL_EXIT:
            raise
        source = file or sys.stdin
        if source is not None and not source.isatty():
            drain(source)
        raise


def drain(file: IO[bytes] | IO[str] | None, seconds: float = DRAIN_SECONDS) -> None:
    """Read and drop the rest of the input, for at most so many seconds.

    If a target leaves while the tap is writing, Meltano reports a broken pipe instead of the
    target's message.
    """
    try:
        descriptor = (file or sys.stdin.buffer).fileno()
    except (io.UnsupportedOperation, ValueError, OSError):
        return
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([descriptor], [], [], left)
            if not ready or not os.read(descriptor, CHUNK):
                return
    except (OSError, ValueError):
        return
