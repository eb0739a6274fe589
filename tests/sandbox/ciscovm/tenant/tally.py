"""The counters of a run, as the switches define them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.sandbox.faults.switches import Switches

if TYPE_CHECKING:
    from tests.sandbox.ciscovm.tenant.state import Asset, Counters, Entry

_ROW_FIELDS: Final = (
    "name",
    "last_seen_at",
    "score",
    "port",
    "details",
    "identifiers",
    "description",
    "solution",
    "additional_fields",
)
"""What a load can change of a known entry, besides its status."""


@dataclass
class Tally:
    """Counts what a run does; only this class knows how counters are defined."""

    counters: Counters
    switches: Switches = field(default_factory=Switches)
    _assets: set[int] = field(default_factory=set)
    _merged: set[tuple[str, int, str]] = field(default_factory=set)

    def payloads(self, total: int, failed: int) -> None:
        """Count payloads, failed ones among them."""
        self.counters.total_payload_count += total
        self.counters.failed_payload_count += failed
        self.counters.processed_payload_count += total - failed

    def asset(self, asset: Asset) -> None:
        """Count an asset that a row has come to."""
        again = asset.id in self._assets
        self._assets.add(asset.id)
        if not again or self.switches.assets_counted == "rows":
            self.counters.processed_assets_count += 1

    def entry(self, counter: str, asset: Asset, entry: Entry) -> None:
        """Count an entry, or the vulnerability that it belongs to, in one of the counters."""
        if entry.kind == "finding" and not self.switches.findings_counted:
            return
        key = (counter, asset.id, entry.vulnerability or entry.key)
        if self.switches.entries_counted == "vulnerabilities":
            if key in self._merged:
                return
            self._merged.add(key)
        self.add(counter)

    def known(self, asset: Asset, known: Entry, said: Entry, status: str | None) -> None:
        """Count an entry that CVM knows, if it is one that counts as updated."""
        changed = status not in {None, known.status} or any(
            getattr(known, name) != getattr(said, name) for name in _ROW_FIELDS
        )
        if changed or self.switches.updated_counted == "named":
            self.entry("updated_scanner_vuln_count", asset, known)

    def add(self, counter: str) -> None:
        """Count one more in a counter."""
        setattr(self.counters, counter, getattr(self.counters, counter) + 1)

    def success(self) -> bool:
        """Return what the run says of itself at its end."""
        rule, counters = self.switches.success_rule, self.counters
        some = counters.processed_payload_count > 0 or counters.total_payload_count == 0
        told = {"some": some, "all": counters.failed_payload_count == 0, "always": True}
        return told.get(rule, False)
