"""What entries of the knowledge base refer to: exploits, malware, threats, notes of vendors.

The names in the answer are those of the knowledge base output DTD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.fields import text, to_whole, word
from tap_qualyswas.records.shapes import Shape, child_of, list_of

if TYPE_CHECKING:
    from tap_qualyswas.records.fields import Json, Reader, Record
    from tap_qualyswas.records.notes import Notes
    from tap_qualyswas.records.parsing import Element

SOURCE: Final = "SRC_NAME"


def _named(shape: Shape, names: dict[str, str]) -> Reader:
    """Make a reader that gives the fields of a shape other names."""

    def read(element: Element, notes: Notes) -> Json:
        found = shape(element, notes)
        return {name: found[tag] for tag, name in names.items()}

    return read


def _threat(element: Element, notes: Notes) -> Json:
    return {"id": to_whole(element.get("id") or ""), "name": word(element, notes)}


_EXPLOIT: Final = _named(
    Shape("EXPLT", {"REF": text, "DESC": text, "LINK": text}),
    {"REF": "reference", "DESC": "description", "LINK": "link"},
)
_MALWARE: Final = _named(
    Shape(
        "MW_INFO",
        {"MW_ID": text, "MW_TYPE": text, "MW_LINK": text},
        ignored=("MW_PLATFORM", "MW_ALIAS", "MW_RATING"),
    ),
    {"MW_ID": "id", "MW_TYPE": "type", "MW_LINK": "link"},
)
vendor_references: Final = list_of(
    _named(Shape("VENDOR_REFERENCE", {"ID": text, "URL": text}), {"ID": "id", "URL": "url"})
)
threat_intelligence: Final = list_of(_threat)


def correlation(element: Element, notes: Notes) -> Json:
    """Read the exploits and malware of an entry, each with the name of its source."""
    return {
        "exploits": [*_by_source(element, "EXPLOITS", "EXPLT_LIST", _EXPLOIT, notes)],
        "malware": [*_by_source(element, "MALWARE", "MW_LIST", _MALWARE, notes)],
    }


def _by_source(element: Element, part: str, listing: str, read: Reader, notes: Notes) -> list[Json]:
    found: list[Json] = []
    sources = child_of(element, part)
    for source in () if sources is None else sources:
        name = (source.findtext(SOURCE) or "").strip() or None
        entries = child_of(source, listing)
        for entry in () if entries is None else entries:
            row: Record = {"source": name}
            value = read(entry, notes)
            found.append(row | value if isinstance(value, dict) else row)
    return found
