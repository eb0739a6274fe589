"""Criteria of WAS searches: fields, operators and value forms, refused as Qualys refuses them.

The texts for bad values are recorded ones; those for unknown fields and operators are inferred.
A row without the field matches no criterion, with one exception that clients rely on:
`ignoredReason NOT EQUALS` keeps rows that have no reason.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import strptime
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from tests.sandbox.qualys.search.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = TypeVar("Row")
Scalar = int | str | bool | None
Values = Scalar | tuple[Scalar, ...] | Mapping[str, str]

INTEGER: Final = "INTEGER"
TEXT: Final = "TEXT"
DATE: Final = "DATE"
KEYWORD: Final = "KEYWORD"
BOOLEAN: Final = "BOOLEAN"
NAMED: Final = "NAMED"
"""Values by their names, one of which a criterion gives."""
PRESENCE: Final = "PRESENCE"
"""A list or an object for which a search can only ask whether it is absent (`NONE`)."""

EQUALS: Final = "EQUALS"
NOT_EQUALS: Final = "NOT EQUALS"
GREATER: Final = "GREATER"
LESSER: Final = "LESSER"
IN: Final = "IN"
CONTAINS: Final = "CONTAINS"
NONE: Final = "NONE"
IS_EMPTY: Final = "IS EMPTY"

OPERATORS: Final[dict[str, frozenset[str]]] = {
    INTEGER: frozenset({EQUALS, NOT_EQUALS, GREATER, LESSER, IN}),
    TEXT: frozenset({CONTAINS, EQUALS, NOT_EQUALS}),
    DATE: frozenset({EQUALS, NOT_EQUALS, GREATER, LESSER}),
    KEYWORD: frozenset({EQUALS, NOT_EQUALS, IN}),
    BOOLEAN: frozenset({EQUALS, NOT_EQUALS}),
    PRESENCE: frozenset({NONE}),
    NAMED: frozenset({EQUALS}),
}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Criterion:
    """One `<Criteria>` element as it was sent."""

    field: str
    operator: str
    value: str
    name: str | None = None


@dataclass(frozen=True)
class Field(Generic[Row]):
    """A field that can be asked for: its kind, and how to read it from a row.

    `read` gives one value, or a tuple of them where an object has several (tags, CWEs), or values
    by their names.
    """

    kind: str
    read: Callable[[Row], Values]
    keywords: tuple[str, ...] = ()
    extra: frozenset[str] = frozenset()
    absent_differs: bool = False


def predicate(
    fields: Mapping[str, Field[Row]], criterion: Criterion, *, bare_dates: bool = True
) -> Callable[[Row], bool]:
    """Return the test that a row must pass to be in the answer.

    Raises:
        RefusalError: for an unknown field, an operator that the field's kind does not have, or
            a value in another form.
    """
    field = fields.get(criterion.field)
    if field is None:
        refuse(
            f"Criteria: Invalid criteria field '{criterion.field}'.",
            f"Fields expected: {', '.join(fields)}.",
        )
    allowed = OPERATORS[field.kind] | field.extra
    if criterion.operator not in allowed:
        refuse(
            f"Criteria: Invalid operator '{criterion.operator}' for criteria '{criterion.field}'.",
            f"Operators expected: {', '.join(sorted(allowed))}.",
        )
    if criterion.operator in {NONE, IS_EMPTY}:
        return lambda row: not field.read(row)
    if field.kind == NAMED:
        return _named(field, criterion)
    wanted = _values(field, criterion, bare_dates=bare_dates)
    return _test(field, criterion.operator, wanted)


def _named(field: Field[Row], criterion: Criterion) -> Callable[[Row], bool]:
    name, wanted = criterion.name, criterion.value
    if not name:
        refuse(f"Criteria: Missing name for criteria '{criterion.field}'.", "Name the attribute.")

    def matches(row: Row) -> bool:
        values = field.read(row)
        return isinstance(values, Mapping) and values.get(name) == wanted

    return matches


def _values(field: Field[Any], criterion: Criterion, *, bare_dates: bool) -> list[Scalar]:
    texts = criterion.value.split(",") if criterion.operator == IN else [criterion.value]
    return [_value(field, criterion, text.strip(), bare_dates=bare_dates) for text in texts]


def _value(field: Field[Any], criterion: Criterion, text: str, *, bare_dates: bool) -> Scalar:
    if field.kind == INTEGER:
        if re.fullmatch(r"-?\d{1,19}", text) and int(text) in _INT64:
            return int(text)
        _refuse_value(criterion, "Specify criteria value(s) as Long.")
    if field.kind == DATE:
        return _date(criterion, text, bare_dates=bare_dates)
    if field.kind == BOOLEAN:
        if text in {"true", "false"}:
            return text == "true"
        _refuse_value(criterion, "Values expected: true, false.")
    if field.kind == KEYWORD and text not in field.keywords:
        _refuse_value(criterion, f"Values expected: {', '.join(field.keywords)}.")
    return text


def _date(criterion: Criterion, text: str, *, bare_dates: bool) -> int:
    match = _DATE.fullmatch(text)
    moment = None
    if match and (match[1] or bare_dates):
        with suppress(ValueError):  # a thirteenth month
            moment = timegm(strptime(text[:10] + (match[1] or "T00:00:00Z"), "%Y-%m-%dT%H:%M:%SZ"))
    if moment is None:
        _refuse_value(criterion, "Specify criteria value(s) as Date (YYYY-MM-DDTHH:MM:SSZ).")
    return moment


def _refuse_value(criterion: Criterion, resolution: str) -> NoReturn:
    refuse(
        f"Criteria: Invalid value format for criteria '{criterion.field}' ({criterion.value}).",
        resolution,
    )


def _test(field: Field[Row], operator: str, wanted: Sequence[Scalar]) -> Callable[[Row], bool]:
    """Return the comparison; a field with several values passes when one of them does."""
    single = _comparison(operator, wanted)
    read = field.read

    def matches(row: Row) -> bool:
        value = read(row)
        if isinstance(value, tuple):
            if operator == NOT_EQUALS:
                return all(single(one) for one in value)
            return any(single(one) for one in value)
        return field.absent_differs and operator == NOT_EQUALS if value is None else single(value)

    return matches


def _comparison(operator: str, wanted: Sequence[Scalar]) -> Callable[[Any], bool]:
    first: Any = wanted[0]
    if operator == EQUALS:
        return lambda value: bool(value == first)
    if operator == NOT_EQUALS:
        return lambda value: bool(value != first)
    if operator == GREATER:
        return lambda value: bool(value > first)
    if operator == LESSER:
        return lambda value: bool(value < first)
    if operator == CONTAINS:
        part = str(first).casefold()
        return lambda value: part in value.casefold()
    chosen = frozenset(wanted)
    return lambda value: value in chosen
