"""The findings of one asset, filtered and mapped, and what they say of the asset itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from target_ciscovm.assets import Holder
from target_ciscovm.dates import to_utc
from target_ciscovm.filters import FilterRules, filtered_by
from target_ciscovm.joins import OPEN
from target_ciscovm.locators import Place, place_of
from target_ciscovm.mapping import MappingRules, closed_item, map_finding, notes

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection

    from target_ciscovm.catalogue import Catalogue
    from target_ciscovm.filters import QidFacts
    from target_ciscovm.joins import SpooledFinding
    from target_ciscovm.mapping import Item
    from target_ciscovm.records import Finding

INACTIVE: Final = "asset_inactivity_days"


class Sent(NamedTuple):
    """A finding as it is sent; the columns of the spool's table `sent`."""

    identifier: str
    asset: str
    name: str
    webapp: int | None
    severity: int | None
    is_open: int
    seen: str


@dataclass(frozen=True)
class ItemRules:
    """How findings become items.

    Attributes:
        inactive: web applications that are left out, being scanned no longer.
    """

    mapping: MappingRules = field(default_factory=MappingRules)
    filters: FilterRules = field(default_factory=FilterRules)
    inactive: Collection[int] = frozenset()


class AssetItems:
    """Collects the findings of one asset.

    Attributes:
        items: what stands in the file.
        sent: a row for each of them.
        filtered: identifier and filter of each finding that was left out.
        names: names of the definitions used.
        closed: identifiers of what is closed by name without a row of its own.
    """

    def __init__(self, key: str, catalogue: Catalogue, rules: ItemRules) -> None:
        self.key = key
        self.items: list[Item] = []
        self.sent: list[Sent] = []
        self.filtered: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self.closed: set[str] = set()
        self._catalogue = catalogue
        self._rules = rules
        self._tags: dict[str, None] = {}
        self._places: dict[int, Place] = {}
        self._nowhere = Place()
        self._last_tested: str | None = None

    def add(
        self, row: SpooledFinding, finding: Finding, noted: Counter[str], sent_name: str | None
    ) -> None:
        """Map a finding, or leave it out.

        Args:
            row: the finding as it was kept.
            finding: its record.
            noted: is told what was not quite as expected.
            sent_name: the name that it is open under in CVM, when it is a fix of something sent.
        """
        self._note_holder(finding)
        known = self._catalogue.of(finding)
        is_open = row.fixed == OPEN
        left_out = self._left_out(finding, known.facts) if is_open else None
        if left_out:
            self.filtered.append((row.identifier, left_out))
            return
        name = known.name if sent_name is None else self._catalogue.use(sent_name, finding)
        for note in notes(finding, self._rules.mapping):
            noted[note] += 1
        self.items.append(map_finding(finding, name, self._rules.mapping))
        self.names.add(name)
        self.sent.append(
            Sent(
                row.identifier,
                self.key,
                name,
                row.webapp,
                finding.severity,
                int(is_open),
                row.seen,
            )
        )

    def close(self, identifier: str, name: str, seen: str) -> None:
        """Close what is open here and whose finding has moved to another asset, or is gone."""
        used = self._catalogue.use(name)
        self.items.append(
            closed_item(
                identifier,
                used,
                last_seen_at=seen,
                closed_at=seen,
                data_model=self._rules.mapping.data_model,
            )
        )
        self.names.add(used)
        self.closed.add(identifier)

    def holder(self) -> Holder:
        """Give the web applications of the asset."""
        lowest = min(self._places) if self._places else None
        return Holder(
            frozenset(self._places),
            self._nowhere if lowest is None else self._places[lowest],
            {number: place.webapp_name or "" for number, place in self._places.items()},
            tuple(self._tags),
            self._last_tested,
        )

    def _note_holder(self, finding: Finding) -> None:
        app = finding.web_app
        if app is None or app.id is None:
            self._nowhere = place_of(finding.url, app)
        elif app.id not in self._places:
            self._places[app.id] = place_of(finding.url, app)
            self._tags |= dict.fromkeys(tag.name for tag in app.tags or () if tag.name)
        tested = to_utc(finding.last_tested_date) or to_utc(finding.last_detected_date)
        if tested and (self._last_tested is None or tested > self._last_tested):
            self._last_tested = tested

    def _left_out(self, finding: Finding, facts: QidFacts) -> str | None:
        app = finding.web_app
        if app is not None and app.id in self._rules.inactive:
            return INACTIVE
        return filtered_by(finding, facts, self._rules.filters)
