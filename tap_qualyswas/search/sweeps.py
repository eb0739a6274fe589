"""One search, as it is walked: what is asked for, and what makes records of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_qualyswas.qualys.answers import TakeRows
    from tap_qualyswas.qualys.request_bodies import Criterion
    from tap_qualyswas.records.fields import Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

WEBAPP_ID: Final = "webApp.id"
"""What searches of other rows than web applications call the id of theirs."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One search, walked from its first row to its last.

    Attributes:
        key: its name within the stream, the same in each run.
        kind: `webapp`, `wasscan`, `finding` or `tag`.
        criteria: what is asked for, paging aside.
        read: makes a record of a row.
        page_size: rows of a page.
        verbose: whether rows come with details.
        row_type: what `type` must be in each row, None for any or none.
        take_rows: reads rows without a tree; None where each is read from one.
        spares: what it is asked without where Qualys refuses it: `verbose`, or fields of criteria.
    """

    key: str
    kind: str
    criteria: tuple[Criterion, ...]
    read: Callable[[Element, Notes], Record]
    page_size: int
    verbose: bool
    row_type: str | None = None
    take_rows: TakeRows | None = None
    spares: tuple[str, ...] = ()


def kept_criteria(sweep: Sweep, omitted: frozenset[str]) -> list[Criterion]:
    """Give the criteria of a search that are asked for, where Qualys has refused others."""
    return [each for each in sweep.criteria if each.field not in omitted & {*sweep.spares}]


def asked_webapps(sweep: Sweep) -> frozenset[int] | None:
    """Give the ids of the web applications whose rows are asked for; None where it names none."""
    field = "id" if sweep.kind == "webapp" else WEBAPP_ID
    for asked in sweep.criteria:
        if asked.field == field and asked.operator in {"EQUALS", "IN"}:
            return frozenset(map(int, asked.value.split(",")))
    return None
