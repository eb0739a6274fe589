"""A parent that has imported what takes long, and forks a process for whoever asks.

`python -m tests.support.fork_server SOCKET MODULE ...`, started by `processes`. What is asked for
is told in lines of JSON, a start with the new process's descriptors beside it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any, Final

from tests.support.interpreter import Start, fork, main

STREAMS: Final = 3
DESCRIPTORS: Final = 4
"""The three streams, and what stays open as long as the process lives."""


def serve() -> None:
    """Fork and wait for processes until nobody is there who could ask."""
    number, *modules = sys.argv[1:]
    for name in modules:
        importlib.import_module(name)
    # What is imported stays: processes that looked through it would have to copy it first.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=int(number)) as asking:
        while request := _receive(asking):
            asking.sendall(b"%d\n" % _answer(*request))


def _receive(asking: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Give a request and its descriptors; None when there are no more."""
    text, numbers, _, _ = socket.recv_fds(asking, 65536, DESCRIPTORS)
    while text and not text.endswith(b"\n"):
        text += asking.recv(65536)
    return (json.loads(text), numbers) if text else None


def _answer(request: dict[str, Any], numbers: list[int]) -> int:
    """Give the id of a process that was started, or the status of one that has ended."""
    if "ended" in request:
        return os.waitpid(request["ended"], 0)[1]
    for number in numbers:
        os.set_inheritable(number, False)  # noqa: FBT003 - takes no names
    standard_input, output, error = numbers[:STREAMS]
    process = fork(Start(**request, streams=(standard_input, output, error)))
    for number in numbers:
        os.close(number)
    return process


if __name__ == "__main__":
    main(serve)
