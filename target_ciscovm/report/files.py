"""The files of a run's report: `report.json` and `report.html`, and the schema of the first."""

from __future__ import annotations

import json
import sys
from inspect import cleandoc
from typing import TYPE_CHECKING

import msgspec

from target_ciscovm.output.private_files import open_private
from target_ciscovm.report.changes import NONE, Written
from target_ciscovm.report.model import Report
from target_ciscovm.report.page import render
from target_ciscovm.report.wording import clean_all

if TYPE_CHECKING:
    from pathlib import Path

    from msgspec import Struct


def schema() -> dict[str, object]:
    """Give the JSON schema of `report.json`, as `schemas/report.json` holds it."""
    return schema_of(Report, "report.json of a run of target-ciscovm")


def schema_of(kind: type[Struct], title: str) -> dict[str, object]:
    """Give the JSON schema of a file that `write_json` writes."""
    made = msgspec.json.schema(kind)
    for described in made["$defs"].values():
        if "description" in described:
            # Before Python 3.13 a docstring keeps its indentation.
            described["description"] = cleandoc(described["description"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}


def write_json(told: Struct, path: Path) -> None:
    """Write a report or an audit as JSON, indented, readable by the owner only.

    Characters that control terminals or cannot be written as UTF-8 are replaced.
    """
    plain = clean_all(msgspec.to_builtins(told))
    write_private(path, msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")


def write_html(report: Report, path: Path, changes: Written = NONE) -> None:
    """Write `report` as one page that opens offline, readable by the owner only."""
    write_private(path, render(report, changes).encode())


def write_private(path: Path, data: bytes) -> None:
    """Write a file that its owner alone can read."""
    with open_private(path) as file:
        file.write(data)


if __name__ == "__main__":  # prints schemas/report.json, which a test compares
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
