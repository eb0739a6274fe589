"""The programs that are measured, each run in a process of its own.

`python -m tests.bench.peers.programs NAME OPTIONS RESULT` runs one, reading standard input and
writing standard output as Singer plugins do, and writes to RESULT what it cost. Importing modules,
which is the same for all of them, is done before the clock runs.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tap_qualyswas.sync.run
import target_ciscovm.intake.stream_maps
import target_ciscovm.run
import target_ciscovm.settings.values
from tap_qualyswas.settings import values
from tap_qualyswas.sources import findings, knowledge_base, scans, webapps
from tap_qualyswas.sync import connection, state
from tap_qualyswas.tap import TapQualysWAS
from target_ciscovm.target import TargetCiscoVM
from tests.bench.peers.floors import TapFloor, TargetFloor
from tests.bench.peers.plain_tap import PlainTap
from tests.bench.peers.stock_target import StockTarget
from tests.tap.catalogs import only

if TYPE_CHECKING:
    from collections.abc import Callable


def tap(options: dict[str, Any]) -> Callable[[], None]:
    """Run the tap; `streams` selects some, else the usual ones; `state` is what it goes on from."""
    streams, state = options.pop("streams", None), options.pop("state", None)
    catalog = only(*streams) if streams else None
    return TapQualysWAS(config=options, state=state, catalog=catalog).sync


def plain_tap(options: dict[str, Any]) -> Callable[[], None]:
    """Run the plain tap."""
    return PlainTap(config=options).sync_all


def tap_floor(options: dict[str, Any]) -> Callable[[], None]:
    """Read and write as little as a tap can."""
    return TapFloor(Path(options["pages"]), Path(options["lines"])).run


def target(options: dict[str, Any]) -> Callable[[], None]:
    """Run the target on standard input."""
    return TargetCiscoVM(config=options).listen


def stock_target(options: dict[str, Any]) -> Callable[[], None]:
    """Run the stock target on standard input."""
    return StockTarget(config=options).listen


def target_floor(options: dict[str, Any]) -> Callable[[], None]:
    """Read and write as little as a target can."""
    files, output = Path(options["files"]), Path(options["output_path"])
    return TargetFloor(files, output, options["library"]).run


IMPORTED_LATE: Final = (
    *(values, connection, state, findings, knowledge_base, scans, webapps),
    tap_qualyswas.sync.run,
    target_ciscovm.run,
    target_ciscovm.intake.stream_maps,
    target_ciscovm.settings.values,
)
"""What the plugins import only when they run."""

PROGRAMS: Final = {
    "tap": tap,
    "plain-tap": plain_tap,
    "tap-floor": tap_floor,
    "target": target,
    "stock-target": stock_target,
    "target-floor": target_floor,
}


def peak_mb() -> float:
    """Give the most memory that this process used, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `ru_maxrss`, which on Linux begins with what the parent used.
        lines = status.read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _stay_on_one_core() -> None:
    """Keep all threads on one core, where the system can: two that take turns on two cores pay for
    each other's cache."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main(arguments: list[str]) -> None:
    """Run one program and write what it cost."""
    name, options, told = arguments
    _stay_on_one_core()
    run = PROGRAMS[name](json.loads(options))
    start, cpu = time.perf_counter(), time.process_time()
    run()
    cost = {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "peak_mb": peak_mb(),
    }
    Path(told).write_text(json.dumps(cost), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
