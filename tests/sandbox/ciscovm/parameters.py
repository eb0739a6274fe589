"""Query strings of CVM's searches: known parameters, pages, and the small language of `q`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.datastructures import QueryParams

    from tests.sandbox.ciscovm.tenant.state import Asset

Row = TypeVar("Row")


class QueryError(ValueError):
    """A search that is refused with HTTP 400; the text says why."""


@dataclass(frozen=True)
class Paging:
    """Limits of one endpoint, from the table in its description."""

    default_size: int
    max_size: int
    max_page: int
    only_default: bool = False


LISTS: Final = Paging(500, 500, 20, only_default=True)
ASSETS: Final = Paging(500, 50_000, 20)
VULNERABILITIES: Final = Paging(500, 5_000, 20)
FINDINGS: Final = Paging(100, 100, 2_000, only_default=True)
"""Any other page size "will return an error"."""


def refuse_unknown(query: QueryParams, known: Iterable[str]) -> None:
    """Refuse unknown parameters: to ignore one would answer another question.

    Raises:
        QueryError: with the parameter's name.
    """
    unknown = set(query) - set(known)
    if unknown:
        msg = f"not modelled by the sandbox: {', '.join(sorted(unknown))}"
        raise QueryError(msg)


def words(query: QueryParams, name: str, allowed: Iterable[str]) -> list[str]:
    """Return the values of an array parameter that takes an enumeration.

    Raises:
        QueryError: for another value.
    """
    found = query.getlist(name)
    wrong = set(found) - set(allowed)
    if wrong:
        msg = f"{name} cannot be {', '.join(sorted(wrong))}"
        raise QueryError(msg)
    return found


def numbers(query: QueryParams, name: str) -> list[int]:
    """Return the values of an array of integers.

    Raises:
        QueryError: for a value that is none.
    """
    try:
        return [int(value) for value in query.getlist(name)]
    except ValueError as error:
        msg = f"{name} must be integers"
        raise QueryError(msg) from error


def _number(query: QueryParams, name: str, default: int, highest: int) -> int:
    found = numbers(query, name)[-1:] or [default]
    if not 1 <= found[0] <= highest:
        msg = f"{name} must be 1 to {highest}"
        raise QueryError(msg)
    return found[0]


def page_of(
    query: QueryParams, rows: Sequence[Row], paging: Paging
) -> tuple[Sequence[Row], dict[str, int]]:
    """Return the page that was asked for, with its `meta`.

    Raises:
        QueryError: for a page or size outside of the limits.
    """
    size = _number(query, "per_page", paging.default_size, paging.max_size)
    if paging.only_default and size != paging.default_size:
        msg = f"per_page must be {paging.default_size}"
        raise QueryError(msg)
    page = _number(query, "page", 1, paging.max_page)
    pages = max(1, -(-len(rows) // size))
    meta = {"total_count": len(rows), "page": page, "pages": pages}
    return rows[(page - 1) * size : page * size], meta


_TERM: Final = re.compile(r'\s*([a-z_]+):(?:"([^"]*)"|([^\s"()]+))\s*')

_FIELDS: Final[Mapping[str, str]] = {
    "url": "url",
    "application": "application",
    "external_id": "external_id",
    "file": "file",
    "fqdn": "fqdn",
    "hostname": "hostname",
    "ip": "ip_address",
    "netbios": "netbios",
    "database": "database",
}
_TOKENISED: Final = frozenset({"application", "hostname"})

Test = Callable[["Asset"], bool]


def assets_by_text(text: str) -> Test:
    """Return a test for `q`: terms `field:value` or `field:"value"`, joined by AND.

    A value with a double quote in it cannot be asked for: that is how such names break queries.

    Raises:
        QueryError: for another form or field.
    """
    tests: list[Test] = []
    for part in re.split(r"\s+AND\s+", text.strip()):
        match = _TERM.fullmatch(part)
        if match is None or (match[1] not in _FIELDS and match[1] != "tag"):
            msg = f"invalid query: {part}"
            raise QueryError(msg)
        tests.append(_test(match[1], match[2] if match[2] is not None else match[3]))
    return lambda asset: all(test(asset) for test in tests)


def _test(field: str, value: str) -> Test:
    if field == "tag":
        return lambda asset: value in asset.tags
    name = _FIELDS[field]
    if field in _TOKENISED:
        asked = _tokens(value)
        return lambda asset: f" {asked} " in f" {_tokens(asset.locators.get(name, ''))} "
    return lambda asset: asset.locators.get(name) == value


def _tokens(value: str) -> str:
    return " ".join(re.findall(r"\w+", value.lower()))
