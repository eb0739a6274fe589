"""The command line of the sandbox."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, cast

from tests.sandbox.faults.faults import FAULTS, Faults, UnknownFaultError
from tests.sandbox.world.size import WorldSize

if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTION: Final = """\
Serve a made-up Qualys platform and a made-up Cisco Vulnerability Management tenant on loopback,
run COMMAND against them once for each day of the made-up world, and tell whether the tenant then
holds what the world is. World, tenant and all of Meltano's state are kept in .sandbox/ (or where
--home says), so that the next call is the next day; other sizes than the kept world's begin a new
one. The exit code is COMMAND's: the last one of the days that is not 0.
"""
FOLDER: Final = ".sandbox"

_SIZES: Final = {
    "apps": "web applications of a fresh world",
    "findings": "findings of a fresh world",
    "qids": "QIDs (detections) of a fresh world",
    "scans": "past scans of a fresh world",
    "seed": "what a fresh world grows from; the same seed gives the same world",
}


class Sizes(TypedDict, total=False):
    """The sizes of a fresh world that can be asked for."""

    apps: int
    findings: int
    qids: int
    scans: int
    seed: int


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        msg = f"{text} is not at least 1"
        raise argparse.ArgumentTypeError(msg)
    return number


def _size(text: str) -> int:
    number = int(text)
    if number < 0:
        msg = f"{text} is negative"
        raise argparse.ArgumentTypeError(msg)
    return number


def _fault(text: str) -> str:
    try:
        Faults([text])
    except UnknownFaultError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def parser() -> argparse.ArgumentParser:
    """Return the parser of everything before `--`."""
    listing = "\n".join(f"  {name:<26} {text}" for name, text in FAULTS.items())
    made = argparse.ArgumentParser(
        prog="python -m tests.sandbox",
        usage="%(prog)s [options] -- COMMAND ...",
        description=DESCRIPTION,
        epilog=f"faults, written NAME[+AFTER][*STRIKES][@DAY]:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, text in _SIZES.items():
        default = getattr(WorldSize, name)
        kind = _positive if name in {"apps", "qids"} else _size
        made.add_argument(f"--{name}", type=kind, metavar="N", help=f"{text} (default {default})")
    made.add_argument("--days", type=_positive, default=1, metavar="N", help="days to run (1)")
    made.add_argument(
        "--turbulent",
        action="store_true",
        help="let people edit, ignore, rename and delete, and scans fail or run for days",
    )
    made.add_argument("--fresh", action="store_true", help="forget what is kept and begin anew")
    made.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="NAME",
        help="let this go wrong; may be repeated, see below",
    )
    made.add_argument(
        "--latency-ms", type=_size, default=0, metavar="N", help="delay of every answer (0)"
    )
    made.add_argument(
        "--home", type=Path, default=Path(FOLDER), metavar="DIR", help=f"what is kept ({FOLDER})"
    )
    made.add_argument("--report", type=Path, metavar="FILE", help="write the days as JSON")
    made.add_argument(
        "--port",
        type=_size,
        default=0,
        metavar="N",
        help="serve Qualys on port N, and CVM on the next one (any free ones)",
    )
    made.add_argument(
        "--tls",
        action="store_true",
        help="serve HTTPS, with a certificate of an authority made for it: its file is named",
    )
    made.add_argument(
        "--serve",
        action="store_true",
        help="run nothing: print the variables and serve until interrupted",
    )
    return made


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split the arguments at the first `--` into options and COMMAND.

    Ends the program with exit code 2 when they make no sense.
    """
    own, command = list(arguments), list[str]()
    if "--" in own:
        place = own.index("--")
        own, command = own[:place], own[place + 1 :]
    made = parser()
    options = made.parse_args(own)
    if options.serve and command:
        made.error("--serve takes no COMMAND")
    if not options.serve and not command:
        made.error("a COMMAND is missing: put it behind '--', or use --serve")
    return options, command


def sizes(options: argparse.Namespace) -> Sizes:
    """Return the sizes that were asked for, defaults left out."""
    asked = {name: value for name in _SIZES if (value := getattr(options, name)) is not None}
    return cast("Sizes", asked)
