"""`python -m tests.sandbox [options] -- COMMAND ...`, see `--help`."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING

from tests.sandbox.command.days import Day, run_day, table, write_report
from tests.sandbox.command.home import Home
from tests.sandbox.command.options import parse, sizes
from tests.sandbox.command.plugins import Command, say, start
from tests.sandbox.http.authority import Authority
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world.population import StaleWorldError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tests.sandbox.command.plugins import Starter


def main(arguments: Sequence[str], starter: Starter = start) -> int:
    """Run the sandbox, COMMAND started by the starter, and return the exit code."""
    options, command = parse(arguments)
    home = Home(options.home)
    if options.fresh:
        home.forget()
    try:
        sandbox = _open(options, home)
    except StaleWorldError as error:
        say(f"{error}; start anew with --fresh")
        return 2
    except OSError as error:
        if not options.port:
            raise
        say(f"port {options.port} or the next one cannot be had: {error.strerror}; choose another")
        return 2
    with sandbox:
        if options.serve:
            _serve(sandbox, home)
            return 0
        days = _run(sandbox, home, Command(sandbox.faults, starter), command, options)
    return next((day.exit_code for day in reversed(days) if day.exit_code), 0)


def _open(options: argparse.Namespace, home: Home) -> Sandbox:
    """Return a fresh sandbox, or the next day of the one that is kept."""
    asked = sizes(options)
    kept = home.load() if home.exists() else None
    if kept is not None and any(getattr(kept.world.size, name) != n for name, n in asked.items()):
        say(f"the world in {home.path}/ has other sizes: a new one begins")
        home.forget()
        kept = None
    home.prepare()
    sandbox = Sandbox(
        **(asked if kept is None else {}),
        kept=kept,
        turbulent=options.turbulent,
        faults=options.fault,
        latency_ms=options.latency_ms,
        port=options.port,
        tls=Authority.new(home.path.absolute()) if options.tls else None,
    )
    if kept is not None:
        sandbox.next_day()
    size = sandbox.world.size
    say(
        f"day {sandbox.world.day + 1} of the world in {home.path}/: {size.apps} apps, "
        f"{size.findings} findings, seed {size.seed}"
    )
    return sandbox


def _run(
    sandbox: Sandbox, home: Home, command: Command, line: list[str], options: argparse.Namespace
) -> list[Day]:
    """Run the days; what is kept and reported is written after each of them."""
    first = sandbox.world.day + 1
    days: list[Day] = []
    for number in range(1, options.days + 1):
        if number > 1:
            sandbox.next_day()
        sandbox.faults.for_day(number)
        days.append(run_day(sandbox, home, command, line))
        home.save(sandbox.keep())
        if options.report:
            write_report(days, options.report)
        if command.interrupted:
            break
    for violation in sandbox.violations():
        say(f"violation: {violation}")
    for row in table(days, first):
        say(row)
    return days


def _serve(sandbox: Sandbox, home: Home) -> None:
    """Print the variables and serve until SIGINT or SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    for name, value in {**home.defaults(), **sandbox.env}.items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stdout.flush()
    ended.wait()
    home.save(sandbox.keep())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
