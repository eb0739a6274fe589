"""Searches read to their last page, as far as CVM's paging goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic

import msgspec

from target_ciscovm.cvm.calls import PASS
from target_ciscovm.cvm.holdings.rows import (
    VULNERABILITY_FIELDS,
    AssetRow,
    FindingRow,
    Row,
    VulnerabilityRow,
)
from target_ciscovm.errors import BrokenAnswer, HoldingsUnavailable, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_ciscovm.cvm.answer import Answer
    from target_ciscovm.cvm.calls import Calls

    Query = Sequence[tuple[str, str | int]]

VULNERABILITY_STATUSES: Final = ("open", "closed", "risk accepted", "false positive")
FINDING_STATUSES: Final = (
    "closed",
    "duplicate",
    "false_positive",
    "in_progress",
    "new",
    "not_a_security_issue",
    "open",
    "resolved",
    "risk_accepted",
    "triaged",
)
ASSET_STATUSES: Final = ("active", "inactive")
EVERY_ASSET: Final = "Include all assets"
"""Of a search for assets: also those without open vulnerabilities."""


class Meta(msgspec.Struct):
    """What a page says of the whole search."""

    total_count: int | None = None
    pages: int | None = None


class Search(msgspec.Struct, Generic[Row], frozen=True):
    """A search and the limits of its paging, which its description in the OpenAPI file names.

    Attributes:
        plural: what is found, and the name of the list in an answer.
        size: rows of a page.
        pages: the last page that CVM gives.
        row: the form of a row.
    """

    path: str
    plural: str
    query: Query
    size: int
    pages: int
    row: type[Row]

    @property
    def limit(self) -> int:
        """Count the rows that can be seen at most."""
        return self.size * self.pages


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """One page.

    Attributes:
        total: rows of all pages, None where CVM does not tell it.
        pages: all pages, likewise.
    """

    rows: list[Row]
    total: int | None
    pages: int | None

    def is_last(self, number: int, seen: int, new: int) -> bool:
        """Tell whether it is the last one.

        Args:
            number: its own.
            seen: rows of all pages so far.
            new: of these, rows that no page before had. Of how many rows a page is, nobody knows
                for sure.
        """
        if self.total is not None:
            return seen >= self.total or not self.rows
        if self.pages is not None:
            return number >= self.pages
        return not new


class BeyondPaging(HoldingsUnavailable):
    """A search finds more than its pages show.

    Attributes:
        total: what it finds; None where CVM does not tell it.
    """

    def __init__(self, search: Search[Row], total: int | None) -> None:
        there = "there are more" if total is None else f"there are {total:,}"
        super().__init__(
            f"A search in CVM shows {search.limit:,} {search.plural} at most, and {there}."
        )
        self.total = total


class Shifted(Exception):  # noqa: N818 - the name says the cause
    """What is searched changed while it was read."""


def of_vulnerabilities(
    connectors: Sequence[str], assets: Sequence[str]
) -> Search[VulnerabilityRow]:
    """Give the search for all vulnerabilities of connectors of these names, of all without any.

    Args:
        connectors: names.
        assets: statuses of the assets.
    """
    query: Query = [
        *(("connector_names[]", name) for name in connectors),
        *(("status[]", status) for status in VULNERABILITY_STATUSES),
        *(("asset[status][]", status) for status in assets),
        ("fields", ",".join(VULNERABILITY_FIELDS)),
        ("per_page", 5000),
    ]
    return Search("/vulnerabilities/search", "vulnerabilities", query, 5000, 20, VulnerabilityRow)


def of_findings() -> Search[FindingRow]:
    """Give the search for all findings; those of a connector cannot be asked for."""
    query: Query = [
        *(("status[]", status) for status in FINDING_STATUSES),
        ("sort_by", "created_at"),
        ("sort_direction", "asc"),
    ]
    return Search("/findings", "findings", query, 100, 2000, FindingRow)


def of_assets(ids: Sequence[int]) -> Search[AssetRow]:
    """Give the search for assets by their numbers."""
    query: Query = [
        *(("id[]", number) for number in ids),
        *(("status[]", status) for status in ASSET_STATUSES),
        ("exclude_child_filter[]", EVERY_ASSET),
    ]
    return Search("/assets/search", "assets", query, 500, 20, AssetRow)


def rows_of(calls: Calls, search: Search[Row]) -> Iterator[Row]:
    """Give all rows of a search.

    Raises:
        Shifted: when rows came or went while it was read.
        BeyondPaging: when there are more than CVM's paging shows.
        CiscoVMError: when CVM refuses, or cannot be reached.
    """
    total: int | None = None
    seen: set[int] = set()
    for number in range(1, search.pages + 1):
        query = [*search.query, ("page", number)]
        page = _page(calls.get(search.path, f"search {search.plural}", query=query), search)
        if number > 1 and page.total != total:
            raise Shifted
        total = page.total
        if total is not None and total > search.limit:
            raise BeyondPaging(search, total)
        yield from page.rows
        before = len(seen)
        seen.update(row.id for row in page.rows)
        if page.is_last(number, len(seen), len(seen) - before):
            break
    else:
        raise BeyondPaging(search, None)
    if total is not None and len(seen) != total:
        raise Shifted


def _page(answer: Answer, search: Search[Row]) -> Page[Row]:
    """Read a page.

    Raises:
        RequestRefused: when there is no such search.
        BrokenAnswer: when it is not as CVM describes it.
    """
    if answer.status in PASS:
        msg = f"CVM has no search for {search.plural} (HTTP {answer.status})."
        raise RequestRefused(msg)
    try:
        told = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
        rows = msgspec.json.decode(told[search.plural], type=list[search.row], strict=False)  # type: ignore[name-defined]
        meta = msgspec.json.decode(told.get("meta", b"{}"), type=Meta, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as error:
        msg = f"CVM's search for {search.plural} is not answered as its description says."
        raise BrokenAnswer(msg) from error
    return Page(rows, meta.total_count, meta.pages)
