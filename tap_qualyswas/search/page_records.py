"""The records of one page, which is held against what it says of itself and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Final

from qualyswas_ciscovm.wording import cut
from tap_qualyswas.errors import BrokenAnswer, PagingStuck
from tap_qualyswas.records.fields import TRUE
from tap_qualyswas.records.notes import Notes
from tap_qualyswas.records.shapes import Rejected, row_id, webapp_of
from tap_qualyswas.search.pages import check_page
from tap_qualyswas.search.sweeps import asked_webapps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tap_qualyswas.qualys.answers import Row, ServiceAnswer
    from tap_qualyswas.records.fields import Json, Record
    from tap_qualyswas.records.parsing import Element
    from tap_qualyswas.search.pages import IdRange
    from tap_qualyswas.search.short_pages import ShortPages
    from tap_qualyswas.search.sweeps import Sweep

ROWS: Final = {"webapp": "WebApp", "wasscan": "WasScan", "finding": "Finding", "tag": "Tag"}
"""What the rows of a search are called, by its kind."""


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one page.

    Attributes:
        sweep: key of the sweep.
        id_range: what was asked for.
        rest: what is still to be read of it; nothing at its end, several ranges after a split.
        records: its records.
        rows: rows that came for the first time, rejected ones too.
        duplicates: rows that had come before and were dropped.
        notes: what was odd.
        ids: lowest and highest id of the page; None for a page without one.
    """

    sweep: str
    id_range: IdRange
    rest: tuple[IdRange, ...]
    records: list[Record]
    rows: int
    duplicates: int
    notes: Notes
    ids: tuple[int, int] | None


def read_page(
    sweep: Sweep, id_range: IdRange, answer: ServiceAnswer, asked: int, short_pages: ShortPages
) -> Page:
    """Make records of the rows of an answer.

    Args:
        sweep: what is walked.
        id_range: what was asked for.
        answer: a page.
        asked: rows that were asked for.
        short_pages: those that came before; changed here.

    Raises:
        BrokenAnswer: when the rows are missing, or not of the type or web application asked for.
        PagingStuck: when the walk does not advance.
    """
    rows: Sequence[Row] = answer.taken or list(answer.rows)
    if not rows and (answer.more or answer.count):
        # To go on after `lastId` would skip rows that have not been read.
        msg = "Qualys announced rows in a page that holds none."
        raise BrokenAnswer(msg)
    if not rows and answer.count is None:
        short_pages.check_bare(sweep, id_range)
    _check_kind(sweep, rows)
    notes = Notes(replaced=answer.replaced)
    records, ids = _read_rows(sweep, rows, notes)
    _check_webapps(sweep, records, answer.rows)
    _check_answer(answer, ids)
    _check_place(answer, id_range, ids)
    if answer.more:
        short_pages.check(sweep, id_range, len(ids), asked)
    try:
        step = check_page(id_range, ids, more=answer.more, last_id=answer.last_id, limit=asked)
    except PagingStuck:
        short_pages.check_stuck(sweep, id_range)
        raise
    if not all(step.fresh):  # what is odd in duplicates has been noted before
        notes = Notes(replaced=answer.replaced)
        records, _ = _read_rows(sweep, compress(rows, step.fresh), notes)
    _check_last_id(answer, ids)
    known = [row_id for row_id in ids if row_id is not None]
    return Page(
        sweep=sweep.key,
        id_range=id_range,
        rest=step.rest,
        records=records,
        rows=sum(step.fresh),
        duplicates=len(rows) - sum(step.fresh),
        notes=notes,
        ids=(min(known), max(known)) if known else None,
    )


def _check_kind(sweep: Sweep, rows: Sequence[Row]) -> None:
    """Refuse the page of another search, such as a proxy that mixes answers up may send.

    Raises:
        BrokenAnswer: when a row is of another kind.
    """
    name = ROWS[sweep.kind]
    elements = (row for row in rows if not isinstance(row, dict))
    foreign = next((str(row.tag) for row in elements if row.tag != name), None)
    if foreign is not None:
        msg = f"Qualys sent a row {cut(foreign, 40)} in a search for {name}."
        raise BrokenAnswer(msg)


def _read_rows(
    sweep: Sweep, rows: Iterable[Row], notes: Notes
) -> tuple[list[Record], list[int | None]]:
    """Give the records of rows, and the id of each row; None where it has no readable one."""
    records: list[Record] = []
    ids: list[int | None] = []
    for row in rows:
        if isinstance(row, dict):
            if row["type"] != sweep.row_type:
                _check_type(row, sweep)
            ids.append(_id_of(row))
            records.append(row)
            continue
        try:
            record = sweep.read(row, notes)
            _check_type(record, sweep)
        except Rejected as rejected:
            ids.append(row_id(row))
            notes.reject(str(rejected), webapp_of(row))
            continue
        known = _id_of(record)
        ids.append(known)
        if known is None:
            notes.reject(f"a row of {sweep.key} has no id", webapp_of(row))
        else:
            records.append(record)
    return (records, ids)


def _check_webapps(sweep: Sweep, records: Iterable[Record], rows: Iterable[Element]) -> None:
    """Refuse a page of other web applications: they would pass for those of the filters.

    Raises:
        BrokenAnswer: when a row tells one that was not asked for.
    """
    asked = asked_webapps(sweep)
    if asked is None:
        return
    foreign: dict[Json, Json] = {}
    for record in records:
        named = record if sweep.kind == "webapp" else record["webApp"]
        number = named["id"] if isinstance(named, dict) else None
        if number is not None and number not in asked:
            foreign[record["id"]] = number
    of_several = {row_id(row) for row in rows if _is_of_several(row)} if foreign else ()
    for row, number in foreign.items():
        if row not in of_several:
            msg = (
                f"Qualys sent a {sweep.kind} of web application {number}, which was not asked for."
            )
            raise BrokenAnswer(msg)


def _id_of(record: Record) -> int | None:
    number = record["id"]
    return number if isinstance(number, int) and number > 0 else None


def _is_of_several(row: Element) -> bool:
    """Tell whether a scan is one of several web applications, of which it may name any."""
    return (row.findtext("multi") or "").strip().lower() in TRUE


def _check_answer(answer: ServiceAnswer, ids: Sequence[int | None]) -> None:
    """Hold what a page says of itself against its rows: one that was cut off in between lies.

    Raises:
        BrokenAnswer: when they do not agree.
    """
    if answer.count is not None and answer.count != len(ids):
        msg = f"Qualys sent {len(ids):,} rows in a page that says it has {answer.count:,}."
        raise BrokenAnswer(msg)


def _check_place(answer: ServiceAnswer, id_range: IdRange, ids: Sequence[int | None]) -> None:
    """Refuse a last page from elsewhere, with which the walk would end before its end.

    Raises:
        BrokenAnswer: when no row is of those that were asked for, as in a page that came before.
    """
    known = {row_id for row_id in ids if row_id is not None}
    is_elsewhere = not any(map(id_range.holds, known)) and not id_range.is_bound_by(known)
    if known and not answer.more and is_elsewhere:
        msg = f"Qualys sent rows up to id {max(known)} in place of those {id_range.described()}."
        raise BrokenAnswer(msg)


def _check_last_id(answer: ServiceAnswer, ids: Sequence[int | None]) -> None:
    known = [row_id for row_id in ids if row_id is not None]
    # Rows ascend as far as was ever seen; in a page that descends the last id is the lowest.
    if answer.last_id is not None and known and answer.last_id not in (max(known), ids[-1]):
        msg = f"Qualys names {answer.last_id} as the last id of a page that ends with {known[-1]}."
        raise BrokenAnswer(msg)


def _check_type(record: Record, sweep: Sweep) -> None:
    """Refuse a row without a type, whose id says nothing, and a page of another type.

    Raises:
        BrokenAnswer: when the row is of another type.
        Rejected: when it does not tell its type.
    """
    if sweep.row_type is None or (found := record["type"]) == sweep.row_type:
        return
    if found is None:
        msg = f"{sweep.kind} {record['id']}: it has no type"
        raise Rejected(msg)
    msg = f"Qualys sent a row of type {str(found)[:40]} in a search for {sweep.row_type}."
    raise BrokenAnswer(msg)
