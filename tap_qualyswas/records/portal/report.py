"""What a report file says of itself, whatever its format: all but its rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tap_qualyswas.records.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_qualyswas.records.fields import Json, Record

SCAN_REPORT: Final = "WAS_SCAN_REPORT"
WEBAPP_REPORT: Final = "WAS_WEBAPP_REPORT"
CSV: Final = "CSV"
KINDS: Final = ("VULNERABILITY", "SENSITIVE_CONTENT", "INFORMATION_GATHERED")
"""Finding types; the elements, sections and counts of a report are named after them."""
SHOW_IGNORED: Final = "Show ignored findings"
WIDENING: Final = frozenset({"include patched findings", SHOW_IGNORED.lower()})
"""Filters that leave nothing out. Reports of the portal carry them by default."""


class ReportError(ValueError):
    """Not a report that can be read. Its text says why, and in which line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the glossary says of a QID.

    Attributes:
        row: properties of the stream `knowledge_base`.
        potential: whether its findings are potential ones; None where its category does not say.
        attack: `cvssV3` of its findings.
    """

    row: Record
    potential: bool | None
    attack: Json


@dataclass(slots=True)
class Overview:
    """What a report says of itself.

    Attributes:
        kind: its root, or CSV.
        generated: when it was made; where it does not say, the latest date of its rows.
        filters: those of its filters that may leave something out.
        shows_ignored: whether its filters say that it shows ignored findings.
        webapps: its web applications, as rows of the stream; `id` is None where it is no number.
        sections: those of them that have a section of their own, in the order of the sections.
        is_flat: whether rows stand outside of any section.
        glossary: by QID.
        told: how many findings it says that it has, by type.
        listed: how many it has.
        shown: the types that it has a list of, even an empty one, in each section.
        unnamed: how many of them have the id of their detection, and no unique id.
        notes: what was odd.
    """

    kind: str
    generated: str | None = None
    filters: list[str] = field(default_factory=list)
    shows_ignored: bool = False
    webapps: list[Record] = field(default_factory=list)
    sections: list[Record] = field(default_factory=list)
    is_flat: bool = False
    glossary: dict[int, Entry] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    listed: Counter[str] = field(default_factory=Counter)
    shown: set[str] = field(default_factory=set)
    unnamed: int = 0
    notes: Notes = field(default_factory=Notes)

    def miscounted(self) -> list[str]:
        """Give the types of which it does not list as many findings as it says."""
        return [kind for kind, told in self.told.items() if told != self.listed[kind]]

    def unshown(self, kinds: Iterable[str]) -> list[str]:
        """Give the types of which nothing tells whether it has any, or leaves them out."""
        # A web application of the appendix that has no section shows nothing.
        is_shown = not self.sections or len(self.sections) >= len(self.webapps)
        shown = self.shown if is_shown else set()
        return [kind for kind in kinds if kind not in shown and kind not in self.told]

    def note_filter(self, value: str | None) -> None:
        """Note a filter, unless it leaves nothing out."""
        words = " ".join((value or "").split())
        self.shows_ignored |= words.lower() == SHOW_IGNORED.lower()
        if words and words.lower() not in WIDENING:
            self.filters.append(words)


@dataclass(frozen=True, slots=True)
class Row:
    """A finding in a report.

    Attributes:
        values: properties of the stream `findings`, without those of its QID and web application.
        section: number of the section that it stands in; None outside of any.
        webapp: the web application that it names itself.
    """

    values: Record
    section: int | None = None
    webapp: Record | None = None
