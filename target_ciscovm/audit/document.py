"""What an audit leaves behind: `audit.json`, `audit.html`, `drift.jsonl`, and lines for the log."""

from __future__ import annotations

import json
import sys
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

# ruff: noqa: TC001 - msgspec reads the types
from target_ciscovm.audit import drift
from target_ciscovm.audit.findings import entries, foreign_entries
from target_ciscovm.report.files import schema_of, write_json, write_private
from target_ciscovm.report.holdings import LACKED, Holdings, Kind
from target_ciscovm.report.model import ConnectorInfo
from target_ciscovm.report.page import render_audit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_ciscovm.audit.held import Held
    from target_ciscovm.output.folders import RunFolder

LABEL: Final = 24
MEANING: Final[Mapping[Kind, str]] = {
    "closed by people": "never a difference",
    "closed in CVM": "the next full load sends it again",
    "not in CVM": "the next full load sends it again",
    "at another asset": "the next full load moves it; if it stays, check tenant_locator_order",
    "closed in the ledger": "Qualys no longer reports it; the next full load closes it",
    "not in the ledger": "the next full load that covers it closes it",
    "left alone": "identifier of another form, or an asset without a locator of ours",
}
"""What each kind of difference means, and what becomes of it."""


class Audit(Struct, kw_only=True, forbid_unknown_fields=True):
    """One audit."""

    version: Annotated[Literal[1], Meta(description="version of this format")] = 1
    run_id: Annotated[str, Meta(description="name of the folder")] = ""
    message: Annotated[str, Meta(description="one sentence: what was found")] = ""
    exit_code: Annotated[int, Meta(ge=0, le=1)] = 0
    asked_at: Annotated[str | None, Meta(description="CVM's time; null: not told")] = None
    ledger: Annotated[str, Meta(description="path of the ledger")] = ""
    connector: ConnectorInfo | None = None
    holdings: Holdings = field(default_factory=Holdings)


def schema() -> dict[str, object]:
    """Give the JSON schema of `audit.json`, as `schemas/audit.json` holds it."""
    return schema_of(Audit, "audit.json of an audit by target-ciscovm")


def write_drift(held: Held, folder: RunFolder) -> None:
    """Write all that differs, and what is left alone, one entry a line."""
    encode = msgspec.json.Encoder().encode
    with folder.open("drift.jsonl") as file:
        for entry in chain(entries(held), foreign_entries(held)):
            file.write(encode(entry) + b"\n")


def write(audit: Audit, folder: RunFolder) -> None:
    """Write the audit as JSON and as a page."""
    write_json(audit, folder.file("audit.json"))
    write_private(folder.file("audit.html"), render_audit(audit, table(audit)).encode())


def table(audit: Audit) -> list[tuple[str, int, str]]:
    """Give what was counted, each with its name, its number and what it means."""
    return list(_rows(audit.holdings))


def lines(audit: Audit) -> Iterator[str]:
    """Give the table as lines for the log."""
    for name, count, meaning in table(audit):
        yield f"  {name:<{LABEL}}{count:>12,}   {meaning}".rstrip()


def _rows(found: Holdings) -> Iterator[tuple[str, int, str]]:
    yield "open by the ledger", found.in_ledger, ""
    yield "open in CVM", found.in_cvm, "of this connector, and not judged by people"
    for one in found.kinds:
        sign = "-" if one.kind in LACKED else "+"
        yield f"{sign} {one.kind}", one.count, MEANING[one.kind]
    if found.shared:
        yield "perhaps another's", found.shared, "of a vulnerability that several connectors have"
    if found.foreign:
        yield drift.FOREIGN, found.foreign, MEANING["left alone"]


if __name__ == "__main__":  # prints schemas/audit.json, which a test compares
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")
