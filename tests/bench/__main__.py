"""`python -m tests.bench [--json FILE] [--page FOLDER] [--only NAME] [--quick]`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tests.bench import page
from tests.bench.measuring import machine
from tests.bench.parts import calls, growth, meltano, memory, pipe, starts, tap, target, toolkit
from tests.bench.results import Section
from tests.support.byte_code import keep_byte_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PARTS: Final[dict[str, ModuleType]] = {
    part.NAME: part for part in (calls, toolkit, tap, target, starts, meltano, pipe, memory, growth)
}
DESCRIPTION: Final = """\
Measure both plugins beside what a user would take instead, and beside the least that has to be
done. Each figure is the median of several runs in processes of their own; those that are compared
are taken in turns. Needs a quiet machine. Ends with 1 when a goal is missed, but for --quick.
"""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; give the exit code."""
    options = _parser().parse_args(arguments)
    sections = []
    for name in options.only or PARTS:
        start = time.monotonic()
        section: Section = PARTS[name].measure(quick=options.quick)
        sections.append(section)
        _say("", f"{section.title} ({time.monotonic() - start:.0f} s)", "")
        _say(*page.table(section.heads, section.rows))
        _say(*map(page.goal_line, section.goals))
    missed = [goal for section in sections for goal in section.goals if not goal.is_met]
    if options.json:
        sections = merged(options.json, sections)
        _write_json(options.json, sections)
    if options.page:
        day = datetime.now(timezone.utc).date().isoformat()
        page.write(sections, options.page, machine=machine(), day=day)
    return 1 if missed and not options.quick else 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tests.bench", description=DESCRIPTION)
    made.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write all figures as JSON; parts that are not measured now are kept from before",
    )
    made.add_argument("--page", type=Path, metavar="FOLDER", help="write performance.md and plots")
    made.add_argument(
        "--only", choices=PARTS, action="append", help="measure one part; may be repeated"
    )
    made.add_argument(
        "--quick", action="store_true", help="small sizes, one run: sees that it works"
    )
    return made


def merged(path: Path, sections: Sequence[Section]) -> list[Section]:
    """Give the parts measured now and, of the others, those that the file holds, in order."""
    kept = json.loads(path.read_bytes())["sections"] if path.exists() else []
    found = {part["name"]: msgspec.convert(part, Section) for part in kept}
    found |= {section.name: section for section in sections}
    return [found[name] for name in PARTS if name in found]


def _write_json(path: Path, sections: Sequence[Section]) -> None:
    document = {"machine": machine(), "sections": [asdict(section) for section in sections]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    keep_byte_code(os.environ)
    sys.exit(main(sys.argv[1:]))
