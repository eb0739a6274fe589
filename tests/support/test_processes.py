"""A forked process is what a started one is: streams, end, signals, limits, surroundings."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from subprocess import PIPE, STDOUT
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox.faults import victims
from tests.support import processes
from tests.support.processes import BIN, ForkServer, Process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECONDS: Final = 60
WAITING: Final = "import time; print('up', flush=True); time.sleep(60)"

CLOSED: Final = "import os, sys; print('kept'); sys.stdout.flush(); os.close(1); print('lost')"


def both(
    words: Sequence[str], given: bytes = b""
) -> tuple[subprocess.CompletedProcess[bytes], subprocess.CompletedProcess[bytes]]:
    """Run a Python command line as a forked process, and as one that is started."""
    command = [sys.executable, *words]
    forked = processes.run(command, given=given, timeout=SECONDS)
    started = subprocess.run(
        command, input=given, capture_output=True, timeout=SECONDS, check=False
    )
    return forked, started


@pytest.mark.parametrize(
    "code",
    [
        "pass",
        "import sys; sys.exit()",
        "import sys; sys.exit(7)",
        "import sys; sys.exit(300)",
        "import sys; sys.exit(-1)",
        "import sys; sys.exit('a reason')",
        "import os; os._exit(9)",
        "import os; os.kill(os.getpid(), 9)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import sys; print(sys.stdin.read(), sys.stdin.isatty(), sys.argv)",
        "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); sys.stderr.write('\\xe9')",
        "import atexit; atexit.register(print, 'at the end'); print('before', end=' ')",
        "import threading; threading.Timer(0.05, print, ['of a thread']).start()",
        "import sys; print(sys.stdout.encoding, sys.stdout.errors, sys.stderr.line_buffering)",
        "import sys; print(__name__, sys.modules['__main__'].__dict__ is globals())",
    ],
)
def test_it_writes_and_ends_as_a_started_one(code: str) -> None:
    forked, started = both(["-c", code, "an argument", "another"], "gr\xfc\xdfe\n".encode())

    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)
    assert forked.stderr == started.stderr


@pytest.mark.parametrize("code", ["raise ValueError(3)", "raise KeyboardInterrupt", "1 +", CLOSED])
def test_it_fails_as_a_started_one(code: str) -> None:
    forked, started = both(["-c", code])

    assert forked.returncode == started.returncode
    assert forked.stderr.splitlines()[-1] == started.stderr.splitlines()[-1]


def test_a_reader_that_has_gone_is_met_at_the_end() -> None:
    ends = []
    command = [sys.executable, "-c", "input(); print('x' * 100)"]
    for start in (Process, subprocess.Popen):
        process = start(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        ends.append((process.communicate(b"\n")[1].count(b"BrokenPipeError"), process.wait()))

    assert ends[0] == ends[1]
    assert ends[0][0] == 1


def test_modules_and_scripts_are_run_as_they_are() -> None:
    forked, started = both(["-m", "tests.sandbox", "--help"])
    assert (forked.returncode, forked.stdout) == (started.returncode, started.stdout)

    script = [str(BIN / "tap-qualyswas"), "--about"]
    told = processes.run(script, timeout=SECONDS)
    assert told.stdout == subprocess.run(script, capture_output=True, check=True).stdout


def test_it_has_the_folder_and_the_environment_that_it_is_given(tmp_path: Path) -> None:
    code = "import os, sys, time; print(os.getcwd(), dict(os.environ), sys.path[0], time.tzname[0])"
    pythons = {name: text for name, text in os.environ.items() if name.startswith("PYTHON")}
    env = {**pythons, "A": "b", "TZ": "Asia/Tokyo"}

    told = processes.run([sys.executable, "-c", code], env=env, cwd=tmp_path, timeout=SECONDS)

    assert told.stdout.decode() == f"{tmp_path} {env}  JST\n"


def test_its_log_can_go_where_its_output_goes() -> None:
    code = "import sys; print('a', file=sys.stderr, flush=True); print('b')"

    told = processes.run([sys.executable, "-c", code], stderr=STDOUT, timeout=SECONDS)

    assert (told.stdout, told.stderr) == (b"a\nb\n", b"")


def test_without_pipes_it_writes_where_this_process_does(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert Process([sys.executable, "-c", "print('here')"]).wait(SECONDS) == 0

    assert capfd.readouterr().out == "here\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_signals_reach_it_and_no_other(number: signal.Signals) -> None:
    command = [sys.executable, "-c", WAITING]
    with Process(command, stdout=PIPE, stderr=PIPE) as one, Process(command, stdout=PIPE) as other:
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        assert one.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            one.wait(0.01)
        os.kill(one.pid, number)

        assert one.wait(SECONDS) == -number
        assert other.poll() is None
        other.kill()


def test_it_hears_a_hangup_also_where_the_tests_run_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    code = "import signal; print(signal.getsignal(signal.SIGHUP).name)"
    try:
        told = processes.run([sys.executable, "-c", code], timeout=SECONDS, server=ForkServer())
    finally:
        signal.signal(signal.SIGHUP, before)

    assert told.stdout == b"SIG_DFL\n"


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process: Linux")
def test_a_limit_is_its_own() -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    code = "input(); import resource; print(resource.getrlimit(resource.RLIMIT_FSIZE)[0])"
    process = Process([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))

    assert process.communicate(b"\n", SECONDS)[0] == b"4096\n"
    assert resource.getrlimit(resource.RLIMIT_FSIZE) == before


def test_a_plugin_shows_by_its_name() -> None:
    # It waits for its config as long as it is looked at.
    command = [str(BIN / "tap-qualyswas"), "--config=/dev/stdin"]
    process = Process(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    while not (found := victims.is_plugin(process.pid, "tap-qualyswas")) and process.poll() is None:
        time.sleep(0.01)
    process.communicate(timeout=SECONDS)

    assert found


def test_it_is_held_by_its_time() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run([sys.executable, "-c", WAITING], timeout=0.2)


def test_what_is_no_python_command_is_refused() -> None:
    with pytest.raises(ValueError, match="is no script beside"):
        Process(["bash", "-c", "true"])


def test_what_an_interpreter_reads_when_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="PYTHONHASHSEED"):
        Process([sys.executable, "-c", ""], env={**os.environ, "PYTHONHASHSEED": "7"})
