"""A command whose output nobody gets says so in one line, and fails."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: Final = [
    *[("tap_qualyswas", option) for option in ("--discover", "--test=schema")],
    *[
        (plugin, option)
        for plugin in ("tap_qualyswas", "target_ciscovm")
        for option in ("--about", "--help", "--version")
    ],
]
LOGIN: Final = {
    "TAP_QUALYSWAS_API_URL": "http://127.0.0.1:9",
    "TAP_QUALYSWAS_USERNAME": "a",
    "TAP_QUALYSWAS_PASSWORD": "b",
}


def ended(
    plugin: str, option: str, stdout: int | None, prepare: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Give how a command ends whose standard output is this."""
    words = [sys.executable, "-m", plugin, "--config=ENV", option]
    return subprocess.run(
        words,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | LOGIN,
        preexec_fn=prepare,
        timeout=60,
        check=False,
    )


def assert_told(done: subprocess.CompletedProcess[bytes], cause: str) -> None:
    log = done.stderr.decode()
    assert done.returncode == 1, log
    assert "Traceback" not in log
    assert [line for line in log.splitlines() if "INFO" not in line] == [log.splitlines()[-1]]
    assert log.rstrip().endswith(f"The standard output cannot be written: {cause}.")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")  # noqa: PTH110
@pytest.mark.parametrize(("plugin", "option"), COMMANDS)
def test_a_full_disk_is_told(plugin: str, option: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = ended(plugin, option, full)
    finally:
        os.close(full)

    assert_told(done, "No space left on device")


@pytest.mark.parametrize(("plugin", "option"), COMMANDS)
def test_a_closed_output_is_told(plugin: str, option: str) -> None:
    done = ended(plugin, option, None, lambda: os.close(1))

    assert_told(done, "it is closed")


@pytest.mark.parametrize(("plugin", "option"), COMMANDS)
def test_a_broken_pipe_ends_quietly(plugin: str, option: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = ended(plugin, option, write)
    finally:
        os.close(write)

    assert done.returncode == 1
    assert all(b"INFO" in line for line in done.stderr.splitlines()), done.stderr
