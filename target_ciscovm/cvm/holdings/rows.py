"""The rows of exports and searches: read as CVM's OpenAPI file describes them, and made flat.

A number may be text and a missing value null, as in other answers of CVM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeVar, get_args

import msgspec

from target_ciscovm.cvm.connector import LARGEST_ID
from target_ciscovm.cvm.holdings.holding import LOCATORS, Judgement, Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OPEN: Final = frozenset({"open", "new", "in_progress", "triaged"})
"""Statuses of findings that CVM's own list of findings shows."""
CLOSED: Final = frozenset({"closed", "resolved"})
JUDGEMENTS: Final = frozenset(get_args(Judgement))
BY_PEOPLE: Final = "_by_human"
BY_SCRIPT: Final = "_by_api"

_VULNERABILITY: Final = ("status", "first_found_on", "created_at", "last_seen_time", "connectors")
VULNERABILITY_FIELDS: Final = ("id", "asset_id", "scanner_vulnerabilities", *_VULNERABILITY)
"""What a search for vulnerabilities is to give."""
ASSET_FIELDS: Final = ("status", *LOCATORS)
"""What an export of assets is to give besides the `id`."""


Number = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ID)]
"""What CVM numbers its rows by, as far as SQLite keeps it."""


class OwnerRow(msgspec.Struct):
    """A connector of a vulnerability or finding."""

    id: Number | None = None
    name: str | None = None


class EntryRow(msgspec.Struct):
    """A scanner's entry under a vulnerability."""

    external_unique_id: str | int | None = None
    open: bool | None = None


class VulnerabilityRow(msgspec.Struct):
    """A vulnerability (OpenAPI: `vulnerability_get_response_schema`)."""

    id: Number
    asset_id: Number
    scanner_vulnerabilities: list[EntryRow] | None
    status: str | None = None
    connectors: list[OwnerRow] | None = None
    first_found_on: str | None = None
    created_at: str | None = None
    last_seen_time: str | None = None


class DefinitionRow(msgspec.Struct):
    """The definition of a finding."""

    name: str | None = None


class FindingRow(msgspec.Struct):
    """A finding (OpenAPI: `finding_post_response_schema`)."""

    id: Number
    asset_id: Number
    status: str
    connector: OwnerRow | None = None
    external_unique_id: str | int | None = None
    vulnerability_definition: DefinitionRow | None = None
    created_at: str | None = None
    last_found_on: str | None = None


class AssetRow(msgspec.Struct):
    """An asset (OpenAPI: `assets_get_response_schema`)."""

    id: Number
    status: str | None = None
    url: str | None = None
    external_id: str | int | None = None
    application: str | None = None
    fqdn: str | None = None
    ip_address: str | None = None
    hostname: str | None = None
    file: str | None = None

    def locators(self) -> dict[str, str]:
        """Give the locators that have a value."""
        found = {name: getattr(self, name) for name in LOCATORS}
        return {name: str(value) for name, value in found.items() if value not in {None, ""}}


Row = TypeVar("Row", VulnerabilityRow, FindingRow, AssetRow)


class Held(NamedTuple):
    """An entry as it is kept until its asset is known; see `Holding`.

    Attributes:
        owners: as JSON.
    """

    vulnerability: int
    identifier: str
    open: bool | None
    judgement: str | None
    owners: str
    definition: str | None
    asset: int
    first_seen: str | None
    last_seen: str | None


def may_be_of(connector: Owner, owners: Iterable[OwnerRow]) -> bool:
    """Tell whether a row may be of a connector: by numbers, else by names, else it may."""
    numbers = {owner.id for owner in owners} - {None}
    if numbers:
        return connector.id in numbers
    names = {owner.name for owner in owners} - {None, ""}
    return not names or connector.name in names


def entries_of(row: VulnerabilityRow, connector: Owner) -> Iterator[Held]:
    """Give the entries of a vulnerability, one for each identifier; none of another connector's."""
    owners = row.connectors or []
    if not may_be_of(connector, owners):
        return
    told = _owners(owners)
    found: dict[str, set[bool | None]] = {}
    for entry in row.scanner_vulnerabilities or ():
        if entry.external_unique_id not in {None, ""}:
            found.setdefault(str(entry.external_unique_id), set()).add(_open(entry, row))
    for identifier, states in found.items():
        yield Held(
            vulnerability=row.id,
            identifier=identifier,
            open=_together(states, shared=len(owners) != 1),
            judgement=_judgement(row.status or ""),
            owners=told,
            definition=None,
            asset=row.asset_id,
            first_seen=row.first_found_on or row.created_at,
            last_seen=row.last_seen_time,
        )


def entry_of(row: FindingRow, connector: Owner) -> Iterator[Held]:
    """Give the entry of a finding; none of another connector's."""
    owners = [row.connector] if row.connector else []
    if row.external_unique_id in {None, ""} or not may_be_of(connector, owners):
        return
    yield Held(
        vulnerability=row.id,
        identifier=str(row.external_unique_id),
        open=row.status in OPEN,
        judgement=_judgement(row.status),
        owners=_owners(owners),
        definition=row.vulnerability_definition.name if row.vulnerability_definition else None,
        asset=row.asset_id,
        first_seen=row.created_at,
        last_seen=row.last_found_on,
    )


def _owners(rows: Iterable[OwnerRow]) -> str:
    return msgspec.json.encode([(row.id or 0, row.name or "") for row in rows]).decode()


def _open(entry: EntryRow, row: VulnerabilityRow) -> bool | None:
    if entry.open is not None or row.status is None:
        return entry.open
    word = row.status.removesuffix(BY_PEOPLE).removesuffix(BY_SCRIPT)
    return {"open": True, "closed": False}.get(word)


def _together(states: set[bool | None], *, shared: bool) -> bool | None:
    if len(states) == 1:
        return next(iter(states))
    return None if shared else True in states


def _judgement(status: str) -> str | None:
    """Give the status that people gave: CVM marks theirs, but for those that only people give."""
    word = status.removesuffix(BY_PEOPLE).removesuffix(BY_SCRIPT)
    if word == status and (word in OPEN or word in CLOSED):
        return None
    return word if word in JUDGEMENTS else None
