"""A strict reader of KDI 2 files: the sandbox's CVM refuses what it finds, the tests all of it.

It is written from Cisco's article on the Data Importer and what released importers show, and has
no line in common with any writer. Two kinds of problem are told apart: `refusals` are what makes
CVM fail the file (or what it handles wrongly without saying so, as with keys over 255 characters);
`check` adds what CVM takes but a careful sender leaves out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.sandbox.ciscovm.kdi import strict_json
from tests.sandbox.ciscovm.kdi.fields import (
    ASSET,
    DOCUMENT,
    FINDING,
    IDENTIFIERS,
    LOCATORS,
    VULN,
    VULN_DEF,
)
from tests.sandbox.ciscovm.kdi.locators import DEFAULT_ORDER, primary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.sandbox.ciscovm.kdi.fields import Table

KEY_LENGTH: Final = 255
"""Of `scanner_type + " " + identifier or name`: longer ones are cut when written, but looked for
uncut, so that the row is never updated or closed again (Cisco's toolkit, a pull request)."""

MOST: Final = 100
"""Problems reported for one file, so that a repeated fault does not fill the terminal."""


def check(document: bytes, locator_order: Iterable[str] = DEFAULT_ORDER) -> list[str]:
    """Return all that is wrong or unwise in a KDI file, each with where it stands; `[]` if good.

    `application` as an asset's only locator is let pass: Cisco's article does not list it among
    those of which one is needed, but its order of locators ends with it.

    Args:
        document: the bytes of the file.
        locator_order: the tenant's, by which two entries are one asset.
    """
    found = _read(document, tuple(locator_order))
    return (found.refused + found.unwise)[:MOST]


def refusals(document: bytes, *, undated_closing: bool = False) -> list[str]:
    """Return what CVM refuses in a KDI file; `[]` when it is imported.

    With `undated_closing` a closed row needs no `closed_at`.
    """
    return _read(document, DEFAULT_ORDER, undated_closing=undated_closing).refused[:MOST]


@dataclass
class _Reader:
    order: tuple[str, ...]
    undated_closing: bool = False
    refused: list[str] = field(default_factory=list)
    unwise: list[str] = field(default_factory=list)

    def table(self, where: str, value: object, table: Table) -> dict[str, object] | None:
        """Check one object by its table; None when it is none, so that nothing builds on it."""
        if not isinstance(value, dict):
            self.refused.append(f"{where} must be an object")
            return None
        self.refused += [f"{where}/{key} {why}" for key, why in table.problems(value)]
        return value

    def key(self, where: str, scanner_type: object, name: object) -> None:
        if len(f"{scanner_type} {name}") > KEY_LENGTH:
            self.refused.append(f"{where} is over {KEY_LENGTH} characters with its scanner_type")

    def definitions(self, found: object) -> set[tuple[object, object]]:
        """Check the definitions and return the pairs that may be referred to."""
        seen: Counter[tuple[object, object]] = Counter()
        for number, item in enumerate(found if isinstance(found, list) else []):
            where = f"#/vuln_defs/{number}"
            definition = self.table(where, item, VULN_DEF)
            if definition is None:
                continue
            pair = _pair(definition, "name")
            seen[pair] += 1
            if seen[pair] > 1:
                self.refused.append(f"{where} defines {pair[1]!r} a second time")
            self.key(f"{where}/name", *pair)
            kinds = [kind for kind in IDENTIFIERS if kind in definition]
            if len(kinds) > 1:
                self.unwise.append(f"{where} has {' and '.join(kinds)}: CVM keeps one kind")
        return set(seen)

    def assets(self, found: object, defined: set[tuple[object, object]]) -> None:
        seen: set[tuple[str, str]] = set()
        for number, item in enumerate(found if isinstance(found, list) else []):
            where = f"#/assets/{number}"
            asset = self.table(where, item, ASSET)
            if asset is None:
                continue
            self.asset(where, asset)
            key = self.identity(asset)
            if key in seen:
                self.unwise.append(f"{where} is an asset that this file already holds")
            seen |= {key} if key else set()
            self.entries(f"{where}/vulns", asset.get("vulns"), VULN, defined)
            self.entries(f"{where}/findings", asset.get("findings"), FINDING, defined)

    def asset(self, where: str, asset: dict[str, object]) -> None:
        """Check what a table of single fields cannot say of an asset."""
        if not any(name in asset for name in LOCATORS):
            self.refused.append(f"{where} has no locator")
        kind = asset.get("asset_type")
        if isinstance(kind, str) and f"{kind}_id" not in asset:
            self.refused.append(f"{where}/asset_type needs {kind}_id")
        if "priority" in asset:
            self.unwise.append(f"{where}/priority would reset what a person has set")
        if '"' in str(asset.get("application", "")):
            self.unwise.append(f"{where}/application holds a double quote: it breaks queries")
        tags = asset.get("tags")
        if isinstance(tags, list) and len({str(tag) for tag in tags}) < len(tags):
            self.unwise.append(f"{where}/tags holds a tag twice")

    def identity(self, asset: dict[str, object]) -> tuple[str, str] | None:
        """Return the locator that decides; None when the table has refused them."""
        try:
            found = {name: value for name in LOCATORS if isinstance(value := asset.get(name), str)}
            return primary(found, self.order)
        except ValueError:
            return None

    def entries(
        self, where: str, found: object, table: Table, defined: set[tuple[object, object]]
    ) -> None:
        """Check the vulnerabilities or the findings of one asset."""
        seen: set[tuple[object, object]] = set()
        for number, item in enumerate(found if isinstance(found, list) else []):
            here = f"{where}/{number}"
            entry = self.table(here, item, table)
            if entry is None:
                continue
            identity, name = _pair(entry, "scanner_identifier"), _pair(entry, "vuln_def_name")
            if identity in seen:
                self.unwise.append(f"{here} is the second {identity[1]!r} of its asset")
            seen.add(identity)
            if name not in defined:
                self.refused.append(f"{here} refers to {name[1]!r}, which this file lacks")
            self.key(f"{here}/scanner_identifier", *identity)
            self.key(f"{here}/vuln_def_name", *name)
            self.closing(here, entry)

    def closing(self, where: str, entry: dict[str, object]) -> None:
        if entry.get("status") == "closed" and "closed_at" not in entry:
            found = self.unwise if self.undated_closing else self.refused
            found.append(f"{where} is closed without closed_at")
        if entry.get("status") == "open" and "closed_at" in entry:
            self.unwise.append(f"{where} is open with closed_at")


def _pair(entry: dict[str, object], key: str) -> tuple[object, object]:
    # As text: what is no string was refused by the table, and need not be hashable.
    return str(entry.get("scanner_type")), str(entry.get(key))


def _read(document: bytes, order: tuple[str, ...], *, undated_closing: bool = False) -> _Reader:
    reader = _Reader(order, undated_closing)
    try:
        value = strict_json.read(document)
    except strict_json.StrictJSONError as error:
        reader.refused.append(str(error))
        return reader
    whole = reader.table("#", value, DOCUMENT)
    if whole is not None:
        reader.assets(whole.get("assets"), reader.definitions(whole.get("vuln_defs")))
    return reader
