"""`changes.jsonl` and `changes.csv`: one row for each change of the plan, of a dry run too."""

from __future__ import annotations

import csv
import io
import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from target_ciscovm.intake.spool import BATCH
from target_ciscovm.plan.plan import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_ciscovm.intake.spool import Spool
    from target_ciscovm.output.folders import RunFolder
    from target_ciscovm.plan.plan import Plan

TABLE_NAME: Final = "changes.csv"
FORMAT: Final = 1
FIRST: Final = 200
"""Changes that the page of the report shows."""
NAME_OF_QID: Final = re.compile(r"QID (\d+)(?: (.*))?", re.DOTALL)
FORMULA: Final = frozenset("=+-@\t\r")
"""What makes a spreadsheet take a text for a formula."""
ROWS: Final = (
    "SELECT d.action, d.cause, COALESCE(f.webapp, e.webapp), f.page, COALESCE(d.name, n.name, ''), "
    "COALESCE(f.severity, e.severity), d.identifier, d.asset FROM decision d LEFT JOIN finding f "
    "ON f.number = d.finding LEFT JOIN definition n ON n.number = f.definition LEFT JOIN "
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


class Written(NamedTuple):
    """The first changes of the files, and how many there are in all."""

    first: Sequence[Change] = ()
    total: int = 0


NONE: Final = Written()


def write_changes(spool: Spool, plan: Plan, folder: RunFolder) -> Written:
    """Write both files.

    Raises:
        DiskFull: when there is no room for them.
    """
    encode_lines = msgspec.json.Encoder().encode_lines
    found = changes(spool, plan)
    first: list[Change] = []
    count = 0
    with folder.open(CHANGES) as lines, folder.open(TABLE_NAME) as sheet:
        sheet.write(_sheet([Change.__struct_encode_fields__]))
        while batch := list(islice(found, BATCH)):
            first = first or batch[:FIRST]
            count += len(batch)
            lines.write(encode_lines(batch))
            sheet.write(_sheet(map(msgspec.structs.astuple, batch)))
    return Written(first, count)


def changes(spool: Spool, plan: Plan) -> Iterator[Change]:
    """Give the changes of a plan."""
    webapps = plan.sources.webapps
    for action, cause, webapp, url, name, severity, identifier, asset in spool.execute(ROWS):
        qid, title = _qid_and_title(name)
        app = webapps.get(webapp)
        kind, _, value = asset.partition(":")
        yield Change(
            action=action,
            cause=cause,
            webapp_id=webapp,
            webapp=(app.name if app else None) or "",
            url=url or (value if kind == "url" else ""),
            qid=qid,
            title=title,
            severity=severity,
            identifier=identifier,
            asset=asset,
        )


@lru_cache(maxsize=4096)
def _qid_and_title(name: str) -> tuple[int | None, str]:
    """Take the name of a definition apart; many changes have the same."""
    match = NAME_OF_QID.fullmatch(name)
    return (int(match[1]), match[2] or "") if match else (None, name)


def _sheet(rows: Iterable[Sequence[object]]) -> bytes:
    """Give rows of the table, each without the version, with which it begins."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row[1:]] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    """Give a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value
