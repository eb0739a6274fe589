"""A Python command line run by an interpreter that has imported much already, as by a fresh one."""

from __future__ import annotations

import atexit
import io
import os
import runpy
import signal
import sys
import time
import types
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import setproctitle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class Start:
    """What a new process is given.

    Attributes:
        words: what follows the name of the interpreter: `-c CODE`, `-m MODULE` or a script, and
            arguments.
        environment: all of it.
        folder: where it begins.
        streams: file descriptors of its standard input, output and error.
        closed: those that it has from its parent and must not keep open.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    streams: tuple[int, int, int] = (0, 1, 2)
    closed: Sequence[int] = ()


class Forked(BaseException):
    """Raised in a forked process, so that its interpreter ends as any other does."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words


def fork(start: Start) -> int:
    """Fork this process, and give the id of the new one.

    Raises:
        Forked: in the new process, for `main`.
    """
    process = os.fork()
    if process == 0:
        _begin_anew(start)
    return process


def main(work: Callable[[], None]) -> None:
    """Do the work of a parent; in each process forked from it, what that one is to run."""
    setproctitle.getproctitle()  # looks for where it is, which nobody finds in a later environment
    while (forked := _forked_in(work)) is not None:
        work = partial(_run_to_its_end, forked.words)


def _forked_in(work: Callable[[], None]) -> Forked | None:
    """Do some work; in a process that was forked in it, give what that process is."""
    try:
        work()
    except Forked as forked:
        return forked
    return None


def _run_to_its_end(words: Sequence[str]) -> None:
    """Run a command line, and note what the interpreter will end with because of it."""
    try:
        run(words)
    except SystemExit as exiting:
        code = exiting.code
        ending.code = code & 0xFF if isinstance(code, int) else int(code is not None)
        raise
    except Exception:
        ending.code = 1
        raise
    else:
        ending.code = 0


class Ending:
    """The end of a forked process, when the interpreter has done all that shows.

    What is left is to take apart, object by object, what the parent has imported: each page of it
    would have to be copied first.
    """

    code: int | None = None

    def __call__(self) -> None:
        """End now, unless the interpreter has something left to tell."""
        if self.code is not None:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(self.code)


ending: Final = Ending()
atexit.register(ending)  # before all others do, so that it comes last


def run(words: Sequence[str]) -> None:
    """Run a command line in this interpreter."""
    first, *others = words
    if first == "-c":
        code, *arguments = others
        sys.argv, sys.path[0] = ["-c", *arguments], ""
        module = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(code, "<string>", "exec"), vars(module))  # noqa: S102 - as `python -c` does
    elif first == "-m":
        name, *arguments = others
        sys.argv, sys.path[0] = [name, *arguments], str(Path.cwd())
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = [first, *others], str(Path(first).parent)
        runpy.run_path(first, run_name="__main__")


def _begin_anew(start: Start) -> NoReturn:
    """Take on what the start says, and leave all that the parent was doing."""
    os.environ.clear()
    os.environ.update(start.environment)
    time.tzset()
    os.chdir(start.folder)
    # Copies first: one of the three may be asked for at another's number.
    for number, copied in enumerate([os.dup(stream) for stream in start.streams]):
        os.dup2(copied, number)
        os.close(copied)
    for number in {*start.streams, *start.closed} - {0, 1, 2}:
        os.close(number)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        opened = _stream(getattr(sys, name), number)
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Under `nohup` it would be ignored, as all that the tests start inherits.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # A console script shows by its path, so that who looks for a plugin finds it.
    setproctitle.setproctitle(next(iter(start.words)))
    raise Forked(start.words)


def _stream(standard: io.TextIOWrapper, number: int) -> io.TextIOWrapper:
    """Open a standard stream anew, which may be of another kind than the parent's was."""
    return io.TextIOWrapper(
        os.fdopen(
            number,
            "wb" if number else "rb",
            buffering=0 if isinstance(standard.buffer, io.RawIOBase) else -1,
            closefd=False,
        ),
        encoding=standard.encoding,
        errors=standard.errors,
        newline="\n",
        line_buffering=standard.line_buffering,
        write_through=standard.write_through,
    )
