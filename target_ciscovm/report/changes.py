"""`changes.jsonl` and `changes.csv`: one row for each change of the plan, of a dry run too."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

import msgspec

from target_ciscovm.plan.plan import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.plan.plan import Plan

TABLE_NAME: Final = "changes.csv"
FORMAT: Final = 1
NAME_OF_QID: Final = re.compile(r"QID (\d+)(?: (.*))?", re.DOTALL)
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula."""
ROWS: Final = (
    "SELECT d.action, d.cause, COALESCE(f.webapp, e.webapp), f.page, COALESCE(d.name, n.name, ''), "
    "COALESCE(f.severity, e.severity), d.identifier, d.asset FROM decision d LEFT JOIN finding f "
    "ON f.rowid = d.finding LEFT JOIN definition n ON n.number = f.definition LEFT JOIN "
    "ledger.entry e ON e.identifier = d.identifier AND e.asset = d.asset AND e.model = d.model "
    "WHERE d.action = 'close' OR (d.action = 'open' AND d.cause <> 'still') ORDER BY d.action, "
    "d.cause, d.asset, d.identifier"
)


class Change(msgspec.Struct, rename="camel", kw_only=True):
    """One change. `version` is that of this form."""

    version: int = FORMAT
    action: str
    cause: str
    webapp_id: int | None
    webapp: str
    url: str
    qid: int | None
    title: str
    severity: int | None
    identifier: str
    asset: str


def write_changes(spool: Spool, plan: Plan, folder: RunFolder) -> None:
    """Write both files.

    Raises:
        DiskFull: when there is no room for them.
    """
    encode = msgspec.json.Encoder().encode
    text = io.StringIO()
    table = csv.writer(text)
    with folder.open(CHANGES) as lines, folder.open(TABLE_NAME) as sheet:
        table.writerow(Change.__struct_encode_fields__[1:])
        for change in changes(spool, plan):
            lines.write(encode(change) + b"\n")
            table.writerow([_cell(value) for value in msgspec.structs.astuple(change)[1:]])
            sheet.write(text.getvalue().encode("utf-8", "replace"))
            text.seek(0)
            text.truncate()
        sheet.write(text.getvalue().encode("utf-8", "replace"))


def changes(spool: Spool, plan: Plan) -> Iterator[Change]:
    """Give the changes of a plan."""
    webapps = plan.sources.webapps
    for action, cause, webapp, url, name, severity, identifier, asset in spool.execute(ROWS):
        match = NAME_OF_QID.fullmatch(name)
        app = webapps.get(webapp)
        kind, _, value = asset.partition(":")
        yield Change(
            action=action,
            cause=cause,
            webapp_id=webapp,
            webapp=(app.name if app else None) or "",
            url=url or (value if kind == "url" else ""),
            qid=int(match[1]) if match else None,
            title=(match[2] or "") if match else name,
            severity=severity,
            identifier=identifier,
            asset=asset,
        )


def _cell(value: object) -> object:
    """Give a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value
